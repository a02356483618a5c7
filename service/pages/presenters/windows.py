"""When an infusion may begin after a premedication: the windows that the drug's rules have for each class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from service.checklist.calendar import minutes_between
from service.checklist.evidence import Case
from service.checklist.lists import Entry, FieldTest, TimeTest
from service.checklist.trace import Trace

FACT = "premedications"
_GIVEN = "given"


@dataclass(frozen=True)
class Window:
    """One premedication that was given, and from when to when the infusion may begin after it.

    `opens` and `closes` are None where the rules of the drug have no window for its class. `start` says where
    the planned start lies, and `now` where the present does: before, in or after it; empty without one.
    """

    name: str
    given_at: datetime
    opens: datetime | None
    closes: datetime | None
    start: str
    now: str


@dataclass(frozen=True)
class Windows:
    """All of them, and the time that lies in each; `opens` after `closes` means that there is none."""

    each: tuple[Window, ...]
    opens: datetime | None
    closes: datetime | None
    holds_start: bool

    @property
    def meet(self) -> bool:
        """Whether some start lies in every window."""
        return self.opens is not None and self.closes is not None and self.opens <= self.closes


def windows_of(trace: Trace, now: datetime, zone: ZoneInfo) -> Windows:
    """The windows of what was given, as of now, in the time of a place."""
    case = trace.case
    known: Any = case.evidence(FACT).value if FACT in case.vocabulary else None
    limits = dict(_limits(trace))
    found = tuple(
        _window(case, item, limits.get(item["class"]), now, zone)
        for item in sorted(known or (), key=lambda each: str(each.get("at")))
        if item.get("status", _GIVEN) == _GIVEN and isinstance(item.get("at"), datetime)
    )
    opening = [each.opens for each in found if each.opens is not None]
    closing = [each.closes for each in found if each.closes is not None]
    holds = bool(opening) and all(each.start in ("in", "") for each in found)
    return Windows(found, max(opening, default=None), min(closing, default=None), holds)


def _limits(trace: Trace) -> Iterator[tuple[str, tuple[int, int]]]:
    """For each class the fewest and the most minutes before the infusion, where a rule has both."""
    for rule in trace.pack.rules:
        for criterion in rule.concern.criteria():
            entry = criterion.measure.left
            if not isinstance(entry, Entry) or entry.fact != FACT:
                continue
            minutes = _minutes(entry.tests, trace.case)
            named = _class(entry.tests)
            if named is not None and set(minutes) == {"at_least", "at_most"}:
                yield named, (minutes["at_least"], minutes["at_most"])


def _minutes(tests: Sequence[FieldTest | TimeTest], case: Case) -> Mapping[str, int]:
    found = {}
    for test in tests:
        if isinstance(test, TimeTest) and test.unit == "minutes":
            amount = test.operand.value(case)
            if isinstance(amount, int | Decimal):
                found[test.operator.name] = int(amount)
    return found


def _class(tests: Sequence[FieldTest | TimeTest]) -> str | None:
    named = (each.operand for each in tests if isinstance(each, FieldTest) and each.field == "class")
    return next((each for each in named if isinstance(each, str)), None)


def _window(
    case: Case, item: Mapping[str, Any], limits: tuple[int, int] | None, now: datetime, zone: ZoneInfo
) -> Window:
    kind, given_at = str(item["class"]), item["at"].astimezone(zone)
    label = case.vocabulary[FACT].fields["class"].values.get(kind, kind)
    name = f"{label} ({item['drug']})" if item.get("drug") else label
    if limits is None:
        return Window(name, given_at, None, None, "", "")
    opens, closes = (given_at + timedelta(minutes=each) for each in limits)
    start, at_present = (_place(minutes_between(given_at, each), limits) for each in (case.infusion_at, now))
    return Window(name, given_at, opens, closes, start, at_present)


def _place(minutes: int, limits: tuple[int, int]) -> str:
    """Where a moment lies that is so many minutes after it was given."""
    if minutes < limits[0]:
        return "before"
    return "after" if minutes > limits[1] else "in"
