"""The journal page by page, for somebody to read; each page is entered as seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from service.records.journal import Act, Event, JournalEntry
from service.records.site import SiteRecords
from service.records.tables import journal

MOST_ENTRIES, USUAL_ENTRIES = 200, 50
SUBJECT = "journal"


@dataclass(frozen=True)
class Page:
    """Entries in their order, and after which one the next page begins; None where there is none."""

    entries: tuple[JournalEntry, ...]
    after: int | None

    def document(self) -> dict[str, Any]:
        """The page as JSON."""
        return {"entries": [entry.document() for entry in self.entries], "after": self.after}


def page(records: SiteRecords, act: Act, filters: Mapping[str, str], after: int, limit: int) -> Page:
    """The next entries with these values of `event`, `actor` and `subject`. Raises StoreUnavailable.

    What was asked for is not entered as it was written: anything may have been.
    """
    wanted = select(journal).where(journal.c.site == records.site, journal.c.sequence > after)
    for name, value in filters.items():
        wanted = wanted.where(journal.c[name] == value)
    with records.writing() as writing:
        rows = writing.connection.execute(wanted.order_by(journal.c.sequence).limit(limit + 1)).all()
        entries = tuple(JournalEntry(**row._mapping) for row in rows[:limit])
        more = entries[-1].sequence if len(rows) > limit else None
        details = {"filters": sorted(filters), "after": after, "entries": len(entries)}
        writing.enter(act, Event.JOURNAL_VIEWED, SUBJECT, details)
    return Page(entries, more)


@dataclass(frozen=True)
class NewestFirst:
    """Entries, the newest first, and the last entry of the next page; None where there is none."""

    entries: tuple[JournalEntry, ...]
    older: int | None


@dataclass(frozen=True)
class Period:
    """A time that holds its first moment and not its last; None is no bound."""

    first: datetime | None = None
    last: datetime | None = None


def newest(
    records: SiteRecords, act: Act, filters: Mapping[str, str], period: Period, through: int | None
) -> NewestFirst:
    """The entries up to one, the newest first, with these values. Raises StoreUnavailable."""
    wanted = select(journal).where(journal.c.site == records.site)
    for name, value in filters.items():
        wanted = wanted.where(journal.c[name] == value)
    if period.first is not None:
        wanted = wanted.where(journal.c.at >= period.first)
    if period.last is not None:
        wanted = wanted.where(journal.c.at < period.last)
    if through is not None:
        wanted = wanted.where(journal.c.sequence <= through)
    with records.writing() as writing:
        rows = writing.connection.execute(
            wanted.order_by(journal.c.sequence.desc()).limit(USUAL_ENTRIES + 1)
        ).all()
        entries = tuple(JournalEntry(**row._mapping) for row in rows[:USUAL_ENTRIES])
        older = rows[USUAL_ENTRIES].sequence if len(rows) > USUAL_ENTRIES else None
        named = [*filters, *(name for name, value in vars(period).items() if value is not None)]
        details = {"filters": sorted(named), "through": through, "entries": len(entries)}
        writing.enter(act, Event.JOURNAL_VIEWED, SUBJECT, details)
    return NewestFirst(entries, older)


def around(records: SiteRecords, act: Act, subject: str) -> tuple[JournalEntry, ...]:
    """The last entries about a subject, with the neighbours of each, in order. Raises StoreUnavailable."""
    here = journal.c.site == records.site
    own = select(journal.c.sequence).where(here, journal.c.subject == subject)
    with records.writing() as writing:
        last = own.order_by(journal.c.sequence.desc()).limit(USUAL_ENTRIES)
        numbers = set(writing.connection.scalars(last))
        near = {number + step for number in numbers for step in (-1, 0, 1)}
        wanted = select(journal).where(here, journal.c.sequence.in_(near)).order_by(journal.c.sequence)
        entries = tuple(JournalEntry(**row._mapping) for row in writing.connection.execute(wanted))
        details = {"filters": ["subject"], "entries": len(entries)}
        writing.enter(act, Event.JOURNAL_VIEWED, SUBJECT, details)
    return entries
