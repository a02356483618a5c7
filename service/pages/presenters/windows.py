"""When an infusion may begin after the premedications that were given, and whether the planned start does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.checklist.evidence import Case
from service.checklist.facts import FactDefinition
from service.checklist.windows import Window, common_start
from service.pages.answers.chart import BEFORE_IT

FACT = "premedications"


@dataclass(frozen=True)
class Given:
    """One premedication that was given, and from when to when the infusion may begin after it.

    `opens` and `closes` are None where the rules of the drug have no window for it. `start` says where the
    planned start lies: before, in or after it; empty without one.
    """

    name: str
    at: datetime
    opens: datetime | None
    closes: datetime | None
    start: str


@dataclass(frozen=True)
class Windows:
    """All that was given. `opens` and `closes` are when a start suits all of it, None where none does."""

    each: tuple[Given, ...]
    opens: datetime | None
    closes: datetime | None

    @property
    def clash(self) -> bool:
        """Whether there are windows, and no start suits all of them."""
        return self.opens is None and any(each.opens is not None for each in self.each)


def windows_of(case: Case, windows: Iterable[Window], zone: ZoneInfo) -> Windows:
    """The windows of what was given for an infusion, in the time of a place."""
    definition, about = case.vocabulary[FACT], [each for each in windows if each.fact == FACT]
    known: Any = case.evidence(FACT).value
    given = [
        _given(item, definition, about, case.infusion_at, zone)
        for item in known or ()
        if item.get("status") == "given"
        and isinstance(item.get("at"), datetime)
        and item["at"] >= case.infusion_at - BEFORE_IT
    ]
    spans = [(each.opens, each.closes) for each in given if each.opens and each.closes]
    opens, closes = common_start(spans) or (None, None)
    return Windows(tuple(sorted(given, key=lambda each: each.at)), opens, closes)


def _given(
    item: Mapping[str, Any],
    definition: FactDefinition,
    windows: Iterable[Window],
    infusion_at: datetime,
    zone: ZoneInfo,
) -> Given:
    at = item["at"].astimezone(zone)
    name = definition.fields["class"].values[item["class"]]
    if item.get("drug"):
        name = f"{name} ({item['drug']})"
    window = next((each for each in windows if each.covers(item)), None)
    if window is None:
        return Given(name, at, None, None, "")
    opens, closes = window.starts(at)
    planned = infusion_at.replace(second=0, microsecond=0)
    start = "before" if planned < opens else "after" if planned > closes else "in"
    return Given(name, at, opens, closes, start)
