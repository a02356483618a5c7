"""Terms: what a criterion compares. Each one is a value drawn from a case, or unknown.

Values are dates, codes (str), whole numbers (int) and decimals in a canonical unit; None is unknown, and
`unknowns` then names the facts that would settle it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from service.checklist.evidence import Case, Evidence, Reason, Unknown

Measured = str | int | Decimal | date | None


class Guard(Protocol):
    """What a term needs of a condition (see `conditions`): whether it certainly holds, and what it reads."""

    def holds(self, case: Case) -> bool:
        """Whether it certainly holds; unknown does not."""
        ...

    def facts(self) -> Iterator[str]:
        """The names of the facts it reads."""
        ...


class Term:
    """A value drawn from a case. `whole` terms are whole numbers; `moves` tells that time changes them."""

    whole = False
    moves = False

    def value(self, case: Case) -> Measured:
        """The value at this infusion, None where it is unknown."""
        raise NotImplementedError

    def inputs(self) -> "tuple[Term, ...]":
        """The terms this one is made of."""
        return ()

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        """Why the value is unknown: the facts or policy parameters behind it."""
        for term in self.inputs():
            if term.value(case) is None:
                yield from term.unknowns(case)

    def facts(self) -> Iterator[str]:
        """The names of the facts it reads."""
        for term in self.inputs():
            yield from term.facts()

    def policies(self) -> Iterator[str]:
        """The names of the policy parameters it reads."""
        for term in self.inputs():
            yield from term.policies()


@dataclass(frozen=True)
class Constant(Term):
    """A number, code or words written in the rule."""

    amount: str | int | Decimal
    unit: str | None = None

    def value(self, case: Case) -> Measured:
        return self.amount


@dataclass(frozen=True)
class Infusion(Term):
    """The calendar day of the infusion."""

    moves = True

    def value(self, case: Case) -> Measured:
        return case.infusion_at.date()


@dataclass(frozen=True)
class Region(Term):
    """The region whose label applies."""

    def value(self, case: Case) -> Measured:
        return case.region


@dataclass(frozen=True)
class Policy(Term):
    """A parameter of the site's policy; unset is unknown."""

    name: str
    whole: bool = False

    def value(self, case: Case) -> Measured:
        return case.policy.get(self.name)

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        yield Unknown(self.name, Reason.POLICY, "not set in the site's policy")

    def policies(self) -> Iterator[str]:
        yield self.name


@dataclass(frozen=True)
class FactValue(Term):
    """The counted value of a fact (or the counted one before it), in one unit."""

    fact: str
    unit: str | None = None
    before: bool = False
    whole: bool = False

    def evidence(self, case: Case) -> Evidence:
        """The reading behind the value."""
        known = case.evidence(self.fact)
        if not self.before or known.unknown is not None:
            return known
        return known.before or Evidence(
            unknown=Unknown(self.fact, Reason.MISSING, "no earlier result to compare with")
        )

    def value(self, case: Case) -> Measured:
        known = self.evidence(case)
        if known.unit != self.unit or isinstance(known.value, tuple):
            return None
        if isinstance(known.value, str) and self.unit is not None:
            return None
        return known.value

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        known = self.evidence(case)
        yield known.unknown or Unknown(
            self.fact, Reason.MISSING, f"not given in {self.unit}" if self.unit else "answered without a date"
        )

    def facts(self) -> Iterator[str]:
        yield self.fact


@dataclass(frozen=True)
class DateOf(FactValue):
    """The date of a date fact."""

    def value(self, case: Case) -> Measured:
        known = self.evidence(case)
        return known.value if isinstance(known.value, date) else None


@dataclass(frozen=True)
class Word(FactValue):
    """Whether a date or quantity fact was answered with a word (never): that word, else `given`."""

    def value(self, case: Case) -> Measured:
        known = self.evidence(case)
        if known.unknown is not None:
            return None
        return known.value if isinstance(known.value, str) else "given"


@dataclass(frozen=True)
class CollectedOn(FactValue):
    """The day on which the counted result was collected."""

    def value(self, case: Case) -> Measured:
        return self.evidence(case).day

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        yield self.evidence(case).unknown or Unknown(self.fact, Reason.MISSING, "no date")


@dataclass(frozen=True)
class Known(FactValue):
    """1 where the fact is known; unknown otherwise, so that its absence is asked for."""

    whole: bool = True

    def value(self, case: Case) -> Measured:
        known = self.evidence(case)
        return None if known.unknown or known.others else 1

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        known = self.evidence(case)
        yield known.unknown or known.others_unknown(self.fact)


@dataclass(frozen=True)
class Conflicting(FactValue):
    """Unknown where the results of a fact contradict each other, 0 otherwise: a conflict is on record."""

    whole: bool = True

    def value(self, case: Case) -> Measured:
        unknown = self.evidence(case).unknown
        return None if unknown is not None and unknown.reason is Reason.CONFLICT else 0


@dataclass(frozen=True)
class OwnLimit(Term):
    """A multiple of the laboratory's own limit for that very result; without one, `otherwise`."""

    fact: str
    side: str
    times: Decimal
    otherwise: Term | None = None

    def _limit(self, case: Case) -> Decimal | None:
        known = case.evidence(self.fact)
        return known.ref_high if self.side == "upper" else known.ref_low

    def value(self, case: Case) -> Measured:
        limit = self._limit(case)
        if limit is None:
            return self.otherwise.value(case) if self.otherwise else None
        return limit * self.times

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        known = case.evidence(self.fact)
        if known.unknown is None and self.otherwise is not None:
            yield from self.otherwise.unknowns(case)
        else:
            detail = f"no {self.side} limit of the laboratory"
            yield known.unknown or Unknown(self.fact, Reason.MISSING, detail)

    def inputs(self) -> tuple[Term, ...]:
        return (self.otherwise,) if self.otherwise else ()

    def facts(self) -> Iterator[str]:
        yield self.fact
        yield from super().facts()


@dataclass(frozen=True)
class FirstOf(Term):
    """The first alternative whose condition certainly holds and whose value is known."""

    alternatives: tuple[tuple[Guard | None, Term], ...]
    whole: bool = False

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return any(term.moves for _, term in self.alternatives)

    def value(self, case: Case) -> Measured:
        for condition, term in self.alternatives:
            if condition is None or condition.holds(case):
                value = term.value(case)
                if value is not None:
                    return value
        return None

    def inputs(self) -> tuple[Term, ...]:
        return tuple(term for _, term in self.alternatives)

    def facts(self) -> Iterator[str]:
        for condition, term in self.alternatives:
            if condition is not None:
                yield from condition.facts()
            yield from term.facts()
