"""A recorded checklist as it stands on paper: the stored result, what was done about it, whose copy it is.

All of it comes from one reading of the record: nothing is evaluated anew, and the rules of today only lend
the labels of facts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.checklist.facts import Vocabulary
from service.pages.presenters.findings import (
    Cited,
    FindingView,
    ResultView,
    Seen,
    cited,
    label_of,
    result_view,
    value_in_words,
)
from service.pages.statuses import OVERRIDES
from service.pages.texts import Later, gettext, lazy_gettext, ngettext
from service.records.record import DoubleCheckState, Meaning, Outcome
from service.records.visits import Person, Record
from service.web.visit_documents import record_document

MEANINGS: Mapping[str, Later] = {
    Meaning.PERFORMED: lazy_gettext("went through this checklist"),
    Meaning.DOUBLE_CHECK: lazy_gettext("made the independent double check"),
    Meaning.REVIEWED: lazy_gettext("reviewed it"),
}
OUTCOMES: Mapping[str, Later] = {
    Outcome.INFUSED: lazy_gettext("Infused"),
    Outcome.HELD: lazy_gettext("Held: not begun"),
    Outcome.STOPPED: lazy_gettext("Stopped before the whole dose was given"),
}
DOUBLE_CHECKS: Mapping[str, Later] = {
    DoubleCheckState.NOT_ASKED: lazy_gettext("The rules of this drug ask for none."),
    DoubleCheckState.NEEDED: lazy_gettext("Asked for, and not made."),
    DoubleCheckState.AGREES: lazy_gettext("Made; both agree."),
    DoubleCheckState.DIFFERS: lazy_gettext("Made; they differ."),
}


@dataclass(frozen=True)
class Signed:
    """Who did something, by the printed name, as what, and when: at the site's offset and in UTC."""

    name: str
    role: str
    when: str


@dataclass(frozen=True)
class Answered:
    """An acknowledgement, or a prescriber's override, and why."""

    by: Signed
    is_override: bool
    reason: str
    comment: str | None
    order_reference: str | None


@dataclass(frozen=True)
class PrintedFinding:
    """A finding, who may go on in spite of it, and who did."""

    finding: FindingView
    override: str | None
    answer: Answered | None


@dataclass(frozen=True)
class NotKnown:
    """Why facts count as unknown, and which."""

    detail: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Attested:
    """A signature: its meaning, the digest of the record that it covers, and whether it covers all of it."""

    by: Signed
    meaning: str
    record: str
    covers_all: bool


@dataclass(frozen=True)
class Compared:
    """A fact as each of two people gave it."""

    label: str
    agrees: bool
    first: str
    second: str


@dataclass(frozen=True)
class DoubleChecked:
    """What a second person entered."""

    by: Signed
    facts: tuple[Compared, ...]


@dataclass(frozen=True)
class Ended:
    """How the visit ended."""

    by: Signed
    outcome: str
    reason: str | None
    comment: str | None


@dataclass(frozen=True)
class DoubleCheckAsked:
    """Why the rules ask for a double check, if they do."""

    because: str
    sources: tuple[Cited, ...]


