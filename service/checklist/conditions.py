"""Conditions: criteria joined by *all*, *any*, *not*, and *recorded*, in three-valued logic.

A condition's truth is a pure function of the measured values, so the engine, the trace, the questions and
the advice all read the same numbers. A criterion with an age limit lets old evidence hold an infusion but
never clear one: a stale value counts only where it counts against the infusion (`against`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from service.checklist.evidence import Case
from service.checklist.measures import Measure, Scaled
from service.checklist.operators import Operator
from service.checklist.terms import CollectedOn, Constant
from service.checklist.truth import FALSE, NEGATION, TRUE, UNKNOWN, Truth

Values = Sequence[Scaled]


class Condition:
    """A statement about the patient that holds, fails or is unknown."""

    parts: "tuple[Condition, ...]" = ()

    def truth(self, values: Values) -> Truth:
        """Its truth, given the measured values."""
        raise NotImplementedError

    def settled(self, values: Values) -> "tuple[Truth, Sequence[Criterion]]":
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

    def settled(self, values: Values) -> "tuple[Truth, Sequence[Criterion]]":
        return self.truth(values), self._alone

    @cached_property
    def _alone(self) -> "tuple[Criterion]":
        return (self,)

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


def _settled(
    parts: "tuple[Condition, ...]", values: Values, start: Truth
) -> "tuple[Truth, Sequence[Criterion]]":
    """The extreme of the parts (the least for *all*, the greatest for *any*) and what settles it."""
    truth, found = start, list[Criterion]()
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

    def settled(self, values: Values) -> tuple[Truth, Sequence[Criterion]]:
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

    def settled(self, values: Values) -> tuple[Truth, Sequence[Criterion]]:
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

    def settled(self, values: Values) -> tuple[Truth, Sequence[Criterion]]:
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

    def settled(self, values: Values) -> tuple[Truth, Sequence[Criterion]]:
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

    def settled(self, values: Values) -> tuple[Truth, Sequence[Criterion]]:
        return self.part.settled(values)
