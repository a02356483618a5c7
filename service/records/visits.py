"""What is done about a checklist: each act is checked against all that was done before, and then entered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from service.intake.documents import plain
from service.intake.errors import BadInput, FieldError
from service.intake.second_person import RulesChanged, compared, facts_received
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.records.journal import Act, Event, JournalEntry
from service.records.reasons import SAYS_NOTHING_ALONE, OutcomeReason, Reason
from service.records.record import CannotAct, Meaning, Outcome, Visit
from service.records.site import SiteRecords, Writing
from service.records.store import PatientErased
from service.records.subjects import (
    Subject,
    earlier_visits,
    entries_behind,
    remarks_of,
    subject_of,
    visit_of,
)


@dataclass(frozen=True)
class Person:
    """Who does something, by the printed name, and as what the journal has it."""

    name: str
    act: Act


@dataclass(frozen=True)
class Answer:
    """What somebody says to a finding, named by its check and rule; the words are erased with the patient."""

    check: str
    rule: str | None
    reason: Reason
    comment: str | None = None
    order_reference: str | None = None

    @property
    def words(self) -> dict[str, str]:
        """What is kept apart."""
        return _said({"comment": self.comment, "order_reference": self.order_reference})


@dataclass(frozen=True)
class Ending:
    """How a visit ended, and why; the comment is erased with the patient."""

    outcome: Outcome
    reason: OutcomeReason | None = None
    comment: str | None = None

    @property
    def words(self) -> dict[str, str]:
        """What is kept apart."""
        return _said({"comment": self.comment})


@dataclass(frozen=True)
class Record:
    """A visit with the words that go with it, and visits before it that were held, stopped or overridden.

    `remarks` are by the id under which an entry names them; what is not there has been erased.
    `superseding` is the checklist that corrects this one.
    """

    subject: Subject
    visit: Visit
    remarks: Mapping[str, Mapping[str, str]]
    earlier: tuple[Visit, ...] = ()
    superseding: Subject | None = None


class Visits:
    """The visits of one site.

    Every act raises NoSuchChecklist, PatientErased, CannotAct and StoreUnavailable.
    """

    def __init__(self, records: SiteRecords) -> None:
        self._records, self._site = records, records.site

    def acknowledge(self, id: str, answer: Answer, by: Person) -> JournalEntry:
        """Acknowledge a warn. Raises BadInput where the reason needs a comment and has none."""
        if answer.reason in SAYS_NOTHING_ALONE and answer.comment is None:
            raise BadInput([FieldError("comment", "is missing: this reason says too little by itself")])
        with self._acting(id) as (writing, subject, visit):
            visit.check_acknowledgeable((answer.check, answer.rule))
            return _answered(writing, Event.WARN_ACKNOWLEDGED, subject, answer, by)

    def override(self, id: str, answer: Answer, by: Person) -> JournalEntry:
        """Override a block, for this dose only."""
        with self._acting(id) as (writing, subject, visit):
            visit.check_overridable((answer.check, answer.rule))
            return _answered(writing, Event.BLOCK_OVERRIDDEN, subject, answer, by)

    def attest(self, id: str, meaning: Meaning, by: Person) -> tuple[JournalEntry, bool]:
        """Sign the record as it is; the signature, and whether it was given before."""
        with self._acting(id) as (writing, subject, visit):
            before = visit.attested_before(by.act.actor, meaning)
            if before is not None:
                writing.wrote_nothing = True
                return before, True
            local = by.act.at.astimezone(subject.infusion_at.tzinfo)
            details = {"name": by.name, "meaning": meaning.value, "local_at": local.isoformat()}
            signed = {**details, "record": visit.digest}
            return writing.enter(by.act, Event.ATTESTED, subject.id, signed), False

    def end(self, id: str, ending: Ending, by: Person) -> tuple[JournalEntry, bool]:
        """Record how the visit ended and what was open then; and whether the same person said so last.

        Raises BadInput where it must be explained and is not.
        """
        with self._acting(id) as (writing, subject, visit):
            visit.check_stands()
            if visit.outcome is not None and _says_again(writing, visit.outcome, ending, by):
                writing.wrote_nothing = True
                return visit.outcome, True
            if visit.must_explain(ending.outcome):
                _check_explained(ending)
            details = {
                "name": by.name,
                "outcome": ending.outcome.value,
                "open": [finding.document() for finding in visit.open_findings],
                "double_check": visit.double_check.value,
            }
            if ending.reason is not None:
                details["reason"] = ending.reason.value
            event = Event.OUTCOME_RECORDED
            return _entered(writing, by.act, event, subject, details=details, words=ending.words), False

    def double_check_asked(self, id: str, by: Person) -> tuple[Subject, tuple[str, ...]]:
        """The checklist, and the facts that this second person is asked for; entered as such."""
        with self._acting(id) as (writing, subject, visit):
            visit.check_second_person(by.act.actor, entries_behind(writing.connection, subject))
            writing.enter(by.act, Event.DOUBLE_CHECK_VIEWED, subject.id)
            return subject, visit.asked

    def double_check(
        self, id: str, facts: Any, library: Library, by: Person
    ) -> tuple[JournalEntry, list[dict[str, Any]]]:
        """Keep what a second person entered; the entry, and each fact as both gave it.

        Raises BadInput where these are not exactly the facts asked for.
        """
        with self._acting(id) as (writing, subject, visit):
            visit.check_second_person(by.act.actor, entries_behind(writing.connection, subject))
            try:
                first = facts_received(subject.request, library)
                found = compared(visit.asked, first, facts, subject.infusion_at, library.vocabulary)
            except RulesChanged:
                raise CannotAct("The rules have changed since: make the checklist anew.") from None
            details = {
                "name": by.name,
                "agrees": [each.fact for each in found if each.agrees],
                "differs": [each.fact for each in found if not each.agrees],
            }
            both = [asdict(each) for each in found]
            words = {"facts": canonical(plain(facts)).decode(), "compared": canonical(both).decode()}
            entry = _entered(writing, by.act, Event.DOUBLE_CHECKED, subject, details=details, words=words)
        return entry, both

    def record(self, id: str, act: Act) -> Record:
        """The whole record, erased or not, for somebody to see; entered as such."""
        with self._records.writing() as writing:
            connection = writing.connection
            subject = subject_of(connection, self._site, id)
            visit = visit_of(connection, subject)
            earlier = earlier_visits(connection, subject, visit.entries[0].sequence)
            entries = [entry for each in (visit, *earlier) for entry in each.entries]
            newer = subject_of(connection, self._site, visit.superseded_by) if visit.superseded_by else None
            words = remarks_of(connection, entries)
            writing.enter(act, Event.RECORD_VIEWED, subject.id)
        return Record(subject, visit, words, earlier, newer)

    @contextmanager
    def _acting(self, id: str) -> Iterator[tuple[Writing, Subject, Visit]]:
        """A transaction that is alone with a visit: what was done about it stays all that was done."""
        with self._records.writing() as writing:
            writing.alone()
            subject = subject_of(writing.connection, self._site, id)
            if subject.kept is None:
                raise PatientErased
            yield writing, subject, visit_of(writing.connection, subject)


def _answered(writing: Writing, event: Event, subject: Subject, answer: Answer, by: Person) -> JournalEntry:
    details = {"name": by.name, "check": answer.check, "rule": answer.rule, "reason": answer.reason.value}
    return _entered(writing, by.act, event, subject, details=details, words=answer.words)


def _said(words: Mapping[str, str | None]) -> dict[str, str]:
    return {name: each for name, each in words.items() if each is not None}


def _entered(
    writing: Writing,
    act: Act,
    event: Event,
    subject: Subject,
    *,
    details: Mapping[str, Any],
    words: Mapping[str, str],
) -> JournalEntry:
    if not words:
        return writing.enter(act, event, subject.id, details)
    return writing.remark(act, event, subject.id, details=details, parts=words, patient=subject.patient)


def _says_again(writing: Writing, last: JournalEntry, ending: Ending, by: Person) -> bool:
    """Whether the same person sends the outcome that was recorded last once more."""
    words = remarks_of(writing.connection, [last]).get(last.details.get("remark", ""), {})
    said = (last.actor, last.details["outcome"], last.details.get("reason"), words.get("comment"))
    return said == (by.act.actor, ending.outcome, ending.reason, ending.comment)


def _check_explained(ending: Ending) -> None:
    said = {"reason": ending.reason, "comment": ending.comment}
    why = "is missing: say why it was held, stopped or corrected, or begun with something open"
    if missing := [FieldError(name, why) for name, each in said.items() if each is None]:
        raise BadInput(missing)
