"""A recorded checklist and all that was done about it, in the order in which the chair needs it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.access.principal import Principal
from service.access.roles import Permission
from service.pages.moments import minute
from service.pages.presenters.findings import Cited, FindingView, ResultView, cited, result_view
from service.pages.presenters.seen import label_of
from service.pages.presenters.visit_acts import (
    Said,
    SecondCheck,
    Signature,
    When,
    said_of,
    second_checks_of,
    signatures_of,
)
from service.pages.presenters.visit_ending import (
    Ending,
    Seeing,
    Signing,
    Watch,
    ending,
    signing,
    watch,
)
from service.pages.presenters.visit_findings import OpenFinding, open_finding
from service.pages.presenters.visit_forms import Forms, Refused
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.records.journal import Event
from service.records.record import DoubleCheckState, Visit
from service.records.visits import Record

_NEAR = timedelta(hours=12)  # an evening's visit may end after midnight
_STATES: Mapping[str, Later] = {
    DoubleCheckState.NEEDED: lazy_gettext("Needed: a colleague makes it"),
    DoubleCheckState.AGREES: lazy_gettext("Made, and it agrees"),
    DoubleCheckState.DIFFERS: lazy_gettext("Made, and it differs"),
}


@dataclass(frozen=True)
class AnsweredFinding:
    """A finding with who answered it, and why."""

    finding: FindingView
    said: Said


@dataclass(frozen=True)
class Correction:
    """The other checklist of a correction, and why it was made; `by` is empty where it is the older one."""

    id: str
    reason: str | None
    when: When | None = None
    by: str = ""


@dataclass(frozen=True)
class Earlier:
    """An earlier visit of this patient and drug that was held, stopped or overridden.

    `overrides` are what was overridden, by title, and who did it why.
    """

    id: str
    when: When
    outcome: Said | None
    overrides: tuple[tuple[str, Said], ...]


@dataclass(frozen=True)
class DoubleCheck:
    """The blind double check that the pack asks for; `possible` is whether it may still be made."""

    state: str
    because: str
    sources: tuple[Cited, ...]
    facts: tuple[str, ...]
    checks: tuple[SecondCheck, ...]
    possible: bool

    @property
    def is_late(self) -> bool:
        """Whether it is needed and can no longer be made."""
        return not self.possible and not self.checks


@dataclass(frozen=True)
class Step:
    """A part of the visit: where it stands on the page, how far it is in words, and whether it is done."""

    place: str
    name: str
    words: str
    done: bool


@dataclass(frozen=True)
class VisitView:
    """The whole page."""

    id: str
    result: ResultView
    made: When
    open: tuple[OpenFinding, ...]
    answered: tuple[AnsweredFinding, ...]
    supersedes: Correction | None
    superseded_by: Correction | None
    earlier: tuple[Earlier, ...]
    double_check: DoubleCheck | None
    signatures: tuple[Signature, ...]
    signing: Signing
    ending: Ending
    watch: Watch | None
    may_correct: bool
    errors: tuple[tuple[str | None, str], ...]
    lost: str | None
    other_day: str

    @property
    def left(self) -> str:
        """What is left to answer, in words."""
        if self.open:
            return ngettext(
                "%(num)s finding is not answered", "%(num)s findings are not answered", len(self.open)
            )
        return (
            gettext("Every finding is answered") if self.answered else gettext("There is nothing to answer")
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """How far the visit is, part by part."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        yield Step("open", gettext("Findings"), self.left, not self.open)
        if self.double_check is not None:
            check = self.double_check
            words = gettext("Not made") if check.is_late else str(_STATES[check.state])
            yield Step("double-check", gettext("Double check"), words, check.state == "agrees")
        yield Step("signatures", gettext("Signatures"), self._signed(), self._is_signed())
        yield Step("outcome", gettext("Outcome"), self._ended(), bool(self.ending.said))

    def _ended(self) -> str:
        if not self.ending.said:
            return gettext("Not recorded yet")
        ended = self.ending.said[-1].what
        if self.watch is None or self.watch.until is None or self.watch.over:
            return ended
        return gettext("%(ended)s. Watch until %(time)s", ended=ended, time=self.watch.until.clock)

    def _is_signed(self) -> bool:
        return any(each.covers_all for each in self.signatures)

    def _signed(self) -> str:
        if not self.signatures:
            return gettext("Nobody has signed yet")
        if not self._is_signed():
            return gettext("Something was done after the last signature")
        return gettext(
            "Signed by %(names)s", names=", ".join(dict.fromkeys(each.name for each in self.signatures))
        )


