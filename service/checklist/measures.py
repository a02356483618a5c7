"""Measures: the one number or code that a criterion compares, as the engine, trace and advice all see it.

A code is text, a whole number is itself, a decimal is a whole number of billionths: exact in the engine's
64-bit integers, with no binary floating point anywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from service.checklist.evidence import Case, Reason, Unknown
from service.checklist.lists import Entry
from service.checklist.terms import FactValue, Measured, Region, Term

Scaled = str | int | None
SCALE = 10**9
_SCALE = Decimal(SCALE)


@dataclass(frozen=True)
class AgeLimit:
    """How old evidence may be: `limit` in days (or hours), counted back from the date `before`."""

    limit: Term
    before: Term
    hours: bool = False

    def objection(self, term: FactValue, case: Case) -> Unknown | None:
        """Why the counted reading is too old to clear, or None."""
        limit = self.limit.value(case)
        if limit is None:
            return next(iter(self.limit.unknowns(case)))
        fact, known = term.fact, term.evidence(case)
        at = known.value if isinstance(known.value, date) else known.at if self.hours else known.day
        if not isinstance(at, date):
            return Unknown(fact, Reason.MISSING, "no date")
        if self.hours:
            if not isinstance(at, datetime):
                at = datetime(at.year, at.month, at.day, tzinfo=case.infusion_at.tzinfo)
            fresh = case.infusion_at - at <= timedelta(hours=int(limit))  # type: ignore[arg-type]
            return None if fresh else Unknown(fact, Reason.STALE, f"more than {limit} hours old")
        anchor = self.before.value(case)
        if not isinstance(anchor, date):
            return next(iter(self.before.unknowns(case)))
        age = (anchor - at).days
        if age <= limit:  # type: ignore[operator]
            return None
        return Unknown(fact, Reason.STALE, f"{age} days old ({limit} allowed)")


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
            value = _scaled(left - right, whole)  # type: ignore[operator, arg-type]
        if self.age is not None and self._objection(case) is not None:
            return None, value
        return value, value

    def _objection(self, case: Case) -> Unknown | None:
        if self.age is None or not isinstance(self.left, FactValue):
            return None
        return self.age.objection(self.left, case)

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
