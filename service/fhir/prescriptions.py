"""What the order of an infusion says of it: indication, dose, route, time of running, slot."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from service.checklist.facts import FactDefinition
from service.fhir.chart import Chart
from service.fhir.drugs import medication, named
from service.fhir.lifetimes import in_life
from service.fhir.orders import day_in, events_of, name_of
from service.fhir.reads import Read, ReadingContext, found, noted, unreadable
from service.fhir.resources import (
    Resource,
    called,
    keys,
    number,
    objects,
    plain_codes,
    quoted,
    text,
    words,
)
from service.fhir.statements import CHANGED, is_changed
from service.fhir.timings import is_several_doses, of_the_day, unread_times
from service.fhir.values import Value, measured
from service.knowledge.code_maps import CodeMaps, Key, Statement

DOSE, ROUTE, MINUTES, SLOT, INDICATION = (
    *("ordered_dose", "route", "infusion_minutes", "scheduled_on"),
    "indication",
)
# What the list of routes calls the vein where it is not said how: no answer alone, one with a running time.
_BY_VEIN = "intravenous"
_IN_MINUTES = {"s": Fraction(1, 60), "min": Fraction(1), "h": Fraction(60)}

_ROUNDED = Decimal("0.1")  # part of a dose by which what was calculated is rounded at most
Amount = tuple[Decimal, str]  # in a canonical unit


class _Unreadable(Exception):
    """There is something, and it cannot be read: what it is, in words."""


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The facts of the order of this infusion."""
    order = context.order
    if order is None:
        return
    name = name_of(order, chart)
    product = medication(order, chart.resolve, context.maps)
    if named(product, (context.pack,), context.maps).drug is not context.pack:
        yield unreadable(name, DOSE, f"is for {product.said or 'no medicine'}, not for {context.pack.title}")
        return
    yield from _indication(order, name, chart, context.maps)
    dosages = objects(order.get("dosageInstruction"))
    if is_changed(order) or any(map(is_changed, dosages)):
        yield unreadable(name, DOSE, CHANGED)
        return
    if not dosages:
        yield noted(name, "says neither dose nor route", DOSE, understood=False)
        return
    yield from _slot(dosages, name, chart, context)
    chosen = of_the_day(dosages, context.infusion_at)
    yield from _guarded(name, DOSE, _dose(chosen, name, context))
    yield from _guarded(name, ROUTE, _route(chosen, name, context))
    yield from _guarded(name, MINUTES, _minutes(chosen, name, context))


def _guarded(name: str, fact: str, reads: Iterator[Read]) -> Iterator[Read]:
    try:
        yield from reads
    except _Unreadable as why:
        yield unreadable(name, fact, str(why))


# Indication


def _indication(order: Resource, name: str, chart: Chart, maps: CodeMaps) -> Iterator[Read]:
    """Why it is ordered, by code. A reason in words only is not read: words about two diseases look alike."""
    reasons: dict[str, str] = {}
    for concept, where, doubt in _reasons(order, name, chart):
        says = f"ordered for {called(concept) or 'a reason without a name'}"
        meant = [each for key in keys(concept, maps) if (each := _meant(key, maps)) is not None]
        values = {each.value for each in meant if each.value is not None and doubt is None}
        why = doubt or next((each.unreadable for each in meant if each.unreadable), None)
        if not values:
            yield noted(where, f"{says}: {why or 'not a known code'}", INDICATION, understood=False)
        for value in values:
            reasons.setdefault(value, says)
    if len(reasons) > 1:
        yield unreadable(name, INDICATION, f"several reasons: {', '.join(sorted(reasons))}")
        return
    for value, says in reasons.items():
        yield found(name, INDICATION, f"{value}: {says}", value=value)


