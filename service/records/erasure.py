"""Erasure: what is known of a patient is taken out for good. The journal says so, and not of whom.

The entries and their commitments stay, so the chain still verifies. A commitment tells nothing without its
salt, and that is erased with what it was of.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, Select, delete, select, text

from service.records.database import Database
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import contents, drafts, idempotency, infusions, messages, remarks

_ERASED_FROM = "contents, remarks, drafts, infusions, messages, idempotency"
SUBJECT = "patient"
_COUNTED = (drafts.c.id, infusions.c.id, messages.c.id)


class Reason(StrEnum):
    """Why a patient is erased. The words are stored: add to them, never rename one."""

    PATIENT_REQUEST = "patient_request"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    RETENTION_ENDED = "retention_ended"
    COURT_ORDER = "court_order"
    RECORDED_IN_ERROR = "recorded_in_error"


@dataclass(frozen=True)
class Held:
    """What is kept of one patient: the ids of checklists and remarks, and how many of the others.

    `infusions` are those that are planned, `messages` what senders told of them.
    """

    checklists: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    drafts: int = 0
    infusions: int = 0
    messages: int = 0

    @property
    def total(self) -> int:
        """How many things that is."""
        others = self.drafts + self.infusions + self.messages
        return len(self.checklists) + len(self.remarks) + others


class HeldOtherwise(Exception):
    """What is kept of the patient is not (any longer) what was to be erased."""


def held(records: SiteRecords, patient: str) -> Held:
    """What is kept under this id, letter by letter. Raises StoreUnavailable."""
    with records.reading() as connection:
        return _held(connection, records.site, patient)


def erase(records: SiteRecords, patient: str, seen: Held, reason: Reason, act: Act) -> None:
    """Erase what was seen to be kept of a patient, all of it or nothing.

    Raises HeldOtherwise where meanwhile it is something else, StoreUnavailable.
    """
    with records.writing() as writing:
        writing.alone()
        if not seen.total or _held(writing.connection, records.site, patient) != seen:
            raise HeldOtherwise
        made = select(contents.c.checklist).where(
            contents.c.site == records.site, contents.c.patient == patient
        )
        writing.connection.execute(delete(idempotency).where(idempotency.c.checklist.in_(made)))
        for table in (contents, remarks, drafts, infusions, messages):
            gone = delete(table).where(table.c.site == records.site, table.c.patient == patient)
            writing.connection.execute(gone)
        details = {**vars(seen), "checklists": [*seen.checklists], "remarks": [*seen.remarks]}
        writing.enter(act, Event.PATIENT_ERASED, SUBJECT, {**details, "reason": reason.value})


def scrub(database: Database) -> str | None:
    """Overwrite what was erased, in the files of the database too; what is still to be done, or None.

    A role that owns the tables is needed on PostgreSQL. Raises StoreUnavailable.
    """
    with database.apart() as connection:
        return _scrub_sqlite(connection) if database.is_sqlite else _scrub_postgresql(connection)


def _held(connection: Connection, site: str, patient: str) -> Held:
    def of_patient(column: Column[Any]) -> Select[Any]:
        table = column.table
        return select(column).where(table.c.site == site, table.c.patient == patient).order_by(column)

    return Held(
        tuple(connection.scalars(of_patient(contents.c.checklist))),
        tuple(connection.scalars(of_patient(remarks.c.id))),
        *(len(connection.scalars(of_patient(each)).all()) for each in _COUNTED),
    )


def _scrub_sqlite(connection: Connection) -> str | None:
    """Pages are overwritten as they are freed (secure_delete); what they held is in the log until then."""
    busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return "the write-ahead log holds it until the service is stopped and started again" if busy else None


def _scrub_postgresql(connection: Connection) -> str:
    owner = text("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'contents'::regclass")
    if not connection.execute(owner).scalar_one():
        return f"the owner of the tables has to run VACUUM FULL {_ERASED_FROM}"
    connection.execute(text(f"VACUUM {_ERASED_FROM}"))
    return f"what is left in free space is overwritten as it fills, or at once by VACUUM FULL {_ERASED_FROM}"
