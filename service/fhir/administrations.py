"""What was given to the patient: of what, whether it really was, and when."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from service.checklist.evidence import day_of, is_after
from service.fhir.chart import Chart
from service.fhir.lifetimes import in_life
from service.fhir.medicine_lists import Recorded, recorded
from service.fhir.reads import ReadingContext
from service.fhir.resources import Moment, Resource, code, moment, period
from service.fhir.statements import CHANGED, is_changed

TYPE = "MedicationAdministration"
GIVEN, NOT_GIVEN = "completed", "not-done"


@dataclass(frozen=True, eq=False)
class Administration:
    """One administration: of what, its status, and when it began."""

    resource: Resource
    of: Recorded
    status: str
    at: Moment | None

    @property
    def when(self) -> str:
        """Its day, in words."""
        return f"on {self.at.written[:10]}" if self.at is not None else "on a day that is not said"

    def day(self, infusion_at: datetime) -> date | None:
        """Its day in the offset of the infusion; None where only a month or a year is known."""
        exact = self.at.at if self.at is not None else None
        return day_of(exact, infusion_at.tzinfo) if exact is not None else None

    def may_be(self, infusion_at: datetime) -> bool:
        """Whether something may have been given before the infusion, although that is not certain."""
        if self.status == NOT_GIVEN or self.is_given_before(infusion_at):
            return False
        return self.at is None or self.at.first <= infusion_at.date()

    def is_given_before(self, infusion_at: datetime) -> bool:
        """Whether it was given, on a known day, and no later than the infusion."""
        exact = self.at.at if self.at is not None else None
        return self.status == GIVEN and exact is not None and not is_after(exact, infusion_at)

    def is_within(self, length: timedelta, infusion_at: datetime) -> bool:
        """Whether it was begun so shortly before the infusion; one with a day only, whether on that day."""
        if self.at is None or self.at.at is None:
            return False
        if isinstance(self.at.at, datetime):
            return infusion_at - length <= self.at.at <= infusion_at
        past = infusion_at.date() - self.at.day
        return timedelta() <= past <= length - timedelta(days=1)


def administrations(chart: Chart, context: ReadingContext) -> list[Administration]:
    """Every administration of the chart."""
    return [_administration(each, chart, context) for each in chart.of_type(TYPE)]


def _administration(resource: Resource, chart: Chart, context: ReadingContext) -> Administration:
    start, end = period(resource.get("effectivePeriod"))
    at = in_life(moment(resource.get("effectiveDateTime")) or start or end, chart, context.infusion_at)
    status = CHANGED if is_changed(resource) else code(resource.get("status")) or "unknown"
    return Administration(resource, recorded(resource, chart, context), status, at)
