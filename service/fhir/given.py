"""Other medicines that were given: premedication, what may still work, and the days of some."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from service.fhir.administrations import GIVEN, NOT_GIVEN, Administration
from service.fhir.chart import Chart
from service.fhir.medicine_lists import ANTI_INFECTIVES, IMMUNOSUPPRESSANTS, PREMEDICATIONS, purpose
from service.fhir.reads import Read, ReadingContext, found, noted

_BEFORE_INFUSION = timedelta(hours=24)
# How long something that was given is listed as taken. A list from administrations is never the whole of it.
TAKEN_FOR, _WEAKENS_FOR = timedelta(days=30), timedelta(days=365)


def read(every: Sequence[Administration], chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The facts of administrations of other medicines than the drug of the infusion."""
    for each in every:
        yield from _given(each, chart, context)
    yield from _dates(every, context.infusion_at)


def classes(every: Sequence[Administration], context: ReadingContext) -> set[str]:
    """The classes of premedication that were given for this infusion."""
    return {
        each.of.lists[PREMEDICATIONS]["class"]
        for each in every
        if PREMEDICATIONS in each.of.lists and _is_premedication(each, context.infusion_at)
    }


def _is_premedication(given: Administration, infusion_at: datetime) -> bool:
    return given.is_given_before(infusion_at) and given.is_within(_BEFORE_INFUSION, infusion_at)


def _given(given: Administration, chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The entries that one gives to lists."""
    name, infusion_at = given.of.name, context.infusion_at
    if given.status == NOT_GIVEN or not given.of.lists:
        return
    if not given.is_given_before(infusion_at):
        yield from _not_counted(given, infusion_at)
        return
    today = PREMEDICATIONS in given.of.lists and _is_premedication(given, infusion_at)
    says = f"{given.of.said}, given {given.when}"
    for fact, entry in given.of.lists.items():
        if fact == PREMEDICATIONS:
            if today and given.at is not None:
                yield found(name, fact, says, **entry, at=given.at.written, status="given")
        elif fact == IMMUNOSUPPRESSANTS and today:
            yield found(name, fact, f"{says} before this infusion", **entry, use="premedication")
        elif fact == IMMUNOSUPPRESSANTS and PREMEDICATIONS in given.of.lists:
            if given.is_within(TAKEN_FOR, infusion_at):
                unsure = f"{says}: whether it is taken for long is not known"
                yield noted(name, unsure, fact, understood=False)
        elif given.is_within(_WEAKENS_FOR if fact == IMMUNOSUPPRESSANTS else TAKEN_FOR, infusion_at):
            more = purpose(given.resource, chart, context.maps) if fact == ANTI_INFECTIVES else {}
            yield found(name, fact, says, **entry, **more)


def _not_counted(given: Administration, infusion_at: datetime) -> Iterator[Read]:
    """What was perhaps given: it makes no entry, and the lists are not known to be complete."""
    if given.at is not None and given.at.last < (infusion_at - _WEAKENS_FOR).date():
        return
    why = f"given {given.when}" if given.status == GIVEN else f"{given.status} {given.when}"
    late = " (after the infusion)" if not given.may_be(infusion_at) else ""
    for fact in given.of.lists:
        yield noted(given.of.name, f"{given.of.said}, {why}{late}: not counted", fact, understood=False)


def _dates(every: Sequence[Administration], infusion_at: datetime) -> Iterator[Read]:
    """The facts that are the day on which something was last given."""
    for fact in sorted({each_fact for each in every for each_fact in each.of.dates}):
        of_this = [each for each in every if fact in each.of.dates]
        days = {_day(each, infusion_at): each for each in of_this if each.is_given_before(infusion_at)}
        newest = max(days, default=date.min)
        newer = [
            each
            for each in of_this
            if each.may_be(infusion_at) and (each.at is None or each.at.last > newest)
        ]
        for each in newer:
            says = f"{each.of.said}, {each.status} {each.when}: not counted"
            yield noted(each.of.name, says, fact, understood=False)
        if days and not newer:
            last = days[newest].of
            yield found(last.name, fact, f"{last.said}, given on {newest}", value=newest.isoformat())


def _day(given: Administration, infusion_at: datetime) -> date:
    return given.day(infusion_at) or date.min
