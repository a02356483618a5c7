"""A rule's concern for engines without a third truth value: that it certainly, and that it possibly holds.

Negation is pushed down to the comparisons, so that what is left is *and* and *or* over comparisons.
"""

from dataclasses import dataclass

from service.checklist.conditions import AllOf, AnyOf, Criterion, Not, Recorded
from service.checklist.truth import TRUE


@dataclass(frozen=True)
class Comparison:
    """One measured value compared: eq, neq, in, out, lt, lte, gt or gte. Where unknown, `unknown` answers."""

    place: int
    comparison: str
    operand: object
    unknown: bool


@dataclass(frozen=True)
class Joined:
    """Comparisons and groups of them, all (*and*) or any (*or*) of which hold."""

    joint: str
    parts: tuple


def bounds(condition):
    """The condition that it certainly holds, and that it possibly holds."""
    return _bound(condition, True, certain=True), _bound(condition, True, certain=False)


def places(bound):
    """The places of the values that are compared."""
    if isinstance(bound, Comparison):
        return {bound.place}
    return set().union(*(places(part) for part in bound.parts))


def _bound(condition, holds, *, certain):
    match condition:
        case Criterion():
            return _comparison(condition, holds, certain)
        case Not(part=part):
            return _bound(part, not holds, certain=certain)
        case Recorded(part=part):
            return _bound(part, holds, certain=holds)
        case AllOf() | AnyOf():
            joint = "and" if isinstance(condition, AllOf) is holds else "or"
            return _joined(joint, [_bound(part, holds, certain=certain) for part in condition.parts])
        case _:
            return _bound(condition.parts[0], holds, certain=certain)


def _joined(joint, parts):
    flat = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Joined) and part.joint == joint else [part])
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Joined(joint, unique)


def _comparison(criterion, holds, certain):
    """A stale value counts only where it counts against the infusion."""
    stale_counts = (criterion.against is TRUE) is holds
    place = criterion.old if stale_counts is certain else criterion.fresh
    comparison = criterion.operator.holds if holds else criterion.operator.fails
    operand = criterion.operand
    if isinstance(operand, frozenset):
        operand = tuple(sorted(operand))
        if len(operand) == 1:
            operand, comparison = operand[0], {"in": "eq", "out": "neq"}[comparison]
    return Comparison(place, comparison, operand, not certain)
