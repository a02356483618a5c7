"""The doses of the drug itself that were given: the first, the last, and which one this is."""

from collections.abc import Iterator, Sequence
from datetime import date

from service.fhir.administrations import NOT_GIVEN, Administration
from service.fhir.chart import COMPLETE, FAILED, INCOMPLETE, Chart
from service.fhir.reads import Read, ReadingContext, found, noted

SEARCH = "administrations"
NUMBER, FIRST, LAST = "dose_number", "first_dose_on", "last_dose_on"


def read(every: Sequence[Administration], chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """The facts of the administrations of the drug, those that may be of it among them."""
    at = context.infusion_at
    counted: dict[date, Administration] = {}
    for each in every:
        day = each.day(at)
        if each.of.own and day is not None and each.is_given_before(at):
            counted.setdefault(day, each)
    open_ones = [
        each for each in every if each not in counted.values() and _may_be_a_dose(each, counted, context)
    ]
    for each in open_ones:
        why = each.of.unclear or f"{each.status} {each.when}"
        yield noted(each.of.name, f"may be an earlier dose, not counted: {why}", NUMBER, understood=False)
    if not counted:
        return
    state = chart.searched.get(SEARCH)
    if state in (INCOMPLETE, FAILED):
        says = f"{_several(len(counted))} found, but the search for them is {state}"
        yield noted(counted[max(counted)].of.name, says, NUMBER, understood=False)
        return
    yield from _ends(counted, open_ones)
    name = counted[max(counted)].of.name
    if state == COMPLETE and not open_ones:
        number = len(counted) + 1
        says = f"dose {number}: {_several(len(counted))} found, one a day counted"
        yield found(name, NUMBER, says, value=number)
    elif not open_ones:
        says = f"{_several(len(counted))} found; whether these are all is not known"
        yield noted(name, says, NUMBER, understood=False)


def _may_be_a_dose(
    each: Administration, counted: dict[date, Administration], context: ReadingContext
) -> bool:
    """Whether it may be a dose on a day that is not counted."""
    today = context.infusion_at.date()
    day = each.day(context.infusion_at)
    if day in counted or (each.status == "in-progress" and day == today):
        return False
    if each.of.unclear is not None:
        return each.status != NOT_GIVEN and (each.at is None or each.at.first <= today)
    return each.may_be(context.infusion_at)


def _ends(counted: dict[date, Administration], open_ones: Sequence[Administration]) -> Iterator[Read]:
    """The first and the last dose, where none that is not counted may lie before or after."""
    first, last = min(counted), max(counted)
    if not any(each.at is None or each.at.first < first for each in open_ones):
        yield found(counted[first].of.name, FIRST, f"first dose found: {first}", value=first.isoformat())
    if not any(each.at is None or each.at.last > last for each in open_ones):
        yield found(counted[last].of.name, LAST, f"last dose found: {last}", value=last.isoformat())


def _several(count: int) -> str:
    return "1 dose" if count == 1 else f"{count} doses"
