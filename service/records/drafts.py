"""Drafts: what somebody has entered and not yet asked about.

They outlive a lock, a reload and a change of nurse. A draft has no history, only who kept it last and when;
that it was kept, seen or discarded is in the journal.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing
from service.records.tables import drafts, journal

MOST_LISTED = 100
BECAME = "checklist"  # in the entry of a draft that is gone: what was made of it


class NoSuchDraft(Exception):
    """No draft has this id here."""


class DraftChanged(Exception):
    """Something else is kept under the id of this draft meanwhile."""


@dataclass(frozen=True)
class Draft:
    """A draft as it was kept last: when, by whom, and as which bytes."""

    id: str
    updated_at: datetime
    actor: str
    body: bytes


_COLUMNS = tuple(drafts.c[name] for name in Draft.__dataclass_fields__)


class Drafts:
    """The drafts of one site. All of it raises StoreUnavailable."""

    def __init__(self, records: SiteRecords) -> None:
        self._records = records

    def keep(self, id: str, body: bytes, patient: str | None, act: Act) -> tuple[Draft, bool]:
        """Keep a draft in place of what was kept under this id; and whether it is new.

        Raises NoSuchDraft where the id is of another site.
        """
        with self._records.writing() as writing:
            writing.alone()
            kept = self.put(writing, id, body, patient, act)
            writing.enter(act, Event.DRAFT_KEPT, id)
        return kept

    def put(
        self, writing: Writing, id: str, body: bytes, patient: str | None, act: Act
    ) -> tuple[Draft, bool]:
        """The same in a transaction of the caller's, who enters it."""
        draft = Draft(id, act.at, act.actor, body)
        row = {**vars(draft), "patient": patient, "site": self._records.site}
        connection = writing.connection
        site = connection.execute(select(drafts.c.site).where(drafts.c.id == id)).scalar_one_or_none()
        if site not in (None, self._records.site):
            raise NoSuchDraft
        if site is None:
            connection.execute(insert(drafts).values(row))
        else:
            connection.execute(update(drafts).where(drafts.c.id == id).values(row))
        return draft, site is None

    @contextmanager
    def changing(self, id: str) -> Iterator[tuple[Writing, Draft]]:
        """A transaction that is alone with a draft: what is put is what became of it. Raises NoSuchDraft."""
        with self._records.writing() as writing:
            writing.alone()
            yield writing, self._found(writing.connection, id)

    def read(self, id: str, act: Act) -> Draft:
        """The draft, for somebody to go on with. Raises NoSuchDraft."""
        with self._records.writing() as writing:
            draft = self._found(writing.connection, id)
            writing.enter(act, Event.DRAFT_VIEWED, id)
        return draft

    def discard(self, id: str, act: Act) -> None:
        """Forget a draft. Raises NoSuchDraft."""
        with self._records.writing() as writing:
            writing.alone()
            self._found(writing.connection, id)
            self._discard(writing, id, act)

    def discard_left(self, ids: Iterable[str], before: datetime, act: Act) -> int:
        """Forget those of these drafts that nobody has kept since; how many."""
        left = (drafts.c.site == self._records.site, drafts.c.updated_at <= before, drafts.c.id.in_(ids))
        with self._records.writing() as writing:
            writing.alone()
            found = writing.connection.scalars(select(drafts.c.id).where(*left).order_by(drafts.c.id)).all()
            for id in found:
                self._discard(writing, id, act)
            writing.wrote_nothing = not found
        return len(found)

    def became(self, writing: Writing, draft: Draft, checklist: str, act: Act) -> None:
        """Forget a draft in the transaction that keeps the checklist made of it, and enter which that is.

        Raises DraftChanged where something else is kept under this id meanwhile, NoSuchDraft.
        """
        writing.alone()
        if self._found(writing.connection, draft.id).body != draft.body:
            raise DraftChanged
        self._discard(writing, draft.id, act, {BECAME: checklist})

    def became_of(self, id: str) -> str | None:
        """The id of the checklist that was made of a draft, if one was."""
        mine = (journal.c.site == self._records.site, journal.c.subject == id)
        wanted = select(journal.c.details).where(*mine, journal.c.event == Event.DRAFT_DISCARDED)
        with self._records.reading() as connection:
            last = connection.execute(wanted.order_by(journal.c.sequence.desc()).limit(1)).scalar()
        return None if last is None else last.get(BECAME)

    def of_patient(self, patient: str, act: Act) -> list[Draft]:
        """The drafts of a patient, the one kept last first; at most MOST_LISTED."""
        mine = (drafts.c.site == self._records.site, drafts.c.patient == patient)
        wanted = select(*_COLUMNS).where(*mine).order_by(drafts.c.updated_at.desc(), drafts.c.id)
        with self._records.writing() as writing:
            found = [_draft(row) for row in writing.connection.execute(wanted.limit(MOST_LISTED))]
            details = {"found": len(found)}
            writing.remark(act, Event.DRAFTS_SEARCHED, "drafts", details=details, parts={}, patient=patient)
        return found

    def _discard(self, writing: Writing, id: str, act: Act, details: Mapping[str, str] | None = None) -> None:
        mine = (drafts.c.id == id, drafts.c.site == self._records.site)
        writing.connection.execute(delete(drafts).where(*mine))
        writing.enter(act, Event.DRAFT_DISCARDED, id, details)

    def _found(self, connection: Connection, id: str) -> Draft:
        mine = (drafts.c.id == id, drafts.c.site == self._records.site)
        row = connection.execute(select(*_COLUMNS).where(*mine)).one_or_none()
        if row is None:
            raise NoSuchDraft
        return _draft(row)


def _draft(row: Any) -> Draft:
    return Draft(**{name: getattr(row, name) for name in Draft.__dataclass_fields__})
