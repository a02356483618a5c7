"""What the value of an observation is for a fact of the vocabulary, or why it cannot be read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from service.checklist.facts import FactDefinition
from service.fhir.resources import (
    Resource,
    called,
    code,
    codings,
    keys,
    number,
    objects,
    one_of,
    quoted,
    text,
    words,
)
from service.knowledge.code_maps import CodeMaps, Key, Result

UCUM = "http://unitsofmeasure.org"
_COMPARATORS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_MORE = (">", ">=")
_YES_NO = {True: "yes", False: "no"}
_CLEARS = "negative"
_ABNORMAL_CODES = frozenset("A AA H HH HU HX".split())
_ABNORMAL_WORDS = _ABNORMAL_CODES | {"ABNORMAL", "CRITICAL ABNORMAL", "HIGH", "CRITICAL HIGH"}
# No test of hormones calls 25 mIU/mL negative, no other one 1 IU/mL.
_LIMITS = (
    (re.compile(r"\bmiu\b|\bm\[iu\]|\biu/l\b|^\[iu\]/l\b", re.IGNORECASE), 25),
    (re.compile(r"\biu\b|\[iu\]", re.IGNORECASE), 1),
)


@dataclass(frozen=True)
class Value:
    """A value with what is said of it; `unreadable` in its place where there is one that cannot be read."""

    value: str | int | Decimal | None = None
    unit: str | None = None
    says: str = ""
    unreadable: str | None = None

    @classmethod
    def none(cls, why: str) -> "Value":
        """What is there and cannot be read."""
        return cls(unreadable=why)


NO_VALUE = Value.none("no value")


@dataclass(frozen=True)
class Asked:
    """The fact that a value is read for, how it is read from an observation, and what codes mean."""

    definition: FactDefinition
    result: Result
    maps: CodeMaps

    def meaning(self, key: Key | None = None, text: str | None = None) -> list[str]:
        """What a code or a text means for this fact; nothing where that is not known."""
        meant = self.maps.meaning(self.result.answers, key, text)
        return [] if meant is None else [meant]


def value_of(observed: Resource, asked: Asked) -> Value:
    """The value of an observation, or of a component of one."""
    definition = asked.definition
    absent = observed.get("dataAbsentReason")
    if absent:
        reason = called(absent) or quoted(text(absent) or "no reason given")
        return Value.none(f"no value: {reason}")
    given = [each for each in one_of(observed, "value") if each[1] is not None]
    if len(given) > 1:
        return Value.none("more than one value at once")
    kind, value = given[0] if given else ("", None)
    match definition.type:
        case "code":
            return _coded(observed, kind, value, asked)
        case "quantity":
            return measured(value, definition, asked.maps) if kind == "Quantity" else _no_amount(kind, value)
        case "integer":
            return _whole(kind, value, definition)
        case _:
            return Value.none(f"{definition.label} is not read from an observation")


def shown(kind: str, value: Any) -> str:
    """A value as it stands there, short enough to be quoted."""
    if kind == "CodeableConcept":
        return called(value) or "a code that says nothing"
    if kind == "Quantity":
        return _amount_shown(value)
    if isinstance(value, str):
        return quoted(text(value) or "") or "an empty text"
    if isinstance(value, bool):
        return "true" if value else "false"
    amount = number(value)
    if amount is not None:
        return f"{amount.normalize():f}"
    return f"a {kind or 'value'} that is not read"


def _coded(observed: Resource, kind: str, value: Any, asked: Asked) -> Value:
    definition = asked.definition
    interpreted = set(_meanings(observed.get("interpretation"), asked))
    said = set(_said(kind, value, asked))
    silent = kind in ("", "Quantity")  # an amount says nothing of its own: its interpretation does
    if len(said | interpreted) > 1:
        return Value.none(_contradiction(said, interpreted))
    against = _abnormal(observed, asked.maps) or (_above(observed, value) if kind == "Quantity" else None)
    if against is not None and definition.never_stale and said | interpreted == {_CLEARS}:
        return Value.none(f"{_CLEARS}, but {against}")
    if not said and value is not None and not silent and not interpreted & definition.never_stale:
        return Value.none(f'"{shown(kind, value)}"')
    meaning = next(iter(said | interpreted), None)
    if meaning is None:
        return Value.none(
            f"{shown(kind, value)}, not interpreted" if value is not None else NO_VALUE.unreadable or ""
        )
    if meaning not in definition.values:
        return Value.none(f"{meaning}, which is no answer here")
    return Value(meaning, says=meaning)


def _abnormal(observed: Resource, maps: CodeMaps) -> str | None:
    """What an interpretation says that goes with no result that clears."""
    concepts = observed.get("interpretation")
    of_system = {code.upper() for system, code in keys(concepts, maps) if system == "interpretation"}
    if of_system & _ABNORMAL_CODES or any(each.upper() in _ABNORMAL_WORDS for each in words(concepts)):
        return f"interpreted as {called(concepts)}"
    return None


def _above(observed: Resource, value: Any) -> str | None:
    """An amount above its range; without a range, one that no test of its kind would call negative.

    A ratio to a limit, or an index, is no such amount.
    """
    quantity = next(iter(objects(value)), {})
    amount, unit = number(quantity.get("value")), text(quantity.get("code")) or text(quantity.get("unit"))
    if amount is None or quantity.get("comparator") in ("<", "<="):
        return None
    high = _highest(observed, quantity)
    most = next((most for pattern, most in _LIMITS if pattern.search(unit or "")), None)
    is_above = amount > high if high is not None else most is not None and amount >= most
    return f"an amount of {_amount_shown(quantity)}" if is_above else None


def _highest(observed: Resource, quantity: Resource) -> Decimal | None:
    """The upper end of the range of a result, where there is one in its unit."""
    ends = [high for each in _ranges(observed) for high in objects(each.get("high"))]
    same = all(text(each.get(key)) == text(quantity.get(key)) for each in ends for key in ("unit", "code"))
    return number(ends[0].get("value")) if len(ends) == 1 and same else None


def _contradiction(said: set[str], interpreted: set[str]) -> str:
    if len(said) == 1 and len(interpreted) == 1:
        return f"{said.pop()} as its value, {interpreted.pop()} as its interpretation"
    return f"{' and '.join(sorted(said | interpreted))} at once"


def _said(kind: str, value: Any, asked: Asked) -> Iterator[str]:
    if kind == "CodeableConcept":
        yield from _meanings(value, asked)
    elif kind == "String" and isinstance(value, str):
        yield from asked.meaning(text=text(value))
    elif kind == "Boolean" and isinstance(value, bool):
        yield from {_YES_NO[value]} & asked.definition.values.keys()
    elif kind == "Quantity" and asked.result.above_zero is not None:
        for quantity in objects(value):
            amount, comparator = number(quantity.get("value")), quantity.get("comparator")
            if amount is not None and amount > 0 and (comparator is None or comparator in _MORE):
                yield asked.result.above_zero


def _meanings(concept: Any, asked: Asked) -> Iterator[str]:
    """What codes and texts of it mean; those that are not known say nothing."""
    for key in keys(concept, asked.maps):
        yield from asked.meaning(key)
    for word in words(concept):
        yield from asked.meaning(text=word)


def _no_amount(kind: str, value: Any) -> Value:
    if value is None:
        return NO_VALUE
    if kind == "String":
        return Value.none(f'text only: "{shown(kind, value)}"')
    return Value.none(f"{shown(kind, value)}, not an amount with a unit")


def measured(value: Any, definition: FactDefinition, maps: CodeMaps) -> Value:
    """A Quantity as an amount in a unit of the fact, within what is plausible."""
    quantity = next(iter(objects(value)), {})
    amount, as_written = number(quantity.get("value")), _amount_shown(value)
    if amount is None:
        return Value.none(f"{as_written}, not a number")
    if quantity.get("comparator") is not None:
        return Value.none(as_written)
    unit = unit_of(quantity, definition, maps)
    if unit is None:
        has_one = text(quantity.get("unit")) or text(quantity.get("code"))
        return Value.none(f"{as_written}, {'a unit not known here' if has_one else 'without a unit'}")
    if not _plausible(definition.units[unit].convert(amount), definition):
        return Value.none(f"{as_written}, which is implausible")
    return Value(amount, unit, as_written)


def unit_of(quantity: Resource, definition: FactDefinition, maps: CodeMaps) -> str | None:
    """The unit of a Quantity among those of the fact; none where its code and its text differ."""
    written, spelled = text(quantity.get("code")), text(quantity.get("unit"))
    if written is not None and quantity.get("system") == UCUM:
        by_code, by_text = _unit(written, definition, maps), _unit(spelled, definition, maps)
        return by_code if by_text in (None, by_code) else None
    found = {_unit(each, definition, maps) for each in (written, spelled) if each is not None}
    known = found - {None}
    return known.pop() if len(known) == 1 else None


def _unit(said: str | None, definition: FactDefinition, maps: CodeMaps) -> str | None:
    if said is None:
        return None
    named = said if said in definition.units else maps.spelled.get(said)
    return named if named in definition.units else None


def _plausible(amount: Decimal, definition: FactDefinition) -> bool:
    low, high = definition.low, definition.high
    return (low is None or amount >= low) and (high is None or amount <= high)


def _amount_shown(value: Any) -> str:
    quantity = next(iter(objects(value)), {})
    amount = number(quantity.get("value"))
    unit = text(quantity.get("unit")) or text(quantity.get("code")) or ""
    said = f"{amount.normalize():f}" if amount is not None else shown("", quantity.get("value"))
    before = quantity.get("comparator")
    worded = _COMPARATORS.get(before, str(text(before) or "")) if before is not None else ""
    return quoted(" ".join(each for each in (worded, said, unit) if each))


def _whole(kind: str, value: Any, definition: FactDefinition) -> Value:
    quantity = next(iter(objects(value)), {}) if kind == "Quantity" else {"value": value}
    amount = number(quantity.get("value"))
    if kind not in ("Integer", "Quantity") or amount is None or quantity.get("comparator") is not None:
        return Value.none(
            f"{shown(kind, value)}, not a whole number" if value is not None else NO_VALUE.unreadable or ""
        )
    whole = amount == amount.to_integral_value() and _plausible(amount, definition)
    if not whole or (definition.numbers and int(amount) not in definition.numbers):
        return Value.none(f"{shown(kind, value)}, which is no answer here")
    return Value(int(amount), says=str(int(amount)))


def limits(observed: Resource, unit: str, definition: FactDefinition, maps: CodeMaps) -> dict[str, Decimal]:
    """The laboratory's limits for this very result, where there is one normal range in the same unit."""
    ranges = _ranges(observed)
    normal = [each for each in ranges if "normal" in _range_types(each)]
    untyped = [each for each in ranges if not _range_types(each)]
    chosen = normal or untyped
    if len(chosen) != 1:
        return {}
    found = {}
    for side in ("low", "high"):
        for quantity in objects(chosen[0].get(side)):
            amount = number(quantity.get("value"))
            in_unit = unit_of(quantity, definition, maps) == unit and quantity.get("comparator") is None
            if amount is not None and amount >= 0 and in_unit:
                found[f"ref_{side}"] = amount
    return found


def _ranges(observed: Resource) -> list[Resource]:
    """The ranges of a result, but for one of an age or a group: it may be that of somebody else."""
    every = objects(observed.get("referenceRange"))
    return [each for each in every if "age" not in each and "appliesTo" not in each]


def _range_types(each: Resource) -> set[str]:
    return {coded for coding in codings(each.get("type")) if (coded := code(coding.code))}
