"""A checklist with all that the journal says about it, read in one transaction."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from service.intake.json_text import parse_request
from service.records.drafts import BECAME
from service.records.journal import Event, JournalEntry
from service.records.record import Finding, Visit
from service.records.store import NoSuchChecklist, PatientErased, valid_id
from service.records.tables import checklists, contents, flagged, journal, remarks

_EARLIER_LOOKED_AT, _EARLIER_SHOWN = 50, 5


@dataclass(frozen=True)
class Subject:
    """The checklist that a visit is about. `kept` is what may be erased of it, None where it has been."""

    id: str
    site: str
    made_at: datetime
    drug: str
    status: str
    actor: str
    supersedes: str | None
    kept: Row[Any] | None

    @property
    def contents(self) -> Row[Any]:
        """What may be erased of it. Raises PatientErased."""
        if self.kept is None:
            raise PatientErased
        return self.kept

    @property
    def result(self) -> dict[str, Any]:
        """The result as a document. Raises PatientErased."""
        return dict(json.loads(self.contents.result))

    @property
    def request(self) -> dict[str, Any]:
        """The request as a document; its decimals are exact. Raises PatientErased."""
        return dict(parse_request(self.contents.request))

    @property
    def patient(self) -> str:
        """Whose it is. Raises PatientErased."""
        return str(self.contents.patient)

    @property
    def infusion_at(self) -> datetime:
        """When the infusion was meant to begin, in the offset that was asked for. Raises PatientErased."""
        return datetime.fromisoformat(self.contents.infusion_at)


def subject_of(connection: Connection, site: str, id: str) -> Subject:
    """The checklist with this id, erased or not. Raises NoSuchChecklist."""
    wanted = select(checklists).where(checklists.c.id == valid_id(id), checklists.c.site == site)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NoSuchChecklist
    kept = connection.execute(select(contents).where(contents.c.checklist == row.id)).one_or_none()
    return Subject(row.id, site, row.created_at, row.drug, row.status, row.actor, row.supersedes, kept)


def visit_of(connection: Connection, subject: Subject) -> Visit:
    """The visit that a checklist is about, as far as it has come."""
    newer = select(checklists.c.id).where(checklists.c.supersedes == subject.id)
    asked: tuple[str, ...] = ()
    if subject.kept is None:
        findings = _flagged(connection, subject)
    else:
        result = subject.result
        findings = tuple(
            Finding(each["check"], each["rule"], each["status"], each["kind"], each["override"])
            for each in result["findings"]
        )
        asked = tuple(result.get("independent_double_check", {"facts": ()})["facts"])
    return Visit(
        findings=findings,
        entries=entries_about(connection, subject.site, [subject.id]),
        asked=asked,
        superseded_by=connection.execute(newer).scalar_one_or_none(),
    )


def _flagged(connection: Connection, subject: Subject) -> tuple[Finding, ...]:
    """What is left of the findings of an erased patient: the rules that fired."""
    wanted = select(flagged.c.check, flagged.c.rule, flagged.c.status).where(
        flagged.c.checklist == subject.id
    )
    rows = connection.execute(wanted.order_by(flagged.c.status, flagged.c.rule))
    return tuple(Finding(row.check, row.rule, row.status) for row in rows)


def entries_about(connection: Connection, site: str, ids: Iterable[str]) -> tuple[JournalEntry, ...]:
    """All journal entries about these checklists, in order."""
    wanted = select(journal).where(journal.c.site == site, journal.c.subject.in_(list(ids)))
    rows = connection.execute(wanted.order_by(journal.c.sequence))
    return tuple(JournalEntry(**row._mapping) for row in rows)


def entries_behind(connection: Connection, subject: Subject) -> tuple[JournalEntry, ...]:
    """All journal entries about the checklists that this one corrects, and the drafts behind it and them."""
    ids: list[str] = []
    older = subject.supersedes
    while older is not None:
        ids.append(older)
        wanted = select(checklists.c.supersedes).where(checklists.c.id == older)
        older = connection.execute(wanted).scalar_one()
    drafts = select(journal.c.subject).where(
        journal.c.site == subject.site,
        journal.c.event == Event.DRAFT_DISCARDED.value,
        journal.c.details[BECAME].as_string().in_([subject.id, *ids]),
    )
    ids += connection.scalars(drafts)
    return entries_about(connection, subject.site, ids) if ids else ()


def earlier_visits(connection: Connection, subject: Subject, before: int) -> tuple[Visit, ...]:
    """The last visits of the same patient and drug that were held, stopped or overridden, the newest first.

    They were made before the entry with this sequence. None of an erased patient.
    """
    if subject.kept is None:
        return ()
    made = (
        select(journal.c.subject)
        .join(checklists, checklists.c.id == journal.c.subject)
        .join(contents, contents.c.checklist == checklists.c.id)
        .where(
            journal.c.site == subject.site,
            journal.c.event == Event.CHECKLIST_MADE.value,
            journal.c.sequence < before,
            contents.c.site == subject.site,
            contents.c.patient == subject.patient,
            checklists.c.drug == subject.drug,
        )
        .order_by(journal.c.sequence.desc())
        .limit(_EARLIER_LOOKED_AT)
    )
    ids = list(connection.execute(made).scalars())
    about: dict[str, list[JournalEntry]] = {id: [] for id in ids}
    for entry in entries_about(connection, subject.site, ids) if ids else ():
        about[entry.subject].append(entry)
    visits = (Visit((), tuple(entries)) for entries in about.values())
    return tuple(each for each in visits if each.was_held or each.was_overridden)[:_EARLIER_SHOWN]


def remarks_of(connection: Connection, entries: Iterable[JournalEntry]) -> Mapping[str, Mapping[str, str]]:
    """The words that entries commit to, by the id under which they name them; erased ones are not there."""
    named = [entry.details["remark"] for entry in entries if "remark" in entry.details]
    wanted = select(remarks.c.id, remarks.c.parts).where(remarks.c.id.in_(named))
    return {row.id: row.parts for row in connection.execute(wanted)} if named else {}