def visit_view(
    record: Record, dose_number: int | None, seeing: Seeing, refused: Refused | None = None
) -> VisitView:
    """The page of a record whose patient is not erased, with the form that was refused, if any."""
    subject, visit, forms = record.subject, record.visit, Forms(refused)
    document = subject.result
    result = result_view(document, seeing.vocabulary, seeing.zone, dose_number)
    titles = {finding.check: finding.title for finding in result.findings}
    other_day = _other_day(subject.infusion_at, visit, seeing)

    def said(entry: Any) -> Said:
        return said_of(entry, record.remarks, seeing.zone)

    return VisitView(
        id=subject.id,
        result=result,
        made=When.of(subject.made_at, seeing.zone),
        open=tuple(
            open_finding(each, visit, seeing.person, forms)
            for each in result.needs_her
            if each.key not in visit.answers
        ),
        answered=tuple(
            AnsweredFinding(each, said(visit.answers[each.key]))
            for each in result.needs_her
            if each.key in visit.answers
        ),
        supersedes=Correction(subject.supersedes, subject.request["supersedes"]["reason"])
        if subject.supersedes
        else None,
        superseded_by=_superseded(record, seeing.zone),
        earlier=tuple(_earlier(each, titles, said, seeing.zone) for each in record.earlier),
        double_check=_double_check(record, document, seeing),
        signatures=signatures_of(visit),
        signing=signing(visit, seeing, forms),
        ending=ending(visit, seeing.person, said, forms, at_once=not other_day),
        watch=watch(visit, result.observation, seeing),
        may_correct=_may_correct(visit, seeing.person),
        errors=forms.errors(),
        lost=forms.lost(),
        other_day=other_day,
    )


def _other_day(infusion_at: datetime, visit: Visit, seeing: Seeing) -> str:
    """That the planned start is of another day, where nobody has recorded how the visit ended."""
    planned, now = infusion_at.astimezone(seeing.zone), seeing.now.astimezone(seeing.zone)
    if visit.outcome is not None or planned.date() == now.date() or abs(infusion_at - seeing.now) < _NEAR:
        return ""
    return gettext(
        "This checklist is for %(planned)s, and today is %(today)s: it says nothing about today. "
        "Correct it with the planned start of today.",
        planned=minute(planned),
        today=f"{now:%Y-%m-%d}",
    )


def _may_correct(visit: Visit, person: Principal) -> bool:
    may = person.may(Permission.DRAFT_KEEP) and person.may(Permission.CHECKLIST_MAKE)
    return may and visit.superseded_by is None


def _superseded(record: Record, zone: ZoneInfo) -> Correction | None:
    newer = record.superseding
    if newer is None:
        return None
    reason = None if newer.kept is None else newer.request["supersedes"]["reason"]
    return Correction(newer.id, reason, When.of(newer.made_at, zone), newer.actor.partition(":")[2])


def _earlier(visit: Visit, titles: Mapping[str, str], said: Callable[[Any], Said], zone: ZoneInfo) -> Earlier:
    made = visit.entries[0]
    return Earlier(
        id=made.subject,
        when=When.of(made.at, zone),
        outcome=said(visit.outcome) if visit.outcome is not None else None,
        overrides=tuple(
            (titles.get(each.details["check"], each.details["check"].replace("_", " ")), said(each))
            for each in visit.entries_of(Event.BLOCK_OVERRIDDEN)
        ),
    )


def _double_check(record: Record, document: Mapping[str, Any], seeing: Seeing) -> DoubleCheck | None:
    visit, vocabulary = record.visit, seeing.vocabulary
    if visit.double_check is DoubleCheckState.NOT_ASKED:
        return None
    why = document["independent_double_check"]
    return DoubleCheck(
        state=visit.double_check.value,
        because=why["because"],
        sources=cited(why["sources"]),
        facts=tuple(label_of(each, vocabulary) for each in visit.asked),
        checks=second_checks_of(visit, record.remarks, vocabulary, seeing.zone),
        possible=visit.outcome is None and visit.superseded_by is None,
    )
