"""`rules/facts.yaml`, `rules/codes/` and `rules/policy.yaml` as the core's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from service.checklist.facts import Code, FactDefinition, FieldDefinition, ItemTiming, Unit, Vocabulary
from service.knowledge.problems import Mistake, did_you_mean

PolicyValue = str | int | Decimal | None


@dataclass(frozen=True)
class Parameter:
    """One parameter of the site's policy; `value` None is unset."""

    name: str
    value: PolicyValue
    type: str
    unit: str | None
    meaning: str
    basis: str


@dataclass(frozen=True)
class SitePolicy:
    """The site's own choices, by name, and the digest of their file."""

    parameters: Mapping[str, Parameter]
    digest: str

    @property
    def values(self) -> dict[str, PolicyValue]:
        """The value of each parameter."""
        return {name: parameter.value for name, parameter in self.parameters.items()}


def build_vocabulary(
    data: dict[str, Any], code_lists: dict[str, Mapping[str, Code]], digest: str
) -> Vocabulary:
    """The vocabulary from its validated document. Raises Mistake."""
    facts = {name: _fact(name, spec, code_lists) for name, spec in data["facts"].items()}
    for name, fact in facts.items():
        named = [("not_to_confuse_with", other) for other in fact.confusions]
        for where, other in [*named, *(("asked_after", first) for first in fact.asked_after)]:
            if other not in facts:
                path = ("facts", name, where, other)
                raise Mistake(path, f'the fact "{other}" is not in this file.{did_you_mean(other, facts)}')
    return Vocabulary(facts, code_lists, digest)


def _fact(name: str, spec: dict[str, Any], code_lists: dict[str, Mapping[str, Code]]) -> FactDefinition:
    path = ("facts", name)
    values = spec.get("values") or {}
    if spec["type"] == "code" and not values:
        raise Mistake(path, "a code needs its values")
    if spec["type"] == "quantity" and not (spec.get("unit") and spec.get("units")):
        raise Mistake(path, "a quantity needs its unit and units")
    units = {
        unit: _unit(unit, each, spec["unit"], (*path, "units", unit))
        for unit, each in (spec.get("units") or {}).items()
    }
    return FactDefinition(
        name=name,
        label=spec["label"],
        type=spec["type"],
        question=spec["question"],
        help=spec["help"],
        answered_by=spec["answered_by"],
        may_change=spec["may_change"] == "yes",
        result=spec["result"] == "yes",
        values=values if isinstance(values, dict) else {},
        numbers=tuple(values) if isinstance(values, list) else (),
        words=spec.get("or_") or {},
        unit=spec.get("unit"),
        units=units,
        low=_decimal(spec.get("from_"), (*path, "from")),
        high=_decimal(spec.get("to"), (*path, "to")),
        latest=spec.get("latest"),
        earliest=spec.get("earliest"),
        item=spec.get("item", ""),
        fields={
            field: _field(field, each, (*path, "fields", field), code_lists)
            for field, each in (spec.get("fields_") or {}).items()
        },
        at_least_one_of=tuple(spec["at_least_one_of"]),
        refused_after_infusion=_timing(spec.get("not_after_infusion")),
        ignored_after_infusion=_timing(spec.get("ignored_after_infusion")),
        confusions=spec["not_to_confuse_with"],
        never_stale=frozenset(spec["never_stale"]),
        advised=spec["advised"] == "yes",
        asked_after=tuple(spec["asked_after"]),
        lasting=spec["lasting"] == "yes",
        reported_as=tuple(spec["reported_as"]),
    )


def _unit(name: str, spec: dict[str, Any], canonical: str, path: tuple[str, ...]) -> Unit:
    return Unit(
        name,
        spec.get("dimension", canonical),
        _decimal(spec.get("minus", 0), path) or Decimal(0),
        _decimal(spec.get("times", 1), path) or Decimal(1),
        _decimal(spec.get("over", 1), path) or Decimal(1),
    )


def _field(
    name: str, spec: dict[str, Any], path: tuple[str, ...], code_lists: dict[str, Mapping[str, Code]]
) -> FieldDefinition:
    for key in ("codes", "from_code"):
        if key in spec and spec[key] not in code_lists and key == "codes":
            raise Mistake(
                (*path, key), f'there is no code list "{spec[key]}".{did_you_mean(spec[key], code_lists)}'
            )
    return FieldDefinition(
        name=name,
        type=spec["type"],
        label=spec["label"],
        values=spec.get("values") or {},
        required=spec.get("required") == "yes",
        default=spec.get("default"),
        codes=spec.get("codes"),
        from_code=spec.get("from_code"),
        latest=spec.get("latest"),
        earliest=spec.get("earliest"),
    )


def _timing(spec: dict[str, Any] | None) -> ItemTiming | None:
    return ItemTiming(spec["field"], spec["when"]) if spec else None


def _decimal(value: Any, path: tuple[str, ...]) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Mistake(path, f'"{value}" is not a number') from None


def build_policy(data: dict[str, Any], digest: str) -> SitePolicy:
    """The policy from its validated document. Raises Mistake."""
    return SitePolicy({name: _parameter(name, spec) for name, spec in data["policy"].items()}, digest)


def _parameter(name: str, spec: dict[str, Any]) -> Parameter:
    path = ("policy", name, "value")
    value = spec["value"]
    if value is not None:
        if spec["type"] == "code":
            if value not in (spec.get("values") or {}):
                raise Mistake(path, f'"{value}" is not one of {", ".join(spec.get("values") or {})}')
        else:
            value = _number(value, spec, path)
    return Parameter(name, value, spec["type"], spec.get("unit"), spec["meaning"], spec["basis"])


def _number(value: Any, spec: dict[str, Any], path: tuple[str, ...]) -> int | Decimal:
    if spec["type"] == "integer" and not isinstance(value, int):
        raise Mistake(path, f'"{value}" is not a whole number')
    number = _decimal(value, path)
    low, high = _decimal(spec.get("from_"), path), _decimal(spec.get("to"), path)
    assert number is not None
    if (low is not None and number < low) or (high is not None and number > high):
        raise Mistake(path, f"{value} is outside {low} to {high}")
    return int(number) if spec["type"] == "integer" else number
