"""On which days the dosages of an order fall, and whether one of those days has more than one dose of it."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from service.fhir.orders import bounds_of, day_in, events_of
from service.fhir.resources import Moment, Resource, number, objects, plain_codes, text

_IN_DAYS = {
    **{"s": Fraction(1, 86_400), "min": Fraction(1, 1_440), "h": Fraction(1, 24), "d": Fraction(1)},
    **{"wk": Fraction(7), "mo": Fraction(28), "a": Fraction(365)},
}
# Codes of a timing for several times a day: BID, TID, QID, Q8H and such.
_OFTEN = re.compile(r"[btq]\W?i\W?d\W?|q(?:[1-9]|1\d|2[0-3])h")


def of_the_day(dosages: Sequence[Resource], infusion_at: datetime) -> Sequence[Resource]:
    """The dosages that fall on the day of the infusion, or may; all where none of them is said to."""
    if any(_falls_on(each, infusion_at) for each in dosages):
        return [each for each in dosages if _may_fall_on(each, infusion_at)]
    return dosages


def is_several_doses(dosages: Sequence[Resource], infusion_at: datetime) -> bool:
    """Whether these are, or may be, more than one dose for one day."""
    if any(_is_often(each) for each in dosages):
        return True
    days: Counter[date] = Counter()
    without = 0
    for dosage in dosages:
        events = {each.at: each for each in events_of(dosage) if each.at is not None}.values()
        days.update(day_in(each, infusion_at) for each in events)
        start, _ = bounds_of(dosage)
        if not events and start is not None and start.at is not None:
            days.update([day_in(start, infusion_at)])
        elif not events:
            without += 1
        without += unread_times(dosage)
    today = infusion_at.date()
    if today in days or any(_falls_on(each, infusion_at) for each in dosages):
        on_the_day = [each for each in dosages if _may_fall_on(each, infusion_at)]
        return len(on_the_day) > 1 or days[today] > 1 or any(map(unread_times, on_the_day))
    return max(days.values(), default=0) > 1 or without > 1 or (without > 0 and bool(days))


def unread_times(dosage: Resource) -> int:
    """How many of its times are none, or no day."""
    events = [each["event"] for each in objects(dosage.get("timing")) if "event" in each]
    named = sum(len(each) if isinstance(each, list) else 1 for each in events)
    return named - sum(each.at is not None for each in events_of(dosage))


def _falls_on(dosage: Resource, infusion_at: datetime) -> bool:
    day = infusion_at.date()
    events = events_of(dosage)
    if events:
        return any(each.at is not None and day_in(each, infusion_at) == day for each in events)
    start, end = bounds_of(dosage)
    if start is None or start.at is None or (end is not None and end.at is None):
        return False
    return day_in(start, infusion_at) <= day <= (day_in(end, infusion_at) if end is not None else date.max)


def _may_fall_on(dosage: Resource, infusion_at: datetime) -> bool:
    if unread_times(dosage) or _falls_on(dosage, infusion_at):
        return True
    if events_of(dosage):
        return False
    start, end = bounds_of(dosage)
    day = infusion_at.date()
    is_over = end is not None and _latest(end, infusion_at) < day
    is_to_come = start is not None and _earliest(start, infusion_at) > day
    return not is_over and not is_to_come


def _earliest(at: Moment, infusion_at: datetime) -> date:
    return day_in(at, infusion_at) if at.at is not None else at.first


def _latest(at: Moment, infusion_at: datetime) -> date:
    return day_in(at, infusion_at) if at.at is not None else at.last


# How often


def _is_often(dosage: Resource) -> bool:
    timings = objects(dosage.get("timing"))
    events = len({each.at for each in events_of(dosage)})
    return any(
        any(_OFTEN.fullmatch(said) for said in plain_codes(timing.get("code")))
        or any(_repeats_often(each, events) for each in objects(timing.get("repeat")))
        for timing in timings
    )


def _repeats_often(repeat: Resource, events: int) -> bool:
    """Whether it says more than one dose a day, or something of which that cannot be told."""
    if any(isinstance(repeat.get(key), list) and len(repeat[key]) > 1 for key in ("timeOfDay", "when")):
        return True
    most = max(_whole(repeat, "frequency"), _whole(repeat, "frequencyMax"))
    if repeat.get("period") is None:
        times = max(_whole(repeat, "count"), _whole(repeat, "countMax"))
        return most > 1 or times > max(events, 1)
    period = number(repeat["period"])
    unit = _IN_DAYS.get(text(repeat.get("periodUnit")) or text(repeat.get("periodUnits")) or "")
    return period is None or unit is None or period <= 0 or most > Fraction(period) * unit


def _whole(repeat: dict[str, Any], key: str) -> Fraction:
    """How many times; one where it is not said, very many where it cannot be read."""
    if repeat.get(key) is None:
        return Fraction(1)
    said = number(repeat[key])
    return Fraction(said) if said is not None and said > 0 else Fraction(10**9)
