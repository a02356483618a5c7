"""Amounts in the rule language: literals with units, facts, named quantities, arithmetic, dates, bands."""

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from service.checklist.amounts import Arithmetic, Bands, BodySurfaceArea, Named, Percent
from service.checklist.dates import Days, Later, Years
from service.checklist.measures import SCALE
from service.checklist.terms import (
    CollectedOn,
    Constant,
    DateOf,
    FactValue,
    FirstOf,
    Infusion,
    OwnLimit,
    Policy,
    Region,
    Term,
)
from service.knowledge.problems import Mistake, did_you_mean

if TYPE_CHECKING:
    from service.knowledge.language import Path, Scope

_AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?)(?: (\S+))?")


def read_term(tree: Any, scope: "Scope", path: "Path") -> Term:
    """The term at a path. Raises Mistake."""
    if isinstance(tree, int | Decimal):
        return Constant(tree)
    if isinstance(tree, str):
        return _word(tree, scope, path)
    if not isinstance(tree, dict):
        raise Mistake(path, "this must be a number, a fact, a quantity or an expression")
    for key, (reader, others) in _EXPRESSIONS.items():
        if key in tree:
            only_keys(tree, (key, *others), path)
            term: Term = reader(tree, scope, path)
            return term
    raise Mistake(path, f"this is no expression; known are {', '.join(_EXPRESSIONS)}")


def only_keys(tree: Any, known: tuple[str, ...], path: "Path", needed: tuple[str, ...] = ()) -> None:
    """Refuse a mapping with a key that does not belong, or without one it needs. Raises Mistake."""
    if not isinstance(tree, dict):
        raise Mistake(path, f"write a mapping with {', '.join(known)}")
    for key in tree:
        if key not in known:
            raise Mistake((*path, key), f'"{key}" does not belong here.{did_you_mean(key, known)}')
    for key in needed:
        if key not in tree:
            raise Mistake(path, f"{key} is missing")


def _word(word: str, scope: "Scope", path: "Path") -> Term:
    if word == "infusion":
        return Infusion()
    if word == "region":
        return Region()
    if word.startswith("policy."):
        return _policy({"policy": word.removeprefix("policy.")}, scope, path)
    if word in scope.quantities:
        return _named(word, scope, path)
    name, _, part = word.partition(".")
    if name in scope.vocabulary:
        return _fact(name, part, scope, path)
    amount = _AMOUNT.fullmatch(word)
    if amount:
        number = amount[1]
        return Constant(Decimal(number) if "." in number or amount[2] else int(number), amount[2])
    known = [*scope.vocabulary.facts, *scope.quantities, "region", "infusion"]
    raise Mistake(path, f'the fact "{word}" is not in rules/facts.yaml.{did_you_mean(word, known)}')


def _fact(name: str, part: str, scope: "Scope", path: "Path") -> Term:
    definition = scope.vocabulary[name]
    if part == "collected":
        return CollectedOn(name)
    if part not in ("", "previous") or (part and not definition.result):
        raise Mistake(path, f"{name} has no part {part}; a result has previous and collected")
    if definition.type == "list":
        raise Mistake(path, f"{name} is a list: ask {name}: {{any: {{field: {{operator: operand}}}}}}")
    if definition.type == "date":
        return DateOf(name)
    return FactValue(name, definition.unit, before=part == "previous", whole=definition.type == "integer")


def _named(name: str, scope: "Scope", path: "Path") -> Term:
    if name not in scope.named:
        spec = scope.quantities[name]
        if spec.get("reading"):
            raise Mistake(path, f"the quantity {name} is defined by itself")
        spec["reading"] = True
        term = read_term(spec["is_"], scope, ("quantities", name, "is"))
        spec["reading"] = False
        scope.named[name] = Named(name, spec["label"], spec["unit"], term)
    return scope.named[name]


