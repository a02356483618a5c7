"""Which reading of a fact counts at one infusion, and if none does, why not.

The rules are those of the public contract, section 2: only final, amended and corrected results count,
none from after the infusion; the newest wins; two different values of the same time are a conflict.
"""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from service.checklist.facts import (
    FINAL_STATUSES,
    FactDefinition,
    Facts,
    ItemTiming,
    Reading,
    Value,
    Vocabulary,
)


class Reason(StrEnum):
    """Why a fact is unknown."""

    MISSING = "missing"
    STALE = "stale"
    CONFLICT = "conflict"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact (or policy parameter) that is not known, the reason, and the detail in words."""

    fact: str
    reason: Reason
    detail: str


@dataclass(slots=True)
class Evidence:
    """The counted reading of a fact, and the counted one before it; or why there is none.

    `others` tells that a list may have other entries than these.
    Not frozen only because freezing doubles the cost of making one; nobody writes to it.
    """

    value: Value | None = None
    unit: str | None = None
    at: date | datetime | None = None
    day: date | None = None
    source: str | None = None
    ref_low: Decimal | None = None
    ref_high: Decimal | None = None
    before: "Evidence | None" = None
    unknown: Unknown | None = None
    others: bool = False

    def others_unknown(self, fact: str) -> Unknown:
        """Why a list that may have other entries settles nothing by those that it has."""
        on_record = "what is on record may not be all" if self.value else "none is on record"
        return Unknown(fact, Reason.MISSING, f"{on_record}, and nobody was asked")


_NOT_RECORDED = "not recorded"


def day_of(at: date | datetime, zone: tzinfo | None) -> date:
    """The calendar date of a moment in the offset of the infusion; a date is itself."""
    return at.astimezone(zone).date() if isinstance(at, datetime) else at


def is_after(at: date | datetime, infusion_at: datetime) -> bool:
    """Whether it lies after the infusion: by the minute for a datetime, by the day for a date."""
    return at > infusion_at if isinstance(at, datetime) else at > infusion_at.date()


@dataclass(frozen=True, slots=True)
class Case:
    """One patient at one infusion in one region under one policy: all that a verdict depends on."""

    vocabulary: Vocabulary
    facts: Facts
    infusion_at: datetime
    region: str
    policy: "dict[str, str | int | Decimal | None]"
    _known: dict[str, Evidence]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        facts: Facts,
        infusion_at: datetime,
        region: str,
        policy: "dict[str, str | int | Decimal | None]",
    ) -> "Case":
        """A case whose evidence is looked up when first asked for."""
        return cls(vocabulary, facts, infusion_at, region, policy, {})

    def with_facts(self, facts: Facts, changed: set[str]) -> "Case":
        """The same case with some facts given anew."""
        known = self._known.copy()
        for name in changed:
            known.pop(name, None)
        return Case(self.vocabulary, facts, self.infusion_at, self.region, self.policy, known)

    def at(self, infusion_at: datetime) -> "Case":
        """The same facts at another moment."""
        return Case(self.vocabulary, self.facts, infusion_at, self.region, self.policy, {})

    def as_far_as_known(self) -> "Case":
        """The same case as if no list had other entries than those that are known."""
        facts = self.facts.as_far_as_known()
        return (
            self
            if facts is self.facts
            else Case(self.vocabulary, facts, self.infusion_at, self.region, self.policy, {})
        )

    def evidence(self, name: str) -> Evidence:
        """The counted reading of a fact at this infusion."""
        known = self._known.get(name)
        if known is None:
            readings = self.facts.readings.get(name)
            known = self._known[name] = (
                _count(self.vocabulary[name], readings, self.infusion_at)
                if readings
                else Evidence(unknown=Unknown(name, Reason.MISSING, _NOT_RECORDED))
            )
        return known


def _count(definition: FactDefinition, readings: tuple[Reading, ...], infusion_at: datetime) -> Evidence:
    if len(readings) == 1:
        only = readings[0]
        why_not = _why_not_counted(only, infusion_at)
        if why_not:
            return Evidence(unknown=Unknown(definition.name, Reason.MISSING, why_not))
        return _evidence(only, definition, infusion_at)
    return _newest(definition, readings, infusion_at)


def _newest(definition: FactDefinition, readings: tuple[Reading, ...], infusion_at: datetime) -> Evidence:
    counted = [
        reading
        for reading in readings
        if (reading.value is not None or reading.unreadable) and not _why_left_out(reading, infusion_at)
    ]
    if all(reading.value is None for reading in counted):
        reasons = sorted({_why_not_counted(reading, infusion_at) for reading in readings})
        return Evidence(unknown=Unknown(definition.name, Reason.MISSING, "; ".join(reasons)))
    if any(reading.at is not None for reading in counted):
        # What has no date cannot be the newest; but a value that would not clear is not forgotten.
        counted = [
            each
            for each in counted
            if each.at is not None or each.unreadable or each.value in definition.never_stale
        ]
    newest: Evidence | None = None
    for group in _by_time(counted, infusion_at):
        if unread := next((each for each in group if each.value is None), None):
            newest = Evidence(before=newest, unknown=_unread(definition, unread, infusion_at))
        elif len({(reading.value, reading.unit) for reading in group}) > 1:
            newest = Evidence(
                before=newest,
                unknown=Unknown(definition.name, Reason.CONFLICT, "different values of the same time"),
            )
        else:
            newest = _evidence(min(group, key=_stricter), definition, infusion_at, newest)
    assert newest is not None
    # It may be the newest of all: nobody can say.
    if unread := next((each for each in counted if each.value is None and each.at is None), None):
        return Evidence(unknown=_unread(definition, unread, infusion_at))
    if any(reading.at is None and reading.value != newest.value for reading in counted):
        return Evidence(
            unknown=Unknown(definition.name, Reason.CONFLICT, "different values, one without a date")
        )
    return newest


def _stricter(reading: Reading) -> tuple[Decimal, Decimal, str]:
    """Of equal results the one with the tighter limits, then by source: their order never matters."""
    none = Decimal("Infinity")
    return (
        reading.ref_high if reading.ref_high is not None else none,
        -reading.ref_low if reading.ref_low is not None else none,
        reading.source or "",
    )


def _by_time(readings: list[Reading], infusion_at: datetime) -> list[list[Reading]]:
    """Groups of the same time, oldest first; undated ones first; a datetime is newer than its bare date."""
    zone = infusion_at.tzinfo
    groups: dict[tuple[date, bool, float], list[Reading]] = {}
    for reading in readings:
        at = reading.at
        timed = isinstance(at, datetime)
        key = (
            day_of(at, zone) if at is not None else date.min,
            timed,
            at.timestamp() if isinstance(at, datetime) else 0.0,
        )
        groups.setdefault(key, []).append(reading)
    return [groups[key] for key in sorted(groups)]


def _unread(definition: FactDefinition, reading: Reading, infusion_at: datetime) -> Unknown:
    return Unknown(definition.name, Reason.MISSING, _why_not_counted(reading, infusion_at))


def _why_not_counted(reading: Reading, infusion_at: datetime) -> str:
    if why := _why_left_out(reading, infusion_at):
        return why
    if reading.value is not None:
        return ""
    if reading.unreadable is None:
        return "recorded as unknown"
    where = f" ({reading.source})" if reading.source else ""
    return f"cannot be read: {reading.unreadable}{where}"


def _why_left_out(reading: Reading, infusion_at: datetime) -> str:
    if reading.status not in FINAL_STATUSES:
        return f"only {reading.status}" if reading.status != "entered-in-error" else "entered in error"
    if reading.at is not None and is_after(reading.at, infusion_at):
        return "collected after the infusion time"
    return ""


def _evidence(
    reading: Reading, definition: FactDefinition, infusion_at: datetime, before: Evidence | None = None
) -> Evidence:
    value = reading.value
    timing = definition.ignored_after_infusion
    if timing is not None and isinstance(value, tuple):
        value = tuple(item for item in value if not _lies_after(item, timing, infusion_at))
    return Evidence(
        value=value,
        unit=reading.unit,
        at=reading.at,
        day=None if reading.at is None else day_of(reading.at, infusion_at.tzinfo),
        source=reading.source,
        ref_low=reading.ref_low,
        ref_high=reading.ref_high,
        before=before,
        others=not reading.complete,
    )


def _lies_after(item: object, timing: ItemTiming, infusion_at: datetime) -> bool:
    if isinstance(item, str) or not timing.covers(item):  # type: ignore[arg-type]
        return False
    at = item.get(timing.field)  # type: ignore[attr-defined]
    return at is not None and is_after(at, infusion_at)
