"""Signing a visit, its outcome, and watching after it: what is said of each, and what may be done now."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.access.principal import Principal
from service.access.roles import Permission
from service.checklist.facts import Vocabulary
from service.pages.presenters.findings import Cited, cited
from service.pages.presenters.visit_acts import MEANINGS, Said, When
from service.pages.presenters.visit_forms import ENDED, OUTCOME, SIGN, Form, Forms
from service.pages.texts import gettext
from service.records.journal import Event
from service.records.record import CannotAct, Meaning, Outcome, Visit


@dataclass(frozen=True)
class Seeing:
    """Who sees the page, when and where: `signs` are the permissions that meanings ask for."""

    person: Principal
    now: datetime
    zone: ZoneInfo
    vocabulary: Vocabulary
    signs: Mapping[Meaning, Permission]


@dataclass(frozen=True)
class Signing:
    """What this person may sign now, each as its value and its words; `why_not` where there is none."""

    offered: tuple[tuple[str, str], ...]
    why_not: str
    form: Form


@dataclass(frozen=True)
class Watch:
    """Watching after the infusion: `until` is None before it has ended."""

    minutes: int
    text: str
    sources: tuple[Cited, ...]
    ended: When | None
    until: When | None
    seconds_left: int

    @property
    def over(self) -> bool:
        """Whether the time has passed."""
        return self.until is not None and not self.seconds_left


@dataclass(frozen=True)
class Ending:
    """How the visit ended, and what may be recorded of that.

    `plain` is whether this was an infusion with nothing to explain; `may` whether this person records it now.
    """

    said: tuple[Said, ...]
    may: bool
    plain: bool
    form: Form
    plain_form: Form

    @property
    def otherwise(self) -> str:
        """What opens the form for every other outcome."""
        if self.said:
            return gettext("It was recorded wrongly, or it went on: record another outcome")
        return gettext("Held, stopped, or anything else") if self.plain else gettext("Record how it ended")


def signing(visit: Visit, seeing: Seeing, forms: Forms) -> Signing:
    """What this person can sign now; a meaning that the role does not give is not spoken of."""
    offered, reasons = [], []
    for meaning, needed in seeing.signs.items():
        if not seeing.person.may(needed):
            continue
        try:
            before = visit.attested_before(seeing.person.actor, meaning)
        except CannotAct as cannot:
            if meaning is not Meaning.DOUBLE_CHECK:
                reasons.append(cannot.reason)
            continue
        if before is None:
            offered.append((meaning.value, str(MEANINGS[meaning])))
        else:
            reasons.append(gettext("You have signed, and nothing was done since."))
    why_not = "" if offered or not reasons else reasons[0]
    return Signing(tuple(offered), why_not, forms.form(SIGN) if offered else Form(SIGN))


def ending(
    visit: Visit, person: Principal, said: Callable[[Any], Said], forms: Forms, *, at_once: bool
) -> Ending:
    """How it ended, and what this person may record of that; without `at_once` no plain infusion."""
    may = person.may(Permission.OUTCOME_RECORD) and visit.superseded_by is None
    plain = at_once and not visit.must_explain(Outcome.INFUSED)
    return Ending(
        said=tuple(said(each) for each in visit.entries_of(Event.OUTCOME_RECORDED)),
        may=may,
        plain=plain,
        form=forms.form(OUTCOME) if may else Form(OUTCOME),
        plain_form=forms.form(ENDED) if may and plain else Form(ENDED),
    )


def watch(visit: Visit, plan: Mapping[str, Any] | None, seeing: Seeing) -> Watch | None:
    """The plan for watching; None where there is none, or nothing was given to the end."""
    if plan is None or visit.was_held:
        return None
    ended = _ended(visit)
    until = None if ended is None else ended + timedelta(minutes=plan["minutes_after"])
    return Watch(
        minutes=plan["minutes_after"],
        text=plan["text"],
        sources=cited(plan["sources"]),
        ended=None if ended is None else When.of(ended, seeing.zone),
        until=None if until is None else When.of(until, seeing.zone),
        seconds_left=0 if until is None else max(0, math.ceil((until - seeing.now).total_seconds())),
    )


def _ended(visit: Visit) -> datetime | None:
    """When it was first said that the infusion ended, of what still holds."""
    ended = None
    for entry in visit.entries_of(Event.OUTCOME_RECORDED):
        infused = entry.details["outcome"] == Outcome.INFUSED
        ended = (ended or entry.at) if infused else None
    return ended