def _policy(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    name = tree["policy"]
    parameter = scope.policy.parameters.get(name)
    if parameter is None:
        near = did_you_mean(name, scope.policy.parameters)
        raise Mistake(path, f'the parameter "{name}" is not in rules/policy.yaml.{near}')
    return Policy(name, whole=parameter.type == "integer")


def _fact_in(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    name = tree["fact"]
    if name not in scope.vocabulary:
        near = did_you_mean(name, scope.vocabulary.facts)
        raise Mistake(path, f'the fact "{name}" is not in rules/facts.yaml.{near}')
    definition = scope.vocabulary[name]
    unit = tree.get("unit", definition.unit)
    if unit not in {each.canonical for each in definition.units.values()}:
        raise Mistake((*path, "unit"), f"{name} is compared in {definition.unit}")
    return FactValue(name, unit)


def _days(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    key = "days" if "days" in tree else "years"
    ends = tree[key]
    only_keys(ends, ("from", "to"), (*path, key), ("from", "to"))
    start, end = (_date(ends[side], scope, (*path, key, side)) for side in ("from", "to"))
    return Days(start, end) if key == "days" else Years(start, end)


def _date(tree: Any, scope: "Scope", path: "Path") -> Term:
    term = read_term(tree, scope, path)
    if not is_date(term):
        raise Mistake(path, "this must be a date")
    return term


def _later(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    start = _date(tree["date"], scope, (*path, "date"))
    for key in ("plus_months", "plus_days"):
        if not isinstance(tree.get(key, 0), int):
            raise Mistake((*path, key), f"{key} is a whole number")
    return Later(start, tree.get("plus_months", 0), tree.get("plus_days", 0))


def _first_of(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    from service.knowledge.language import read_condition  # noqa: PLC0415  conditions and terms hold each other

    alternatives = []
    for place, each in enumerate(tree["first_of"]):
        at = (*path, "first_of", place)
        only_keys(each, ("when", "take"), at, ("take",))
        when = read_condition(each["when"], scope, at) if "when" in each else None
        alternatives.append((when, read_term(each["take"], scope, (*at, "take"))))
    return FirstOf(tuple(alternatives), whole=all(term.whole for _, term in alternatives))


def _arithmetic(operation: str) -> Any:
    def read(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
        parts = tree[operation]
        if not isinstance(parts, list) or len(parts) < 2:
            raise Mistake((*path, operation), f"{operation} takes a list of two or more")
        return Arithmetic(
            operation,
            tuple(read_term(each, scope, (*path, operation, place)) for place, each in enumerate(parts)),
        )

    return read


def _percent_change(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    ends = tree["percent_change"]
    only_keys(ends, ("from", "to"), (*path, "percent_change"), ("from", "to"))
    return Arithmetic(
        "percent_change",
        tuple(read_term(ends[side], scope, (*path, "percent_change", side)) for side in ("from", "to")),
    )


def _adjusted(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    base = read_term(tree["value"], scope, (*path, "value"))
    if len(tree) > 2:
        raise Mistake(path, "adjust a value in one way only")
    for key, make in (
        ("plus", lambda by: Arithmetic("sum", (base, by))),
        ("minus", lambda by: Arithmetic("difference", (base, by))),
        ("plus_percent", lambda by: Percent(base, by, 1)),
        ("minus_percent", lambda by: Percent(base, by, -1)),
    ):
        if key in tree:
            return make(read_term(tree[key], scope, (*path, key)))
    return base


def _surface(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    spec = tree["body_surface_area"]
    keys = ("height", "weight", "formula")
    only_keys(spec, keys, (*path, "body_surface_area"), keys)
    return BodySurfaceArea(
        *(
            read_term(spec[key], scope, (*path, "body_surface_area", key))
            for key in ("height", "weight", "formula")
        )
    )


def _bands(tree: dict[str, Any], scope: "Scope", path: "Path") -> Term:
    spec = tree["bands"]
    only_keys(spec, ("by", "of"), (*path, "bands"), ("by", "of"))
    for place, band in enumerate(spec["of"]):
        only_keys(band, ("from", "below", "value"), (*path, "bands", "of", place), ("value",))
    bands = tuple(tuple(_plain(band.get(key)) for key in ("from", "below", "value")) for band in spec["of"])
    return Bands(read_term(spec["by"], scope, (*path, "bands", "by")), bands)  # type: ignore[arg-type]


def _plain(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value).split(" ", maxsplit=1)[0])


# Each expression: how it is read, and the keys that may stand beside its own.
_EXPRESSIONS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "policy": (_policy, ()),
    "fact": (_fact_in, ("unit",)),
    "days": (_days, ()),
    "years": (_days, ()),
    "date": (_later, ("plus_months", "plus_days")),
    "first_of": (_first_of, ()),
    "sum": (_arithmetic("sum"), ()),
    "difference": (_arithmetic("difference"), ()),
    "product": (_arithmetic("product"), ()),
    "ratio": (_arithmetic("ratio"), ()),
    "percent_change": (_percent_change, ()),
    "value": (_adjusted, ("plus", "minus", "plus_percent", "minus_percent")),
    "body_surface_area": (_surface, ()),
    "bands": (_bands, ()),
}


def number_operand(
    tree: Any, left: Term, subject: str, scope: "Scope", path: "Path"
) -> tuple[Term | None, int]:
    """What a number is compared with: a term and zero, or no term and a constant as the engine sees it."""
    for key, side in (("times_upper_limit", "upper"), ("times_lower_limit", "lower")):
        if isinstance(tree, dict) and key in tree:
            only_keys(tree, (key, "else"), path)
            if subject not in scope.vocabulary or scope.vocabulary[subject].type != "quantity":
                raise Mistake(path, f"{subject} is no laboratory result: {key} needs one")
            otherwise = read_term(tree["else"], scope, (*path, "else")) if "else" in tree else None
            return OwnLimit(subject, side, Decimal(str(tree[key])), otherwise), 0
    right = read_term(tree, scope, path)
    if is_date(left) or is_date(right):
        raise Mistake(path, "dates are not compared: name the days between them under quantities")
    if not isinstance(right, Constant):
        return right, 0
    amount = _in_unit(right, left, subject, scope, path)
    if left.whole:
        if amount != int(amount):
            raise Mistake(path, f"{subject} is a whole number: {tree} is not")
        return None, int(amount)
    return None, int(amount * SCALE)


def is_date(term: Term) -> bool:
    """Whether a term is a date."""
    if isinstance(term, Named):
        return is_date(term.term)
    if isinstance(term, FirstOf):
        return any(is_date(each) for _, each in term.alternatives)
    return isinstance(term, DateOf | CollectedOn | Infusion | Later)


def _in_unit(right: Constant, left: Term, subject: str, scope: "Scope", path: "Path") -> Decimal:
    unit = getattr(left, "unit", None)
    amount = Decimal(right.amount)
    if right.unit == unit:
        return amount
    definition = scope.vocabulary.facts.get(subject.split(".", maxsplit=1)[0])
    accepted = definition.units.get(right.unit or "") if definition else None
    if accepted is not None and accepted.canonical == unit:
        return accepted.convert(amount)
    raise Mistake(
        path, f"{subject} is compared in {unit or 'plain numbers'}, not in {right.unit or 'plain numbers'}"
    )