@dataclass(frozen=True)
class Printout:
    """All of one sheet. `others` are facts that were known and settled no finding; times are in words.

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
    double_check_asked: DoubleCheckAsked | None
    double_check: str
    double_checks: tuple[DoubleChecked, ...]
    attestations: tuple[Attested, ...]
    outcomes: tuple[Ended, ...]
    supersedes: Mapping[str, Any] | None
    superseded_by: Mapping[str, Any] | None
    made_by: str
    evaluated: str
    entry: int
    entry_digest: str
    printed: Signed
    created: str
    changed: str

    @property
    def running_title(self) -> str:
        """What stands at the head of every page, as a string of a style sheet."""
        strip = self.result.strip
        return in_style(" · ".join(filter(None, (strip.patient, strip.title, self.starts))))

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
        """The words around the number of a page, and the mark of a copy, as strings of a style sheet."""
        return {
            "page": in_style(gettext("Page") + " "),
            "of": in_style(" " + gettext("of") + " "),
            "mark": in_style(gettext("Printed copy, not for later use")),
            "checklist": in_style(f"{gettext('Dosegate pre-infusion checklist')} {self.id}"),
        }


def in_style(text: str) -> str:
    """A text as a string of a style sheet: whatever is in it, it stays a string."""
    return "".join(each if each.isascii() and each.isalnum() else f"\\{ord(each):06x}" for each in text)


def printout(record: Record, vocabulary: Vocabulary, address: str, person: Person) -> Printout:
    """A record as `person` prints it; `address` is where it is found. Raises PatientErased."""
    return _Sheet(record, vocabulary).printout(address, person)


class _Sheet:
    """What stands on paper of one record."""

    def __init__(self, record: Record, vocabulary: Vocabulary) -> None:
        subject = record.subject
        self._subject, self._vocabulary, self._made = subject, vocabulary, record.visit.entries[0]
        self._zone = subject.infusion_at.tzinfo
        self._document, self._result = record_document(record), subject.result
        self._trace = json.loads(subject.contents.trace)

    def printout(self, address: str, person: Person) -> Printout:
        dose = next((each.get("value") for each in self._known() if each["fact"] == "dose_number"), None)
        view = result_view(self._result, self._vocabulary, dose)
        document, acts = self._document, [*self._acts()]
        return Printout(
            id=self._subject.id,
            address=address,
            site=self._subject.site,
            result=view,
            starts=self._moment(view.strip.infusion_at),
            unanswered=len(document["open"]),
            needs_her=tuple(map(self._finding, view.needs_her)),
            passed=tuple(map(self._finding, view.passed)),
            others=tuple(self._others(view)),
            unknown=tuple(self._unknown()),
            fault=self._trace["fault"] is not None,
            observation_sources=cited((self._result["observation"] or {"sources": ()})["sources"]),
            double_check_asked=self._asked(),
            double_check=str(DOUBLE_CHECKS[document["double_check"]]),
            double_checks=tuple(map(self._double_checked, document["double_checks"])),
            attestations=tuple(map(self._attested, document["attestations"])),
            outcomes=tuple(map(self._ended, document["outcomes"])),
            supersedes=document["supersedes"],
            superseded_by=document["superseded_by"],
            made_by=self._subject.actor,
            evaluated=self._moment(datetime.fromisoformat(self._result["evaluated_at"])),
            entry=self._made.sequence,
            entry_digest=self._made.digest,
            printed=Signed(person.name, person.act.role, self._moment(person.act.at)),
            created=_utc(self._subject.made_at),
            changed=_utc(max([self._subject.made_at, *acts])),
        )

    def _acts(self) -> Iterator[datetime]:
        for kind in ("acknowledgements", "overrides", "double_checks", "attestations", "outcomes"):
            yield from (datetime.fromisoformat(each["at"]) for each in self._document[kind])

    def _moment(self, at: datetime) -> str:
        """A time at the offset that the infusion was planned in, and in UTC."""
        local, utc = at.astimezone(self._zone), at.astimezone(UTC)
        day = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
        offset = local.isoformat(timespec="minutes")[-6:]
        return f"{local:%Y-%m-%d %H:%M} {offset} ({day}{utc:%H:%M} UTC)"

    def _signed(self, document: Mapping[str, Any]) -> Signed:
        return Signed(
            document["name"], document["role"], self._moment(datetime.fromisoformat(document["at"]))
        )

    def _finding(self, finding: FindingView) -> PrintedFinding:
        override = str(OVERRIDES[finding.override]) if finding.override else None
        return PrintedFinding(finding, override, self._answer(finding))

    def _answer(self, finding: FindingView) -> Answered | None:
        for kind in ("acknowledgements", "overrides"):
            for each in self._document[kind]:
                if (each["check"], each["rule"]) == finding.key:
                    return Answered(
                        by=self._signed(each),
                        is_override=kind == "overrides",
                        reason=each["reason_text"],
                        comment=each["comment"],
                        order_reference=each.get("order_reference"),
                    )
        return None

    def _known(self) -> Iterator[Mapping[str, Any]]:
        return (each for each in self._trace["facts"] if each["known"] == "yes")

    def _others(self, view: ResultView) -> Iterator[Seen]:
        settled = {seen.fact for finding in view.findings for seen in finding.because}
        for each in self._known():
            if each["fact"] not in settled:
                yield Seen(
                    each["fact"],
                    label_of(each["fact"], self._vocabulary),
                    self._value(each["fact"], each),
                    each.get("at"),
                    each.get("source"),
                )

    def _value(self, fact: str, given: Mapping[str, Any] | None) -> str:
        if given is None:
            return gettext("not known")
        return value_in_words(given["value"], given.get("unit"), self._vocabulary.facts.get(fact))

    def _unknown(self) -> Iterator[NotKnown]:
        labels: dict[str, list[str]] = {}
        for each in self._trace["facts"]:
            if each["known"] == "no":
                labels.setdefault(each["detail"], []).append(label_of(each["fact"], self._vocabulary))
        return (NotKnown(detail, tuple(found)) for detail, found in labels.items())

    def _asked(self) -> DoubleCheckAsked | None:
        asked = self._result.get("independent_double_check")
        return DoubleCheckAsked(asked["because"], cited(asked["sources"])) if asked else None

    def _double_checked(self, document: Mapping[str, Any]) -> DoubleChecked:
        return DoubleChecked(self._signed(document), tuple(map(self._compared, document["facts"] or ())))

    def _compared(self, each: Mapping[str, Any]) -> Compared:
        fact = each["fact"]
        return Compared(
            label=label_of(fact, self._vocabulary),
            agrees=each["agrees"],
            first=self._value(fact, each["first"]),
            second=self._value(fact, each["second"]),
        )

    def _attested(self, document: Mapping[str, Any]) -> Attested:
        return Attested(
            by=self._signed(document),
            meaning=str(MEANINGS[document["meaning"]]),
            record=document["record"],
            covers_all=document["covers_all"],
        )

    def _ended(self, document: Mapping[str, Any]) -> Ended:
        return Ended(
            by=self._signed(document),
            outcome=str(OUTCOMES[document["outcome"]]),
            reason=document["reason_text"],
            comment=document["comment"],
        )


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
