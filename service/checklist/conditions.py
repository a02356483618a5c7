"""Conditions: criteria joined by *all*, *any*, *not*, and *recorded*, in three-valued logic.

A condition's truth is a pure function of the measured values, so the engine, the trace, the questions and
the advice all read the same numbers. A criterion with an age limit lets old evidence hold an infusion but
never clear one: a stale value counts only where it counts against the infusion (`against`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from service.checklist.evidence import Case, Reason, Unknown
from service.checklist.lists import Entry
from service.checklist.operators import Operator
from service.checklist.terms import CollectedOn, Constant, FactValue, Measured, Region, Term
from service.checklist.truth import FALSE, NEGATION, TRUE, UNKNOWN, Truth

Scaled = str | int | None
Values = Sequence[Scaled]
SCALE = 10**9
_SCALE = Decimal(SCALE)


@dataclass(frozen=True)
class AgeLimit:
    """How old evidence may be: `limit` in days (or hours), counted back from the date `before`."""

    limit: Term
    before: Term
    hours: bool = False

    def objection(self, fact: str, case: Case) -> Unknown | None:
        """Why the counted reading is too old to clear, or None."""
        limit = self.limit.value(case)
        if limit is None:
            return next(iter(self.limit.unknowns(case)))
        known = case.evidence(fact)
        at = known.value if isinstance(known.value, date) else known.at if self.hours else known.day
        if not isinstance(at, date):
            return Unknown(fact, Reason.MISSING, "has no date")
        if self.hours:
            if not isinstance(at, datetime):
                at = datetime(at.year, at.month, at.day, tzinfo=case.infusion_at.tzinfo)
            fresh = case.infusion_at - at <= timedelta(hours=int(limit))  # type: ignore[arg-type]
            return None if fresh else Unknown(fact, Reason.STALE, f"is more than {limit} hours old")
        anchor = self.before.value(case)
        if not isinstance(anchor, date):
            return next(iter(self.before.unknowns(case)))
        age = (anchor - at).days
        if age <= limit:  # type: ignore[operator]
            return None
        return Unknown(fact, Reason.STALE, f"is {age} days old ({limit} allowed)")


@dataclass(frozen=True)
class Measure:
    """What is compared: a term, or its margin over another; with an age limit, also the value of any age."""

    left: Term
    right: Term | None = None
    age: AgeLimit | None = None

    def take(self, case: Case) -> tuple[Scaled, Scaled]:
        """The value that may clear, and the value of any age."""
        left = self.left.value(case)
        if left is None:
            return None, None
        if self.right is None:
            value = _scaled(left, self.left.whole)
        else:
            right = self.right.value(case)
            if right is None:
                return None, None
            whole = self.left.whole and isinstance(right, int)
            value = _scaled(left - right, whole)  # type: ignore[operator]
        if self.age is not None and self._objection(case) is not None:
            return None, value
        return value, value

    @property
    def fact(self) -> str:
        """The fact whose age is limited."""
        assert isinstance(self.left, FactValue)
        return self.left.fact

    def _objection(self, case: Case) -> Unknown | None:
        return self.age.objection(self.fact, case) if self.age is not None else None

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        """Why the value that may clear is unknown."""
        if self.left.value(case) is None:
            yield from self.left.unknowns(case)
        elif (objection := self._objection(case)) is not None:
            yield objection
        if self.right is not None and self.right.value(case) is None:
            yield from self.right.unknowns(case)

    @cached_property
    def facts(self) -> frozenset[str]:
        """The names of the facts it reads, whichever way."""
        return frozenset(name for term in self.terms() for name in term.facts())

    @cached_property
    def readers(self) -> tuple[Any, ...]:
        """The terms in it that read a fact or the region."""
        return tuple(_readers(self.terms()))

    def terms(self) -> tuple[Term, ...]:
        """The terms it is made of, those of its age limit included."""
        age = (self.age.limit, self.age.before) if self.age else ()
        return (self.left, *((self.right,) if self.right else ()), *age)


def _readers(terms: tuple[Term, ...]) -> Iterator[Term]:
    for term in terms:
        if isinstance(term, FactValue | Entry | Region):
            yield term
        yield from _readers(term.inputs())


def _scaled(value: Measured, whole: bool) -> Scaled:
    if isinstance(value, str):
        return value
    if whole:
        return int(value)  # type: ignore[arg-type]
    return int((Decimal(value) * _SCALE).to_integral_value(ROUND_HALF_EVEN))  # type: ignore[arg-type]


class Condition:
    """A statement about the patient that holds, fails or is unknown."""

    parts: "tuple[Condition, ...]" = ()

    def truth(self, values: Values) -> Truth:
        """Its truth, given the measured values."""
        raise NotImplementedError

    def settled(self, values: Values) -> "tuple[Truth, list[Criterion]]":
        """Its truth, and the criteria that settle it: the parts whose truth is the whole's, and theirs."""
        raise NotImplementedError

    def criteria(self) -> "Iterator[Criterion]":
        """Every criterion in it."""
        for part in self.parts:
            yield from part.criteria()

    @cached_property
    def _every_criterion(self) -> "tuple[Criterion, ...]":
        return tuple(self.criteria())

    def holds(self, case: Case) -> bool:
        """Whether it certainly holds, measured on the spot (for conditions inside terms)."""
        values: dict[int, Scaled] = {}
        for criterion in self._every_criterion:
            values[criterion.fresh], values[criterion.old] = criterion.measure.take(case)
        return self.truth(values) is TRUE  # type: ignore[arg-type]

    def facts(self) -> Iterator[str]:
        """The names of the facts it reads."""
        for criterion in self.criteria():
            for term in criterion.measure.terms():
                yield from term.facts()


