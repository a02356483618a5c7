"""What the hand-written rules of `floor` read facts with: which reading counts, three-valued logic, dates."""

from calendar import monthrange
from datetime import date, datetime

FINAL = {"final", "amended", "corrected"}
NEVER_STALE = {"pregnancy_test", "hbsag", "anti_hbc_total", "hbv_dna", "hcv_rna", "tb_test"}


def both(one, other):
    """Whether both hold."""
    if one and other:
        return True
    return False if one is False or other is False else None


def equals(value, wanted):
    """Whether a value is this one; None where it is not known."""
    return None if value is None else value == wanted


def inverse(answer):
    """Not: unknown stays unknown."""
    return None if answer is None else not answer


def either(one, other):
    """Whether one of them holds."""
    if one or other:
        return True
    return None if one is None or other is None else False


def months_later(day, months):
    """The same day of a later month, or that month's last."""
    months += day.year * 12 + day.month - 1
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def years_old(born, today):
    """Completed years; born on 29 February, one year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


class Patient:
    """The readings that count at one infusion, and where it stands in the series."""

    def __init__(self, readings, at):
        self.readings, self.at, self.today = readings, at, at.date()
        self.contradicting = set()
        self.dose = self.value("dose_number")
        self.first = self.later = None
        if self.dose is not None:
            self.first, self.later = self.dose == 1, self.dose >= 2
        self.first_on, self.last_on = self.day("first_dose_on"), self.day("last_dose_on")

    def reading(self, name):
        """The reading that counts, or None."""
        given = self.readings.get(name)
        if not given:
            return None
        if len(given) > 1:
            return self.newest(name, [each for each in given if self.counts(each)])
        (only,) = given
        at = only.at
        if only.value is None or only.status not in FINAL:
            return None
        if at is not None and (at > self.at if isinstance(at, datetime) else at > self.today):
            return None
        return only

    def value(self, name):
        """The value that counts, or None."""
        given = self.readings.get(name)
        if not given:
            return None
        only = given[0]
        if only.at is None and only.status == "final" and len(given) == 1:
            return only.value
        reading = self.reading(name)
        return None if reading is None else reading.value

    def amount(self, name, unit):
        """The reading that counts if it is a number in this unit, or None."""
        reading = self.reading(name)
        if reading is None or reading.unit != unit or isinstance(reading.value, str):
            return None
        return reading

    def day(self, name):
        """The date that counts, or None."""
        value = self.value(name)
        return value if isinstance(value, date) else None

    def counts(self, reading):
        """Whether it says something, is final, and does not lie after the infusion."""
        if reading.value is None or reading.status not in FINAL:
            return False
        at = reading.at
        if at is None:
            return True
        return at <= self.at if isinstance(at, datetime) else at <= self.today

    def day_of(self, at):
        """The calendar day where the infusion is."""
        return at.astimezone(self.at.tzinfo).date() if isinstance(at, datetime) else at

    def fresh(self, reading, before, days):
        """Whether a reading is dated, and no older than these days."""
        at = reading.at
        return at is not None and (before - self.day_of(at)).days <= days

    def settled(self, reading, before, days):
        """Whether a marker is positive, or negative and recent."""
        if reading is None:
            return None
        if reading.value == "negative":
            return True if self.fresh(reading, before, days) else None
        return reading.value == "positive"

    def newest(self, name, counted):
        """The newest of several readings; None where those of the last moment differ."""
        dated = [each for each in counted if each.at is not None]
        group = undated = [each for each in counted if each.at is None]
        if dated:
            moments = [self._moment(each.at) for each in dated]
            last = max(moments)
            group = [each for each, moment in zip(dated, moments, strict=True) if moment == last]
            undated = [each for each in undated if name in NEVER_STALE and each.value == "positive"]
        if not group:
            return None
        results = {(each.value, each.unit) for each in group}
        if len(results) > 1 or any(each.value != group[0].value for each in undated):
            self.contradicting.add(name)
            return None
        return group[0] if len(group) == 1 else _strictest(group)

    def _moment(self, at):
        timed = isinstance(at, datetime)
        return self.day_of(at), timed, at.timestamp() if timed else 0.0


def _strictest(group):
    """Of equal readings the one with the highest lower limit (the only limit that is asked for here)."""
    limited = [each for each in group if each.ref_low is not None]
    return max(limited, key=lambda each: each.ref_low) if limited else group[0]
