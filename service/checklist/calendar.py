"""Calendar arithmetic: whole days, whole years, months clamped to the month's end."""

import calendar
from datetime import date, datetime, timedelta

DAY = timedelta(days=1)


def plus(day: date, *, months: int = 0, days: int = 0) -> date:
    """The date months and days later; the 31st of a shorter month is its last day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1])) + days * DAY


def birthday(born: date, years: int) -> date:
    """The day on which somebody reaches an age; born on 29 February, 1 March in other years."""
    year = born.year + years
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def years_between(born: date, day: date) -> int:
    """Completed years of age on a day."""
    years = day.year - born.year
    return years if birthday(born, years) <= day else years - 1


def minutes_between(start: datetime, end: datetime) -> int:
    """Whole minutes from one moment to another, rounded towards the earlier one."""
    return int((end - start).total_seconds() // 60)
