"""The calendar: months clamped to the month's end, 29 February, completed years."""

from datetime import date

import pytest

from service.checklist.calendar import birthday, plus, years_between

LATER = [
    # start, months, days, the day it becomes
    ("2026-01-31", 1, 0, "2026-02-28"),
    ("2028-01-31", 1, 0, "2028-02-29"),
    ("2026-01-28", 1, 0, "2026-02-28"),
    ("2026-08-31", 6, 0, "2027-02-28"),
    ("2027-08-31", 6, 0, "2028-02-29"),
    ("2026-08-29", 6, 0, "2027-02-28"),
    ("2027-08-29", 6, 0, "2028-02-29"),
    ("2028-02-29", 12, 0, "2029-02-28"),
    ("2028-02-29", 48, 0, "2032-02-29"),
    ("2026-10-31", 1, 0, "2026-11-30"),
    ("2026-04-06", 6, 0, "2026-10-06"),
    ("2026-12-31", 1, 0, "2027-01-31"),
    ("2026-12-15", 0, 0, "2026-12-15"),
    ("2026-12-31", 0, 1, "2027-01-01"),
    ("2028-02-28", 0, 1, "2028-02-29"),
    ("2026-02-28", 0, 1, "2026-03-01"),
    ("2026-11-03", 0, 28, "2026-12-01"),
    ("2026-01-31", 1, 14, "2026-03-14"),  # the months first, clamped, then the days
    ("2026-03-31", -1, 0, "2026-02-28"),
    ("2026-01-15", -1, 0, "2025-12-15"),
]
BIRTHDAYS = [
    # born, age, the day on which that age is reached
    ("2008-10-06", 18, "2026-10-06"),
    ("2008-02-29", 18, "2026-03-01"),
    ("2008-02-29", 20, "2028-02-29"),
    ("2008-02-29", 0, "2008-02-29"),
    ("2008-02-28", 18, "2026-02-28"),
    ("1872-02-29", 28, "1900-03-01"),  # 1900 was no leap year
    ("1972-02-29", 28, "2000-02-29"),  # 2000 was one
]
AGES = [
    # born, on the day, completed years
    ("2008-10-07", "2026-10-06", 17),
    ("2008-10-06", "2026-10-06", 18),
    ("2008-10-05", "2026-10-06", 18),
    ("2008-02-29", "2026-02-28", 17),
    ("2008-02-29", "2026-03-01", 18),
    ("2008-02-29", "2028-02-28", 19),
    ("2008-02-29", "2028-02-29", 20),
    ("2026-10-06", "2026-10-06", 0),
    ("2025-10-07", "2026-10-06", 0),
    ("2025-12-31", "2026-12-30", 0),
    ("1926-10-06", "2026-10-06", 100),
]


@pytest.mark.parametrize(("start", "months", "days", "then"), LATER)
def test_months_are_clamped_to_the_months_end(start, months, days, then):
    assert plus(date.fromisoformat(start), months=months, days=days) == date.fromisoformat(then)


@pytest.mark.parametrize(("born", "years", "then"), BIRTHDAYS)
def test_a_birthday_on_29_february_is_1_march_in_other_years(born, years, then):
    assert birthday(date.fromisoformat(born), years) == date.fromisoformat(then)


@pytest.mark.parametrize(("born", "day", "years"), AGES)
def test_an_age_is_a_count_of_completed_years(born, day, years):
    assert years_between(date.fromisoformat(born), date.fromisoformat(day)) == years


def test_an_age_changes_on_the_birthday_and_on_no_other_day():
    for born in (date(2007, 6, 15), date(2008, 2, 29), date(2007, 12, 31), date(2008, 3, 1)):
        days = [date.fromordinal(born.toordinal() + offset) for offset in range(9 * 366)]
        ages = [years_between(born, day) for day in days]
        changes = [
            day for day, before, after in zip(days[1:], ages, ages[1:], strict=False) if before != after
        ]
        assert changes == [birthday(born, age) for age in range(1, len(changes) + 1)]
