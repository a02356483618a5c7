"""A date and a time of day, as they are typed in a form, as a moment in the time of a place."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from service.pages.texts import gettext


def moment_at(day: str, clock: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
    """The moment, or None and why it is none. Of a time that comes twice it is the earlier one."""
    try:
        local = datetime.combine(date.fromisoformat(day.strip()), time.fromisoformat(clock.strip()))
    except ValueError:
        return None, gettext("Enter a date and a time, such as 2026-11-10 and 14:30.")
    if local.tzinfo is not None:
        return None, gettext("Enter a date and a time, such as 2026-11-10 and 14:30.")
    moment = local.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        return None, gettext("The clocks are put forward then: there is no such time that day.")
    return moment, ""
