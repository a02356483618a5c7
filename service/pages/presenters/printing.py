"""A recorded checklist as it stands on paper: the stored result, what was done about it, whose copy it is.

All of it comes from one reading of the record: nothing is evaluated anew, and the rules of today only lend
the labels of facts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.checklist.facts import Vocabulary
from service.pages.moments import minute, near
from service.pages.presenters.findings import (
    Cited,
    FindingView,
    ResultView,
    cited,
    result_view,
)
from service.pages.presenters.seen import Seen, label_of, value_in_words
from service.pages.presenters.trace_facts import dose_number
from service.pages.presenters.visit_acts import (
    Said,
    SecondCheck,
    Signature,
    When,
    said_of,
    second_checks_of,
    signatures_of,
)
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.records.journal import Event
from service.records.record import DoubleCheckState
from service.records.visits import Person, Record

DOUBLE_CHECKS: Mapping[str, Later] = {
    DoubleCheckState.NOT_ASKED: lazy_gettext("The rules of this drug ask for none."),
    DoubleCheckState.NEEDED: lazy_gettext("Asked for, and not made."),
    DoubleCheckState.AGREES: lazy_gettext("Made; both agree."),
    DoubleCheckState.DIFFERS: lazy_gettext("Made; they differ."),
}
_ACTS = (
    Event.WARN_ACKNOWLEDGED,
    Event.BLOCK_OVERRIDDEN,
    Event.DOUBLE_CHECKED,
    Event.ATTESTED,
    Event.OUTCOME_RECORDED,
)


@dataclass(frozen=True)
class PrintedFinding:
    """A finding, and who went on in spite of it."""

    finding: FindingView
    answer: Said | None


@dataclass(frozen=True)
class NotKnown:
    """Why facts count as unknown, and which."""

    detail: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class DoubleCheckAsked:
    """Why the rules ask for a double check, if they do."""

    because: str
    sources: tuple[Cited, ...]


@dataclass(frozen=True)
class Provenance:
    """Where a checklist comes from: who asked for it, when it was evaluated, and its entry in the journal."""

    actor: str
    evaluated: When
    entry: int
    entry_digest: str
    supersedes: str | None
    supersedes_why: str | None


@dataclass(frozen=True)
class Superseded:
    """The checklist that counts in place of this one, and why; None where that has been erased."""

    by: str
    why: str | None


@dataclass(frozen=True)
class Copy:
    """Who prints it, and when."""

    name: str
    role: str
    when: When


@dataclass(frozen=True)
class Printout:
    """All of one sheet. `others` are facts that were known and settled no finding.

    `created` and `changed` are when the checklist was made and when something was last done about it, in UTC.
    """

    id: str
    address: str
    site: str
    result: ResultView
    starts: str
    unanswered: int
    needs_her: tuple[PrintedFinding, ...]
    passed: tuple[PrintedFinding, ...]
    others: tuple[Seen, ...]
    unknown: tuple[NotKnown, ...]
    fault: bool
    observation_sources: tuple[Cited, ...]
    double_check: str
    double_check_asked: DoubleCheckAsked | None
    double_checks: tuple[SecondCheck, ...]
    signatures: tuple[Signature, ...]
    outcomes: tuple[Said, ...]
    superseded: Superseded | None
    provenance: Provenance
    printed: Copy
    created: str
    changed: str

    @property
    def answered_words(self) -> str:
        """How many of the findings that ask for an answer have none."""
        if not self.needs_her:
            return ""
        if not self.unanswered:
            return gettext("Every finding is answered.")
        return ngettext(
            "%(num)s finding is not answered.", "%(num)s findings are not answered.", self.unanswered
        )

    @property
    def running_words(self) -> Mapping[str, str]:
        """What stands at the edges of every page, as strings of a style sheet."""
        strip = self.result.strip
        words = {
            "title": " · ".join(filter(None, (strip.patient, strip.title, self.starts))),
            "mark": gettext("Printed copy, not for later use"),
            "checklist": " ".join([gettext("Dosegate pre-infusion checklist"), self.id]),
            "page": gettext("Page") + " ",
            "of": " " + gettext("of") + " ",
        }
        return {name: in_style(text) for name, text in words.items()}


def in_style(text: str) -> str:
    """A text as a string of a style sheet: whatever is in it, it stays a string."""
    return "".join(each if each.isascii() and each.isalnum() else f"\\{ord(each):06x}" for each in text)


def printout(
    record: Record, vocabulary: Vocabulary, zone: ZoneInfo, *, address: str, person: Person
) -> Printout:
    """A record as `person` prints it; `address` is where it is found. Raises PatientErased."""
    sheet, subject, visit = _Sheet(record, vocabulary), record.subject, record.visit
    view = result_view(sheet.result, vocabulary, zone, dose_number(sheet.trace))
    answers = {key: said_of(entry, record.remarks, zone) for key, entry in visit.answers.items()}
    acts = [entry.at for entry in visit.entries_of(*_ACTS)]
    return Printout(
        id=subject.id,
        address=address,
        site=subject.site,
        result=view,
        starts=_moment(datetime.fromisoformat(sheet.result["infusion_at"])),
        unanswered=len(visit.open_findings),
        needs_her=tuple(_printed(each, answers) for each in view.needs_her),
        passed=tuple(_printed(each, answers) for each in view.passed),
        others=tuple(sheet.others(view)),
        unknown=tuple(sheet.unknown()),
        fault=sheet.trace["fault"] is not None,
        observation_sources=cited((sheet.result["observation"] or {"sources": ()})["sources"]),
        double_check=str(DOUBLE_CHECKS[visit.double_check]),
        double_check_asked=sheet.double_check_asked(),
        double_checks=second_checks_of(visit, record.remarks, vocabulary, zone),
        signatures=signatures_of(visit),
        outcomes=tuple(
            said_of(each, record.remarks, zone) for each in visit.entries_of(Event.OUTCOME_RECORDED)
        ),
        superseded=_superseded(record),
        provenance=sheet.provenance(zone),
        printed=Copy(person.name, person.act.role, When.of(person.act.at, zone)),
        created=_utc(subject.made_at),
        changed=_utc(max([subject.made_at, *acts])),
    )


class _Sheet:
    """What is stored of one record."""

    def __init__(self, record: Record, vocabulary: Vocabulary) -> None:
        self._subject, self._vocabulary = record.subject, vocabulary
        self._made = record.visit.entries[0]
        self.result = record.subject.result
        self.trace = json.loads(record.subject.contents.trace)

    def _known(self) -> Iterator[Mapping[str, Any]]:
        return (each for each in self.trace["facts"] if each["known"] == "yes")

    def others(self, view: ResultView) -> Iterator[Seen]:
        settled = {seen.fact for finding in view.findings for seen in finding.because}
        for each in self._known():
            if (name := each["fact"]) not in settled:
                definition = self._vocabulary.facts.get(name)
                said = value_in_words(each["value"], each.get("unit"), definition)
                label = label_of(name, self._vocabulary)
                yield Seen(name, label, said, each.get("at"), each.get("source"))

    def unknown(self) -> Iterator[NotKnown]:
        labels: dict[str, list[str]] = {}
        for each in self.trace["facts"]:
            if each["known"] == "no":
                labels.setdefault(each["detail"], []).append(label_of(each["fact"], self._vocabulary))
        return (NotKnown(detail, tuple(found)) for detail, found in labels.items())

    def double_check_asked(self) -> DoubleCheckAsked | None:
        asked = self.result.get("independent_double_check")
        return DoubleCheckAsked(asked["because"], cited(asked["sources"])) if asked else None

    def provenance(self, zone: ZoneInfo) -> Provenance:
        corrects = self._subject.supersedes
        return Provenance(
            actor=self._subject.actor,
            evaluated=When.of(datetime.fromisoformat(self.result["evaluated_at"]), zone),
            entry=self._made.sequence,
            entry_digest=self._made.digest,
            supersedes=corrects,
            supersedes_why=self._subject.request["supersedes"]["reason"] if corrects else None,
        )


def _printed(finding: FindingView, answers: Mapping[tuple[str, str | None], Said]) -> PrintedFinding:
    return PrintedFinding(finding, answers.get(finding.key))


def _superseded(record: Record) -> Superseded | None:
    newer = record.superseding
    if newer is None:
        return None
    return Superseded(newer.id, newer.request["supersedes"]["reason"] if newer.kept is not None else None)


def _moment(at: datetime) -> str:
    """A planned time at the offset that it was planned in, and in UTC."""
    utc = at.astimezone(UTC)
    return f"{minute(at)} {at.isoformat()[-6:]} ({near(utc, at)} UTC)"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