def _reasons(order: Resource, name: str, chart: Chart) -> Iterator[tuple[Any, str, str | None]]:
    """What it is ordered for, where that is said, and why it is not sure."""
    for concept in objects(order.get("reasonCode")):
        yield concept, name, None
    for pointer in objects(order.get("reasonReference")):
        condition = chart.resolve(pointer, order)
        if condition is None:
            yield {"text": text(pointer.get("display"))}, name, None
        elif condition.get("resourceType") == "Condition":
            verified = plain_codes(condition.get("verificationStatus"))
            unsure = verified - {"confirmed"}
            if not verified or not verified <= {"refuted", "entered-in-error"}:
                doubt = f"{' and '.join(sorted(unsure))}, not confirmed" if unsure else None
                yield condition.get("code"), chart.name(condition), doubt


def _meant(key: Key, maps: CodeMaps) -> Statement | None:
    return next((each for each in maps.conditions.of(key) if each.fact == INDICATION), None)


# Dose


def _dose(dosages: Sequence[Resource], name: str, context: ReadingContext) -> Iterator[Read]:
    definition = context.vocabulary[DOSE]
    doses: dict[Amount, Value] = {}
    for dosage in dosages:
        of_this = list(_doses(dosage, definition, context.maps))
        doses.update((_canonical(dose, definition), dose) for dose in reversed(of_this))
        if len(dosages) > 1 and not of_this:
            raise _Unreadable("says a part of the dose without an amount")
    if len(doses) > 1 or (doses and is_several_doses(dosages, context.infusion_at)):
        raise _Unreadable("says several doses")
    for dose in doses.values():
        yield found(name, DOSE, dose.says, value=dose.value, unit=dose.unit)


def _doses(dosage: Resource, definition: FactDefinition, maps: CodeMaps) -> Iterator[Value]:
    given = _preferred(objects(dosage.get("doseAndRate")))
    if any("doseRange" in each for each in given):
        raise _Unreadable("says a range of doses")
    quantities = [each for dose in given for each in objects(dose.get("doseQuantity"))]
    if not quantities and (said := text(dosage.get("text"))) is not None:
        raise _Unreadable(f'says the dose in words only: "{quoted(said)}"')
    kinds = [frozenset(plain_codes(each.get("type"))) for each in given if each.get("doseQuantity")]
    if len(quantities) > len(set(kinds)):
        raise _Unreadable("says several doses")
    every = [measured(each, definition, maps) for each in quantities]
    for dose in every:
        if dose.unreadable is not None:
            raise _Unreadable(dose.unreadable)
        other = _calculated_otherwise(dose, dosage, definition, maps)
        if other is not None:
            raise _Unreadable(f"says {dose.says} as ordered and {other.says} as calculated")
        yield dose


def _preferred(given: list[Resource]) -> list[Resource]:
    """The dose that was ordered, where one that was calculated stands beside it."""
    ordered = [each for each in given if "ordered" in plain_codes(each.get("type"))]
    return ordered or given


def _calculated_otherwise(
    dose: Value, dosage: Resource, definition: FactDefinition, maps: CodeMaps
) -> Value | None:
    """Another amount beside the one that was ordered, further from it than a dose is rounded."""
    amount, unit = _canonical(dose, definition)
    for each in objects(dosage.get("doseAndRate")):
        for quantity in objects(each.get("doseQuantity")):
            other = measured(quantity, definition, maps)
            if other.unreadable is None:
                of_other, other_unit = _canonical(other, definition)
                if other_unit == unit and abs(of_other - amount) > amount * _ROUNDED:
                    return other
    return None


def _canonical(dose: Value, definition: FactDefinition) -> Amount:
    unit = definition.units[dose.unit or ""]
    return unit.convert(Decimal(dose.value or 0)), unit.canonical


# Route and running time


def _route(dosages: Sequence[Resource], name: str, context: ReadingContext) -> Iterator[Read]:
    known = context.vocabulary[ROUTE].values
    meant: set[str] = set()
    said: list[str] = []
    for dosage in dosages:
        of_this = {each for key in ("route", "method") if (each := _way(dosage.get(key), context.maps))}
        exact = of_this & known.keys()
        if not exact and _BY_VEIN in of_this and _running(dosage):
            exact = {"iv_infusion"}
        here = [each for key in ("route", "method") if (each := called(dosage.get(key)))]
        if not exact and here:
            raise _Unreadable(f'says "{quoted(", ".join(here))}", which does not tell the route')
        meant |= exact
        said.extend(here)
    if len(meant) > 1:
        raise _Unreadable(f"says several routes: {', '.join(sorted(meant))}")
    for value in meant:
        yield found(name, ROUTE, f"{known[value]}: {', '.join(dict.fromkeys(said))}", value=value)


