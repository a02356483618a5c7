"""Moments, as they are read from a form and as they stand on a page: by the clock of a place."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Flask

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
    try:
        is_there = moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
    except OverflowError:  # at the ends of the calendar
        return None, gettext("Enter a date and a time, such as 2026-11-10 and 14:30.")
    if not is_there:
        return None, gettext("The clocks are put forward then: there is no such time that day.")
    return moment, ""


def minute(at: datetime) -> str:
    """Day and time of day, to the minute, at the offset that the moment has."""
    return f"{at:%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """The time of day, to the minute."""
    return f"{at:%H:%M}"


def near(at: datetime, other: datetime) -> str:
    """The time of day, and the day too where it is not that of the other moment; both at one clock."""
    return clock(at) if at.date() == other.date() else minute(at)


def register(app: Flask) -> None:
    """Let templates write moments."""
    app.jinja_env.filters |= {"minute": minute, "clock": clock, "near": near}
