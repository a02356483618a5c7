"""Retention that has ended: what is known of patients from before a day is taken out, for all of them.

As with an erasure, the entries and their commitments stay, and the chain still verifies.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, or_, select

from service.records.erasure import Reason
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import checklists, contents, idempotency, journal, remarks

SUBJECT = "retention"
AT_ONCE = 500  # in one transaction, under one entry: others write in between
_REMARK = journal.c.details["remark"].as_string()


@dataclass(frozen=True)
class Expired:
    """How many checklists and remarks are from before a day."""

    checklists: int
    remarks: int

    @property
    def total(self) -> int:
        """How many things that is."""
        return self.checklists + self.remarks


def expired(records: SiteRecords, before: datetime) -> Expired:
    """What would be erased. Raises StoreUnavailable.

    Checklists that were made, and meant for, before that moment; words that were said before it, unless they
    are about a checklist that is kept.
    """
    with records.reading() as connection:
        return Expired(
            *(_count(connection, _old(records.site, before, what)) for what in (contents, remarks))
        )


def expire(records: SiteRecords, before: datetime, day: date, act: Act) -> int:
    """Erase it for good, some at a time; the number of journal entries that say so. Raises StoreUnavailable.

    `day` is how the moment is called in the journal. Where it breaks off, what the entries say is erased.
    """
    entries = 0
    for what in (contents, remarks):
        while _expire_some(records, _old(records.site, before, what).limit(AT_ONCE), what, day, act):
            entries += 1
    return entries


def _expire_some(records: SiteRecords, old: Select[Any], what: Any, day: date, act: Act) -> bool:
    with records.writing() as writing:
        writing.alone()
        ids = list(writing.connection.scalars(old))
        if not ids:
            writing.wrote_nothing = True
            return False
        if what is contents:
            writing.connection.execute(delete(idempotency).where(idempotency.c.checklist.in_(ids)))
        [key] = what.primary_key
        writing.connection.execute(delete(what).where(key.in_(ids)))
        gone = {"checklists": ids, "remarks": []} if what is contents else {"checklists": [], "remarks": ids}
        said = {**gone, "before": day.isoformat(), "reason": Reason.RETENTION_ENDED.value}
        writing.enter(act, Event.PATIENT_ERASED, SUBJECT, said)
    return True


def _old(site: str, before: datetime, what: Any) -> Select[Any]:
    """The ids of what is from before a moment, in order."""
    made = contents.join(checklists, checklists.c.id == contents.c.checklist)
    if what is contents:
        mine = (contents.c.site == site, contents.c.infusion_utc < before, checklists.c.created_at < before)
        return select(contents.c.checklist).select_from(made).where(*mine).order_by(contents.c.checklist)
    late = or_(contents.c.infusion_utc >= before, checklists.c.created_at >= before)
    kept = exists().select_from(made).where(contents.c.checklist == journal.c.subject, late)
    here = _REMARK.in_(select(remarks.c.id).where(remarks.c.site == site))
    return select(_REMARK).where(journal.c.site == site, journal.c.at < before, here, ~kept).order_by(_REMARK)


def _count(connection: Connection, ids: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(ids.subquery())).scalar_one()
