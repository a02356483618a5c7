"""Lists that are charted by class, as premedications are: one row a class, each given, ordered or waived.

Such a list has a required code (the class), and entries that count only when they are given in time.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from service.checklist.facts import FactDefinition, FieldDefinition
from service.pages.answers.asked import Asked
from service.pages.answers.form import NOW, Sheet
from service.pages.answers.given import is_day
from service.pages.texts import gettext

GIVEN_AT, DATE, CLOCK = "at", "date", "time"
BEFORE_IT = timedelta(days=1)  # what was given longer before an infusion was for another one


@dataclass(frozen=True)
class Chart:
    """The fields of such a list: the class, the time, and the status with the one that says given."""

    by: FieldDefinition
    time: str
    status: FieldDefinition
    given: str

    def is_given(self, entry: dict[str, Any]) -> bool:
        """Whether an entry says that it was given."""
        return bool(entry.get(self.status.name, self.status.default) == self.given)

    def is_for(self, entry: dict[str, Any], infusion_at: datetime) -> bool:
        """Whether an entry can be about this infusion, as far as its time tells."""
        at, earliest = entry.get(self.time), infusion_at - BEFORE_IT
        if not at:
            return True
        if is_day(at):
            return date.fromisoformat(at) >= earliest.date()
        return datetime.fromisoformat(at.upper()) >= earliest


def chart_of(definition: FactDefinition) -> Chart | None:
    """How a list is charted by class, if it is one of those."""
    timing = definition.ignored_after_infusion
    by = next((each for each in definition.fields.values() if each.required and each.type == "code"), None)
    if timing is None or by is None or len(timing.when) != 1:
        return None
    [(status, given)] = timing.when.items()
    return Chart(by, timing.field, definition.fields[status], given)


def charted(chart: Chart, sheet: Sheet, asked: Asked, entries: list[Any]) -> list[Any] | None:
    """The entries with what was charted in one row; None where it was refused or nothing was pressed."""
    pressed = [name for name in chart.by.values if sheet.said(name)]
    if len(pressed) != 1:
        sheet.refuse("value", gettext("Choose an answer."))
        return None
    row = pressed[0]
    for other in chart.by.values:
        if other != row and sheet.said(f"{other}.{CLOCK}"):
            sheet.refuse(other, gettext("Press Given at for this time, or empty it."))
    new = _entry(chart, row, sheet, asked)
    own = [each for each in entries if each[chart.by.name] == row and chart.is_for(each, asked.infusion_at)]
    if any(chart.is_given(each) for each in own):
        sheet.refuse(row, gettext("This is charted as given already; remove that first if it is wrong."))
    if sheet.errors or new is None:
        return None
    # What was ordered and is now given keeps its medicine and its dose.
    before = {name: part for name, part in own[0].items() if name != chart.time} if own else {}
    return [*(each for each in entries if each not in own[:1]), {**before, **new}]


def _entry(chart: Chart, row: str, sheet: Sheet, asked: Asked) -> dict[str, Any] | None:
    said = sheet.said(row)
    if said in chart.status.values and said != chart.given:
        return {chart.by.name: row, chart.status.name: said}
    new = {chart.by.name: row, chart.status.name: chart.given}
    if said == NOW:
        return {**new, chart.time: asked.minute.isoformat()}
    if said != GIVEN_AT:
        sheet.refuse(row, gettext("Choose an answer."))
        return None
    if not sheet.said(f"{row}.{CLOCK}"):
        sheet.refuse(f"{row}.{CLOCK}", gettext("Enter the time at which it was given."))
        return None
    at = sheet.moment(f"{row}.{DATE}", f"{row}.{CLOCK}", asked, otherwise=asked.minute.date())
    return {**new, chart.time: at} if at is not None else None
