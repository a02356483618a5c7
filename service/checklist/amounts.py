"""Computed amounts: arithmetic on quantities, body surface area, bands, percentages. Decimal throughout."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from service.checklist.evidence import Case, Reason, Unknown
from service.checklist.terms import Measured, Term

Number = int | Decimal


def _numbers(terms: tuple[Term, ...], case: Case) -> list[Decimal] | None:
    values = [term.value(case) for term in terms]
    if any(value is None or not isinstance(value, Number) for value in values):
        return None
    return [Decimal(value) for value in values]  # type: ignore[arg-type]


@dataclass(frozen=True)
class Arithmetic(Term):
    """Sum, difference, product, ratio, or the percent by which the second exceeds the first."""

    operation: str
    parts: tuple[Term, ...]

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return any(part.moves for part in self.parts)

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return self.operation in ("sum", "difference") and all(
            part.whole or isinstance(getattr(part, "amount", None), int) for part in self.parts
        )

    def value(self, case: Case) -> Measured:
        numbers = _numbers(self.parts, case)
        if numbers is None:
            return None
        first, *rest = numbers
        if self.operation in ("ratio", "percent_change") and (
            0 in rest if self.operation == "ratio" else not first
        ):
            return None
        for number in rest:
            first = self._apply(first, number)
        return int(first) if self.whole else first

    def _apply(self, first: Decimal, second: Decimal) -> Decimal:
        match self.operation:
            case "sum":
                return first + second
            case "difference":
                return first - second
            case "product":
                return first * second
            case "ratio":
                return first / second
            case _:
                return (second - first) * 100 / first

    def inputs(self) -> tuple[Term, ...]:
        return self.parts


@dataclass(frozen=True)
class Percent(Term):
    """A term raised (or lowered) by a percentage."""

    base: Term
    percent: Term
    sign: int

    def value(self, case: Case) -> Measured:
        numbers = _numbers((self.base, self.percent), case)
        return numbers[0] * (100 + self.sign * numbers[1]) / 100 if numbers else None

    def inputs(self) -> tuple[Term, ...]:
        return (self.base, self.percent)


@dataclass(frozen=True)
class BodySurfaceArea(Term):
    """Body surface area in m2 from height in cm and weight in kg.

    Mosteller: sqrt(height x weight / 3600), N Engl J Med 1987;317:1098. Du Bois: 0.007184 x weight^0.425
    x height^0.725, Arch Intern Med 1916;17:863. The policy names the formula.
    """

    height: Term
    weight: Term
    formula: Term

    def value(self, case: Case) -> Measured:
        formula = self.formula.value(case)
        numbers = _numbers((self.height, self.weight), case)
        if numbers is None or formula is None:
            return None
        height, weight = numbers
        if formula == "mosteller":
            return (height * weight / 3600).sqrt()
        return Decimal("0.007184") * weight ** Decimal("0.425") * height ** Decimal("0.725")

    def inputs(self) -> tuple[Term, ...]:
        return (self.height, self.weight, self.formula)


@dataclass(frozen=True)
class Bands(Term):
    """The amount of the band in which another term lies: from (inclusive) to below (exclusive)."""

    by: Term
    bands: tuple[tuple[Decimal | None, Decimal | None, Decimal], ...]

    def value(self, case: Case) -> Measured:
        numbers = _numbers((self.by,), case)
        if numbers is None:
            return None
        for start, below, amount in self.bands:
            if (start is None or numbers[0] >= start) and (below is None or numbers[0] < below):
                return amount
        return None

    def unknowns(self, case: Case) -> Iterator[Unknown]:
        if self.by.value(case) is None:
            yield from self.by.unknowns(case)
            return
        for name in dict.fromkeys(self.by.facts()):
            yield Unknown(name, Reason.MISSING, "in none of the bands")

    def inputs(self) -> tuple[Term, ...]:
        return (self.by,)


@dataclass(frozen=True)
class Named(Term):
    """A term with a name and a label of its own (`quantities:`), so that rules and traces can say it."""

    name: str
    label: str
    unit: str | None
    term: Term

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return self.term.whole

    @property
    def moves(self) -> bool:  # type: ignore[override]
        return self.term.moves

    def value(self, case: Case) -> Measured:
        return self.term.value(case)

    def inputs(self) -> tuple[Term, ...]:
        return (self.term,)

    def facts(self) -> Iterator[str]:
        yield from self.term.facts()
