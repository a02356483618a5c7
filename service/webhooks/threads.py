"""Threads: what is told of one patient and drug is told in order. The first checklist names the thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

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
    )
    found = connection.execute(whose).first()
    if found is None:
        return ()
    # The first entry about a checklist is that of its making. It is asked for in this way so that no planner
    # goes through all entries of that event.
    entered = (
        select(func.min(journal.c.sequence))
        .where(journal.c.site == site, journal.c.subject == checklists.c.id)
        .scalar_subquery()
    )
    wanted = (
        select(checklists, entered.label("sequence"), contents.c.infusion_at)
        .join(contents, contents.c.checklist == checklists.c.id)
        .where(contents.c.site == site, contents.c.patient == found.patient)
    )
    made = [
        Made(row.id, row.sequence, row.status, datetime.fromisoformat(row.infusion_at).date(), row.supersedes)
        for row in connection.execute(wanted)
        if row.drug == found.drug
    ]
    return tuple(sorted(made, key=lambda each: each.sequence))


def status_before(thread: Sequence[Made], checklist: str) -> str | None:
    """The status that a checklist changes: of the one that it corrects, else of the last one for its day.

    None where there is no such one, or it has the same status.
    """
    made = next(each for each in thread if each.id == checklist)
    corrected = [each for each in thread if each.id == made.supersedes]
    earlier = [each for each in thread if each.sequence < made.sequence and each.day == made.day]
    before = (corrected or earlier)[-1:]
    return before[0].status if before and before[0].status != made.status else None
