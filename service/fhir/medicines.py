"""Medicines of the patient, by orders, statements and administrations: those that are known here."""

from collections.abc import Iterator, Sequence
from datetime import date

from service.fhir import doses, given
from service.fhir.administrations import administrations
from service.fhir.chart import Chart
from service.fhir.medicine_lists import (
    ANTI_INFECTIVES,
    IMMUNOSUPPRESSANTS,
    PREMEDICATIONS,
    TAKEN,
    Recorded,
    purpose,
    recorded,
)
from service.fhir.orders import TYPE, bounds_of, day_in, events_of
from service.fhir.reads import Line, Read, ReadingContext, found, noted
from service.fhir.resources import Resource, code, objects, period, quoted
from service.fhir.searches import OF_MEDICINES

STATEMENT = "MedicationStatement"
_TAKEN, _NOT_SAID = "active", "unknown"
_NO_ORDER = frozenset({"proposal", "option"})
_NOT_TAKEN = frozenset({"n", "not-taken"})


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The lists of medicines, and the doses of the drug of the infusion."""
    every = administrations(chart, context)
    own = [each for each in every if each.of.own or each.of.unclear is not None]
    others = [each for each in every if each not in own]
    yield from doses.read(own, chart, context)
    yield from given.read(others, chart, context)
    strange = [
        each.of
        for each in every
        if not each.of.own
        and not each.of.medicines
        and each.is_given_before(context.infusion_at)
        and each.is_within(given.TAKEN_FOR, context.infusion_at)
    ]
    had = given.classes(others, context)
    for resource in (*chart.of_type(TYPE), *chart.of_type(STATEMENT)):
        if not _is_current(resource):
            continue
        taken = recorded(resource, chart, context)
        if taken.own:
            continue
        if not taken.medicines:
            none_known = list(_none_known(resource, taken, chart, context))
            yield from none_known
            strange.extend([] if none_known else [taken])
        elif code(resource.get("status")) == _NOT_SAID or _is_of_another_time(resource, context):
            for fact in sorted(taken.lists.keys() & TAKEN):
                says = f"{taken.said}: whether it is taken is not known"
                yield noted(taken.name, says, fact, understood=False)
        else:
            yield from _taken(resource, taken, had, chart, context)
    yield from _unlisted(strange)


def _is_current(resource: Resource) -> bool:
    """Whether the patient takes this now, or may."""
    if resource.get("doNotPerform") is True or code(resource.get("intent")) in _NO_ORDER:
        return False
    if {code(resource.get("taken")), code(resource.get("taking"))} & _NOT_TAKEN:
        return False
    return (code(resource.get("status")) or _NOT_SAID) in (_TAKEN, _NOT_SAID)


def _is_of_another_time(resource: Resource, context: ReadingContext) -> bool:
    """Whether it ended before the day of the infusion, or begins after it, although it is called active."""
    bounds = [bounds_of(each) for each in objects(resource.get("dosageInstruction"))]
    known = [each for each in (period(resource.get("effectivePeriod")), *bounds) if any(each)]
    day = context.infusion_at.date()
    return bool(known) and all(
        (end is not None and end.last < day) or (start is not None and start.first > day)
        for start, end in known
    )


def _none_known(resource: Resource, taken: Recorded, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """What a statement says that the patient takes nothing of; only where all of them were searched."""
    early = not chart.has_all(*OF_MEDICINES)
    for key in taken.product.codes if code(resource.get("status")) == _TAKEN else ():
        fact = context.maps.meaning("none_known", key)
        if fact in TAKEN and early:
            says = f"none: {taken.said}, but not all of the record was read"
            yield noted(taken.name, says, fact, understood=False)
        elif fact in TAKEN:
            yield Read(Line(taken.name, fact, f"none: {taken.said}", True), none_known=True)


def _taken(
    resource: Resource, taken: Recorded, had: set[str], chart: Chart, context: ReadingContext
) -> Iterator[Read]:
    """The entries that one order or statement gives to lists."""
    today = PREMEDICATIONS in taken.lists and _is_for_today(resource, context)
    kind = "ordered" if resource.get("resourceType") == TYPE else "taken"
    says = f"{taken.said}, {kind}"
    for fact, entry in taken.lists.items():
        if fact == PREMEDICATIONS:
            if today and entry["class"] not in had:
                yield found(taken.name, fact, f"{says} for this infusion", **entry, status="ordered")
        elif fact == IMMUNOSUPPRESSANTS:
            use = {"use": "premedication"} if today else {}
            yield found(taken.name, fact, says, **{**entry, **use})
        elif fact == ANTI_INFECTIVES:
            yield found(taken.name, fact, says, **entry, **purpose(resource, chart, context.maps))
        else:
            yield found(taken.name, fact, says, **entry)


def _is_for_today(resource: Resource, context: ReadingContext) -> bool:
    """Whether it is ordered for the day of the infusion alone."""
    days: set[date] = set()
    for dosage in objects(resource.get("dosageInstruction")):
        days.update(day_in(each, context.infusion_at) for each in events_of(dosage) if each.at is not None)
        start, end = bounds_of(dosage)
        if start is not None and start.at is not None and end is not None and end.at is not None:
            days.update({day_in(start, context.infusion_at), day_in(end, context.infusion_at)})
    return resource.get("resourceType") == TYPE and days == {context.infusion_at.date()}


def _unlisted(several: Sequence[Recorded]) -> Iterator[Read]:
    """One line for all medicines that are of no list: any of them may belong to one."""
    names = sorted({each.said for each in several})
    if names:
        count = "1 medicine is" if len(names) == 1 else f"{len(names)} medicines are"
        says = f"{count} of no list that is read: {quoted(', '.join(names))}"
        yield Read(Line(min(each.name for each in several), None, says, False), doubts=TAKEN)
