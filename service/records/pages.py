"""The journal page by page, for somebody to read; each page is entered as seen."""

from collections.abc import Mapping
from dataclasses import dataclass
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
