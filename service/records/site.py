"""The records of one site: every write is a transaction that ends with the journal entry of what it did."""

import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from service.records import migrate
from service.records.database import Database, StoreUnavailable, add_once
from service.records.journal import (
    NOTHING_BEFORE,
    Act,
    Event,
    JournalEntry,
    commitments_of,
    link,
)
from service.records.prepared import Prepared
from service.records.signing import Keys
from service.records.tables import chains, checkpoints, journal, remarks

DEMONSTRATION = "DEMONSTRATION"  # the one site whose patients are all made up
SALT_BYTES = 32
CHECKPOINT_EVERY = 100
# On PostgreSQL, who stops in the middle while holding a chain loses it after this time: all others wait.
_LOSE_IT = func.set_config("idle_in_transaction_session_timeout", "5s", True)

_NEW = {each.name: bindparam(f"new_{each.name}", type_=each.type) for each in journal.columns}
_ENTER = insert(journal).values(_NEW)
_GROW = (
    update(chains)
    .where(chains.c.site == _NEW["site"])
    .values({name: _NEW[name] for name in ("sequence", "at", "digest")})
)
_LINK = {
    "sqlite": [Prepared(_ENTER), Prepared(_GROW)],
    "postgresql": [Prepared(_GROW.add_cte(_ENTER.cte("entered")))],
}
_HEAD = select(chains, migrate.REVISION).where(chains.c.site == bindparam("chain")).with_for_update(of=chains)
_HEADS = {"sqlite": _HEAD, "postgresql": _HEAD.add_columns(_LOSE_IT)}


@dataclass
class Writing:
    """A transaction that is under way. Its entries come last, since they hold the chain.

    `wrote_nothing` is said by one that found nothing to do.
    """

    connection: Connection
    site: str
    keys: Keys
    entries: list[JournalEntry] = field(default_factory=list)
    wrote_nothing: bool = False
    _head: Row[Any] | None = None

    def alone(self) -> None:
        """From here on nobody else writes to this site's journal: what is read of it stays true."""
        if self._head is None:
            self._head = _locked(self.connection, self.site)

    def enter(
        self,
        act: Act,
        event: Event,
        subject: str,
        details: Mapping[str, Any] | None = None,
        commitments: Mapping[str, str] | None = None,
    ) -> JournalEntry:
        """Enter an event; `commitments` are to contents kept under the same subject."""
        self.alone()
        head = self.entries[-1] if self.entries else self._head
        assert head is not None
        entry = link(
            (self.site, head.sequence + 1, head.digest),
            act,
            event,
            subject,
            details=details or {},
            commitments=commitments or {},
        )
        row = {f"new_{name}": value for name, value in vars(entry).items()}
        for statement in _LINK[self.connection.dialect.name]:
            statement.run(self.connection, row)
        # Every so many entries, and with the first one of a day: what came before it is then signed too.
        if entry.sequence % CHECKPOINT_EVERY == 0 or _day(entry.at) != _day(head.at):
            self.checkpoint(entry)
        self.entries.append(entry)
        return entry

    def checkpoint(self, entry: JournalEntry) -> None:
        """Keep a signed checkpoint of the chain up to this entry."""
        add_once(self.connection, checkpoints, vars(self.keys.checkpoint(entry)))

    def remark(
        self,
        act: Act,
        event: Event,
        subject: str,
        *,
        details: Mapping[str, Any],
        parts: Mapping[str, str],
        patient: str | None,
    ) -> JournalEntry:
        """Enter an event with words that are kept apart, under a salt, and erased with the patient."""
        id, salt = str(uuid.uuid4()), secrets.token_bytes(SALT_BYTES)
        row = {"id": id, "site": self.site, "patient": patient, "salt": salt, "parts": dict(parts)}
        self.connection.execute(insert(remarks).values(row))
        committed = commitments_of(salt, {part: text.encode() for part, text in parts.items()})
        return self.enter(act, event, subject, {**details, "remark": id}, committed)


class NotJournaled(AssertionError):
    """A transaction was about to write something of which the journal says nothing."""


class SiteRecords:
    """The database as one site sees it, with the keys that sign its checkpoints."""

    def __init__(self, database: Database, site: str, keys: Keys) -> None:
        self.database, self.site, self.keys = database, site, keys

    @property
    def demonstration(self) -> bool:
        """Whether nobody here is real."""
        return self.site == DEMONSTRATION

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreUnavailable."""
        with self.database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """A transaction that writes and says so in the journal. Raises StoreUnavailable, NotJournaled."""
        with self.database.writing() as connection:
            writing = Writing(connection, self.site, self.keys)
            yield writing
            if not (writing.entries or writing.wrote_nothing):
                raise NotJournaled

    def prove(self) -> None:
        """Return where an entry could be made and kept now. Raises StoreUnavailable."""
        with self.database.writing() as connection:
            _locked(connection, self.site)
            self.database.touch(connection)

    @contextmanager
    def noting(self) -> Iterator[Connection]:
        """A transaction for what is no event, as when a key was last used. Raises StoreUnavailable."""
        with self.database.writing() as connection:
            yield connection

    def enter(
        self, act: Act, event: Event, subject: str, details: Mapping[str, Any] | None = None
    ) -> JournalEntry:
        """Enter an event that changes nothing else. Raises StoreUnavailable."""
        with self.writing() as writing:
            return writing.enter(act, event, subject, details)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _locked(connection: Connection, site: str) -> Row[Any]:
    """The head of the chain, held until the end of the transaction, in tables of this version."""
    found = connection.execute(_HEADS[connection.dialect.name], {"chain": site}).one_or_none()
    if found is None:
        raise StoreUnavailable(f"the database has no journal of the site {site}")
    migrate.check(found.revision)
    return found


def open_chain(database: Database, site: str, at: datetime) -> None:
    """Begin the chain of a site that has none. Raises StoreUnavailable."""
    with database.writing() as connection:
        if connection.execute(select(chains.c.site).where(chains.c.site == site)).first() is None:
            add_once(connection, chains, {"site": site, "sequence": 0, "at": at, "digest": NOTHING_BEFORE})