def _way(concept: Any, maps: CodeMaps) -> str | None:
    by_code = (maps.meaning(ROUTE, key) for key in keys(concept, maps))
    by_text = (maps.meaning(ROUTE, text=said) for said in words(concept))
    return next((each for each in (*by_code, *by_text) if each), None)


def _running(dosage: Resource) -> bool:
    rates = any(key.startswith("rate") for dose in objects(dosage.get("doseAndRate")) for key in dose)
    return rates or any("duration" in repeat for repeat in _repeats(dosage))


def _repeats(dosage: Resource) -> list[Resource]:
    return [each for timing in objects(dosage.get("timing")) for each in objects(timing.get("repeat"))]


def _minutes(dosages: Sequence[Resource], name: str, context: ReadingContext) -> Iterator[Read]:
    definition = context.vocabulary[MINUTES]
    times = {each for dosage in dosages for each in (*_durations(dosage), *_by_rate(dosage, context))}
    if len(times) > 1:
        raise _Unreadable("says several running times")
    for minutes in times:
        if not Fraction(definition.low or 0) <= minutes <= Fraction(definition.high or 0):
            raise _Unreadable("runs for a time that cannot be")
        if minutes.denominator != 1:
            raise _Unreadable(f"runs for {float(minutes):.4g} minutes, which is no whole number")
        yield found(name, MINUTES, f"{int(minutes)} minutes", value=int(minutes))


def _durations(dosage: Resource) -> Iterator[Fraction]:
    for repeat in _repeats(dosage):
        amount = number(repeat.get("duration"))
        if "duration" not in repeat:
            continue
        unit = _IN_MINUTES.get(text(repeat.get("durationUnit")) or "")
        most = number(repeat.get("durationMax"))
        if amount is None or unit is None or most not in (None, amount):
            raise _Unreadable("says a running time that is no single time in minutes or hours")
        yield Fraction(amount) * unit


def _by_rate(dosage: Resource, context: ReadingContext) -> Iterator[Fraction]:
    """How long the dose takes at its rate, where both are amounts of the drug."""
    definition = context.vocabulary[DOSE]
    for given in _preferred(objects(dosage.get("doseAndRate"))):
        for ratio in objects(given.get("rateRatio")):
            dose = measured(given.get("doseQuantity"), definition, context.maps)
            part = measured(ratio.get("numerator"), definition, context.maps)
            time = next(iter(objects(ratio.get("denominator"))), {})
            unit, count = _IN_MINUTES.get(text(time.get("code")) or ""), number(time.get("value"))
            if dose.unreadable or part.unreadable or unit is None or count is None:
                continue
            (whole, of), (each, of_each) = _canonical(dose, definition), _canonical(part, definition)
            if of == of_each:
                yield Fraction(whole) / Fraction(each) * Fraction(count) * unit


# Slot


def _slot(dosages: Sequence[Resource], name: str, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The day for which the dose was ordered, where it is another one than that of the infusion.

    Being ordered for this day does not say when it was due: the order may have been moved with the visit.
    """
    if any(map(unread_times, dosages)):
        yield noted(name, "says a time that cannot be read", SLOT, understood=False)
    events = [in_life(each, chart, context.infusion_at) for dosage in dosages for each in events_of(dosage)]
    days = {day_in(each, context.infusion_at) for each in events if each is not None and each.at is not None}
    if not days or context.infusion_at.date() in days:
        return
    if len(days) > 1:
        yield noted(name, "is for several days, none of them that of the infusion", SLOT, understood=False)
        return
    day = days.pop().isoformat()
    yield found(name, SLOT, f"was ordered for {day}", value=day)
