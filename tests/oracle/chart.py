"""The chart: what a request says about each fact, and which of its readings counts.

The public contract, sections 2 and 4. Numbers are exact fractions in the fact's first unit.
"""

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from tests.oracle.rule_files import RuleBook

COUNTING = (None, "final", "corrected", "amended")


@dataclass(frozen=True)
class Reading:
    value: object
    unit: str | None
    at: date | datetime | None
    low: Fraction | None
    high: Fraction | None


def is_known(raw):
    return raw is not None and raw != "unknown"


def moment(text):
    """A date, or a datetime with its offset."""
    return date.fromisoformat(text) if len(text) == len("2026-12-01") else datetime.fromisoformat(text)


class Chart:
    """One request, read with the vocabulary and the site's policy."""

    def __init__(self, request, book: RuleBook, policy):
        self.book, self.raw = book, request["facts"]
        self.infusion_at = datetime.fromisoformat(request["infusion_at"])
        self.today = self.infusion_at.date()
        self.policy = policy
        self.region = request.get("region") or policy["region"]
        self._timelines, self._newest = {}, {}
        self.worths = {}  # of each named quantity, once it was asked for

    # ---- which reading counts

    def newest(self, name):
        """The reading that counts, or None."""
        if name not in self._newest:
            self._newest[name] = self._agreed_newest(name)
        return self._newest[name]

    def _agreed_newest(self, name):
        timeline, undated = self.timeline(name)
        if not timeline:
            return agreed(undated)
        reading = agreed(timeline[-1])
        # What would not clear is not forgotten for want of a date: then both must say the same.
        if reading is None or any(other.value != reading.value for other in undated):
            return None
        return reading

    def previous(self, name):
        """The counted reading before the newest, or None. An undated one is older than any dated one."""
        timeline, undated = self.timeline(name)
        before = timeline[-2] if len(timeline) > 1 else undated if timeline else []
        return agreed(before) if self.newest(name) else None

    def timeline(self, name):
        """The readings that count: those of each time, oldest time first; and those without a time.

        Beside a dated one, an undated one counts only where it would not clear (`never_stale`).
        """
        if name not in self._timelines:
            readings = [reading for reading in self.readings(name) if not self.is_later(reading.at)]
            times = {}
            for reading in readings:
                if reading.at is not None:
                    times.setdefault(self.order(reading.at), []).append(reading)
            never_stale = self.book.facts[name].get("never_stale", [])
            undated = [
                reading
                for reading in readings
                if reading.at is None and (not times or reading.value in never_stale)
            ]
            self._timelines[name] = [times[key] for key in sorted(times)], undated
        return self._timelines[name]

    def readings(self, name):
        """Every reading that is final and says something."""
        definition, raw = self.book.facts[name], self.raw.get(name)
        several = isinstance(raw, list) and definition["type"] != "list"
        for each in raw if several else [raw]:
            spec = each if isinstance(each, dict) else {"value": each}
            if is_known(spec["value"]) and spec.get("status") in COUNTING:
                yield self.reading(definition, spec)

    def is_later(self, at):
        """Whether it lies after the infusion: by the minute where there is a time, else by the day."""
        if at is None:
            return False
        return at > self.infusion_at if isinstance(at, datetime) else at > self.today

    def day(self, at):
        """The calendar date where the infusion is."""
        return at.astimezone(self.infusion_at.tzinfo).date() if isinstance(at, datetime) else at

    def order(self, at):
        """By day; a datetime is newer than the bare date; then by the instant."""
        timed = isinstance(at, datetime)
        return self.day(at), timed, at.timestamp() if timed else 0

    # ---- what one reading says

    def reading(self, definition, spec):
        unit = definition["units"][spec["unit"]] if "unit" in spec and "units" in definition else {}
        return Reading(
            self.value(definition, spec["value"], unit),
            unit.get("dimension", definition.get("unit")),
            moment(spec["at"]) if spec.get("at") else None,
            number_in(unit, spec["ref_low"]) if is_known(spec.get("ref_low")) else None,
            number_in(unit, spec["ref_high"]) if is_known(spec.get("ref_high")) else None,
        )

    def value(self, definition, raw, unit):
        if isinstance(raw, str) and raw in definition.get("or", {}):
            return raw
        match definition["type"]:
            case "date":
                return date.fromisoformat(raw)
            case "integer" | "quantity":
                return number_in(unit, raw)
            case "list":
                return self.entries(definition, raw)
        return raw

    def entries(self, definition, raw):
        if "fields" not in definition:
            return [{"value": code} for code in raw]
        entries = [self.entry(definition["fields"], each) for each in raw]
        ignored = definition.get("ignored_after_infusion")
        return [each for each in entries if not (ignored and self.is_ignored(each, ignored))]

    def entry(self, fields, raw):
        """The known fields; a default stands where a field is absent or null; a code settles others."""
        entry = {}
        for name, field in fields.items():
            given = field.get("default") if raw.get(name) is None else raw[name]
            if not is_known(given):
                continue
            if "codes" in field:
                code = self.book.codes[field["codes"]][given]
                entry.update({key: value for key, value in code.items() if key != "label"})
            entry[name] = moment(given) if field["type"] in ("date", "time") else given
        return entry

    def is_ignored(self, entry, timing):
        concerned = all(entry.get(field) == code for field, code in timing["when"].items())
        return concerned and self.is_later(entry.get(timing["field"]))


def number_in(unit, raw):
    """The number in the fact's first unit: minus, then times, then over."""
    number = Fraction(str(raw))
    if not unit:
        return number
    number -= Fraction(unit.get("minus", "0"))
    return number * Fraction(unit.get("times", "1")) / Fraction(unit.get("over", "1"))


def agreed(readings):
    """The reading of one time where all say the same, with the tightest limits; else None."""
    if not readings or any(
        (each.value, each.unit) != (readings[0].value, readings[0].unit) for each in readings
    ):
        return None
    if len(readings) == 1:
        return readings[0]
    far = Fraction(10**9)
    return min(
        readings,
        key=lambda reading: (
            far if reading.high is None else reading.high,
            far if reading.low is None else -reading.low,
        ),
    )