@dataclass(frozen=True, eq=False)
class Criterion(Condition):
    """One question to one value. `fresh` and `old` are its places among the measured values.

    `subject` and `object` are its words with labels, `name` the fact or quantity it asks about.
    """

    measure: Measure
    operator: Operator
    operand: Scaled | frozenset[str]
    against: Truth
    fresh: int
    old: int
    name: str
    subject: str
    object: str

    def truth(self, values: Values) -> Truth:
        value = values[self.fresh]
        if value is not None:
            return TRUE if self.operator.test(value, self.operand) else FALSE
        if self.old != self.fresh:
            value = values[self.old]
            if value is not None and self.operator.test(value, self.operand) is (self.against is TRUE):
                return self.against
        return UNKNOWN

    def settled(self, values: Values) -> "tuple[Truth, list[Criterion]]":
        return self.truth(values), [self]

    def criteria(self) -> "Iterator[Criterion]":
        yield self

    def says(self, truth: Truth = TRUE, *, ids: bool = False) -> str:
        """The criterion as a statement, negated where it fails; with fact ids, or labels."""
        verb = self.operator.negated if truth is FALSE else self.operator.says
        return f"{self.name if ids else self.subject} {verb} {self.object}".strip()

    @property
    def constant(self) -> bool:
        """Whether the value is compared with a number or code of the rule itself."""
        return self.measure.right is None or isinstance(self.measure.right, Constant)

    @property
    def collected(self) -> bool:
        """Whether it is about the date of a result rather than its value."""
        return isinstance(self.measure.left, CollectedOn)


def _settled(parts: "tuple[Condition, ...]", values: Values, start: Truth) -> "tuple[Truth, list[Criterion]]":
    """The extreme of the parts (the least for *all*, the greatest for *any*) and what settles it."""
    truth, found = start, []
    for part in parts:
        this, criteria = part.settled(values)
        if this is truth:
            found += criteria
        elif (this < truth) is (start is TRUE):
            truth, found = this, list(criteria)
    return truth, found


@dataclass(frozen=True, eq=False)
class AllOf(Condition):
    """Every part holds."""

    parts: tuple[Condition, ...]

    def truth(self, values: Values) -> Truth:
        truth = TRUE
        for part in self.parts:
            this = part.truth(values)
            if this is FALSE:
                return FALSE
            if this is UNKNOWN:
                truth = UNKNOWN
        return truth

    def settled(self, values: Values) -> tuple[Truth, list[Criterion]]:
        return _settled(self.parts, values, TRUE)


@dataclass(frozen=True, eq=False)
class AnyOf(Condition):
    """At least one part holds."""

    parts: tuple[Condition, ...]

    def truth(self, values: Values) -> Truth:
        truth = FALSE
        for part in self.parts:
            this = part.truth(values)
            if this is TRUE:
                return TRUE
            if this is UNKNOWN:
                truth = UNKNOWN
        return truth

    def settled(self, values: Values) -> tuple[Truth, list[Criterion]]:
        return _settled(self.parts, values, FALSE)


@dataclass(frozen=True, eq=False)
class Not(Condition):
    """The part fails."""

    part: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def truth(self, values: Values) -> Truth:
        return NEGATION[self.part.truth(values)]

    def settled(self, values: Values) -> tuple[Truth, list[Criterion]]:
        truth, criteria = self.part.settled(values)
        return NEGATION[truth], criteria


@dataclass(frozen=True, eq=False)
class Recorded(Condition):
    """The part is on record: what is unknown counts as not recorded, and is never asked for."""

    part: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def truth(self, values: Values) -> Truth:
        return TRUE if self.part.truth(values) is TRUE else FALSE

    def settled(self, values: Values) -> tuple[Truth, list[Criterion]]:
        truth, criteria = self.part.settled(values)
        return (TRUE if truth is TRUE else FALSE), criteria


@dataclass(frozen=True, eq=False)
class Defined(Condition):
    """A shared definition, used by its name."""

    name: str
    label: str
    part: Condition

    @property
    def parts(self) -> tuple[Condition, ...]:  # type: ignore[override]
        return (self.part,)

    def truth(self, values: Values) -> Truth:
        return self.part.truth(values)

    def settled(self, values: Values) -> tuple[Truth, list[Criterion]]:
        return self.part.settled(values)
