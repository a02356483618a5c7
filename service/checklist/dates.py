"""Terms about dates: a date later than another, the days or years between two."""

from dataclasses import dataclass
from datetime import date

from service.checklist import calendar
from service.checklist.evidence import Case
from service.checklist.terms import Measured, Term


@dataclass(frozen=True)
class Later(Term):
    """A date some months, or days, after another."""

    start: Term
    months: int = 0
    days: int = 0

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return self.start.moves

    def value(self, case: Case) -> Measured:
        start = self.start.value(case)
        return calendar.plus(start, months=self.months, days=self.days) if isinstance(start, date) else None

    def inputs(self) -> tuple[Term, ...]:
        return (self.start,)


@dataclass(frozen=True)
class Days(Term):
    """Whole calendar days from one date to another; negative where the second comes first."""

    start: Term
    end: Term
    whole = True

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return self.start.moves or self.end.moves

    def value(self, case: Case) -> Measured:
        start, end = self.start.value(case), self.end.value(case)
        return (end - start).days if isinstance(start, date) and isinstance(end, date) else None

    def inputs(self) -> tuple[Term, ...]:
        return (self.start, self.end)


@dataclass(frozen=True)
class Years(Term):
    """Completed years from a birth date to another date."""

    start: Term
    end: Term
    whole = True

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return self.end.moves

    def value(self, case: Case) -> Measured:
        start, end = self.start.value(case), self.end.value(case)
        if isinstance(start, date) and isinstance(end, date):
            return calendar.years_between(start, end)
        return None

    def inputs(self) -> tuple[Term, ...]:
        return (self.start, self.end)
