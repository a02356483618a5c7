"""Looking into a list: is there an entry that meets several conditions at once?

An entry's missing field is unknown, so an entry may certainly match, certainly not, or possibly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from service.checklist.calendar import minutes_between
from service.checklist.evidence import Case, Reason, Unknown, day_of
from service.checklist.facts import Item
from service.checklist.operators import Operator
from service.checklist.terms import Measured, Term
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth


@dataclass(frozen=True)
class FieldTest:
    """One field of an entry compared with codes, or with names in any case (`folded`)."""

    field: str
    operator: Operator
    operand: str | frozenset[str]
    says: str
    folded: bool = False

    def truth(self, item: Item, case: Case) -> Truth:
        """Whether it holds of an entry."""
        value = item.get(self.field)
        if value is None:
            return UNKNOWN
        return TRUE if self.operator.test(value.casefold() if self.folded else value, self.operand) else FALSE

    def terms(self) -> tuple[Term, ...]:
        """The terms it compares with."""
        return ()


@dataclass(frozen=True)
class TimeTest:
    """How long before a moment an entry's date or time lies, in whole `unit` (days or minutes)."""

    field: str
    unit: str
    to: Term
    operator: Operator
    operand: Term
    says: str

    def amount(self, item: Item, case: Case) -> int | None:
        """The days or minutes before the moment; negative where it lies after."""
        at = item.get(self.field)
        if at is None:
            return None
        if self.unit == "minutes":
            return minutes_between(at, case.infusion_at) if isinstance(at, datetime) else None
        anchor = self.to.value(case)
        return (anchor - day_of(at, case.infusion_at.tzinfo)).days if isinstance(anchor, date) else None

    def truth(self, item: Item, case: Case) -> Truth:
        """Whether it holds of an entry."""
        amount, operand = self.amount(item, case), self.operand.value(case)
        if amount is None or operand is None:
            return UNKNOWN
        return TRUE if self.operator.test(amount, operand) else FALSE

    def terms(self) -> tuple[Term, ...]:
        """The terms it compares with."""
        return (self.to, self.operand)


@dataclass(frozen=True)
class Entry(Term):
    """1 where an entry of the list certainly meets every test, 0 where none can, else unknown."""

    fact: str
    tests: tuple[FieldTest | TimeTest, ...]
    whole = True

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return any(isinstance(test, TimeTest) for test in self.tests)

    def value(self, case: Case) -> Measured:
        known = case.evidence(self.fact)
        items: Any = known.value
        if items is None:
            return None
        best = UNKNOWN if known.others else FALSE
        for item in items:
            truth = self.truth(item, case)
            if truth is TRUE:
                return 1
            if truth is UNKNOWN:
                best = UNKNOWN
        return 0 if best is FALSE else None

    def truth(self, item: Any, case: Case) -> Truth:
        """Whether one entry meets every test."""
        truth = TRUE
        for test in self.tests:
            this = test.truth({"value": item} if isinstance(item, str) else item, case)
            if this is FALSE:
                return FALSE
            truth = min(truth, this)
        return truth

    def entries(self, case: Case, truth: Truth) -> list[Any]:
        """The entries of which the tests have this truth."""
        items: Any = case.evidence(self.fact).value or ()
        return [item for item in items if self.truth(item, case) is truth]

    def inputs(self) -> tuple[Term, ...]:
        return tuple(term for test in self.tests for term in test.terms())

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        known = case.evidence(self.fact)
        if known.unknown is not None:
            yield known.unknown
            return
        yield from super().unknowns(case)
        open_fields = {
            test.field
            for item in self.entries(case, UNKNOWN)
            for test in self.tests
            if (item if isinstance(item, str) else item.get(test.field)) is None
            or (isinstance(test, TimeTest) and test.unit == "minutes" and test.amount(item, case) is None)
        }
        if known.others:
            yield known.others_unknown(self.fact)
        if open_fields:
            names = " and ".join(
                sorted(case.vocabulary[self.fact].fields[name].label for name in open_fields)
            )
            yield Unknown(self.fact, Reason.MISSING, f"an entry without {names}")

    def facts(self) -> Iterator[str]:
        yield self.fact
        yield from super().facts()


def flip_amounts(entry: Entry, case: Case) -> Iterator[int]:
    """Days after which a time test of an entry may change its answer."""
    items: Any = case.evidence(entry.fact).value or ()
    for test in entry.tests:
        if not isinstance(test, TimeTest) or test.unit != "days":
            continue
        operand = test.operand.value(case)
        for item in items:
            amount = test.amount(item, case)
            if amount is not None and isinstance(operand, int | Decimal):
                yield int(operand) - amount
