"""Threads: what is told of one patient and drug is told in order. The first checklist names the thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from service.records.journal import Event
from service.records.tables import checklists, contents, journal


@dataclass(frozen=True)
class Made:
    """A checklist; `sequence` is the entry of its making, `day` that of the infusion in its own offset."""

    id: str
    sequence: int
    status: str
    day: date
    supersedes: str | None


def thread_of(connection: Connection, site: str, checklist: str) -> tuple[Made, ...]:
    """All checklists of the patient and drug of this one, in the order of their making; none once erased."""
    whose = (
        select(contents.c.patient, checklists.c.drug)
        .join(checklists, checklists.c.id == contents.c.checklist)
        .where(contents.c.checklist == checklist, contents.c.site == site)
        .subquery()
    )
    wanted = (
        select(checklists, journal.c.sequence, contents.c.infusion_at)
        .join(contents, contents.c.checklist == checklists.c.id)
        .join(whose, (whose.c.patient == contents.c.patient) & (whose.c.drug == checklists.c.drug))
        .join(journal, journal.c.subject == checklists.c.id)
        .where(contents.c.site == site, journal.c.site == site)
        .where(journal.c.event == Event.CHECKLIST_MADE.value)
        .order_by(journal.c.sequence)
    )
    return tuple(
        Made(row.id, row.sequence, row.status, datetime.fromisoformat(row.infusion_at).date(), row.supersedes)
        for row in connection.execute(wanted)
    )


def status_before(thread: Sequence[Made], checklist: str) -> str | None:
    """The status that a checklist changes: of the one that it corrects, else of the last one for its day.

    None where there is no such one, or it has the same status.
    """
    made = next(each for each in thread if each.id == checklist)
    corrected = [each for each in thread if each.id == made.supersedes]
    earlier = [each for each in thread if each.sequence < made.sequence and each.day == made.day]
    before = (corrected or earlier)[-1:]
    return before[0].status if before and before[0].status != made.status else None
