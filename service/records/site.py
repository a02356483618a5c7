"""The records of one site: every write is a transaction that ends with the journal entry of what it did."""

import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from service import tracing
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
from service.records.signing import Checkpoint, Keys
from service.records.tables import chains, checkpoints, journal, remarks

DEMONSTRATION = "DEMONSTRATION"  # the one site whose patients are all made up
SALT_BYTES = 32
CHECKPOINT_EVERY = 100
# On PostgreSQL, who stops in the middle while holding a chain loses it after this time: all others wait.
_LOSE_IT = func.set_config("idle_in_transaction_session_timeout", "5s", True)

_NEW = {
    each.name: bindparam(f"new_{each.name}", type_=each.type) for each in (*journal.columns, *chains.columns)
}
_ENTER = insert(journal).values({each.name: _NEW[each.name] for each in journal.columns})
_GROW = (
    update(chains)
    .where(chains.c.site == _NEW["site"])
    .values({name: _NEW[name] for name in ("sequence", "at", "digest", "key", "signature")})
)
_LINK = {
    "sqlite": [Prepared(_ENTER), Prepared(_GROW)],
    "postgresql": [Prepared(_GROW.add_cte(_ENTER.cte("entered")))],
}
_HEAD = (
    select(chains, migrate.REVISION, migrate.OLDEST)
    .where(chains.c.site == bindparam("chain"))
    .with_for_update(of=chains)
)
_HEAD_NAMES = tuple(column.name for column in chains.columns)
_HEADS = {"sqlite": _HEAD, "postgresql": _HEAD.add_columns(_LOSE_IT)}


@dataclass
class Writing:
    """A transaction that is under way. Its entries come last, since they hold the chain.

    `head` is where the chain ends, once it is held. `wrote_nothing` is said by one that found nothing to do.
    """

    connection: Connection
    site: str
    keys: Keys
    entries: list[JournalEntry] = field(default_factory=list)
    wrote_nothing: bool = False
    head: Checkpoint | None = None

    def alone(self) -> None:
        """From here on nobody else writes to this site's journal: what is read of it stays true."""
        if self.head is None:
            self.head = _locked(self.connection, self.site, self.keys)

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
        head = self.head
        assert head is not None
        entry = link(
            (self.site, head.sequence + 1, head.digest),
            act,
            event,
            subject,
            details=details or {},
            commitments=commitments or {},
        )
        self.head = self.keys.head(self.site, entry.sequence, entry.at, entry.digest)
        row = {f"new_{name}": value for name, value in {**vars(entry), **vars(self.head)}.items()}
        for statement in _LINK[self.connection.dialect.name]:
            statement.run(self.connection, row)
        # Every so many entries, and with the first one of a day: signed by itself, and never replaced.
        if entry.sequence % CHECKPOINT_EVERY == 0 or _day(entry.at) != _day(head.at):
            self.checkpoint(entry)
        self.entries.append(entry)
        return entry

    def checkpoint(self, entry: JournalEntry) -> Checkpoint:
        """Keep a signed checkpoint of the chain up to this entry."""
        signed = self.keys.checkpoint(entry)
        add_once(self.connection, checkpoints, vars(signed))
        return signed

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
        """Enter an event with words that are kept apart, under a salt, and erased with the patient.

        The entry commits to each part, and to the patient as a part of its own.
        """
        id, salt = str(uuid.uuid4()), secrets.token_bytes(SALT_BYTES)
        row = {"id": id, "site": self.site, "patient": patient, "salt": salt, "parts": dict(parts)}
        self.connection.execute(insert(remarks).values(row))
        said = {**parts, "patient": patient} if patient is not None else parts
        committed = commitments_of(salt, {part: text.encode() for part, text in said.items()})
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
        with tracing.span("transaction"), self.database.writing() as connection:
            writing = Writing(connection, self.site, self.keys)
            yield writing
            if not (writing.entries or writing.wrote_nothing):
                raise NotJournaled

    def prove(self) -> None:
        """Return where an entry could be made and kept now. Raises StoreUnavailable."""
        with self.database.writing() as connection:
            _locked(connection, self.site, self.keys)
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


def _locked(connection: Connection, site: str, keys: Keys) -> Checkpoint:
    """The head of the chain, held until the end of the transaction, in tables that this version may use."""
    found = connection.execute(_HEADS[connection.dialect.name], {"chain": site}).one_or_none()
    if found is None:
        raise StoreUnavailable(f"the database has no journal of the site {site}")
    migrate.check(found.revision, found.oldest)
    head = Checkpoint(**{name: getattr(found, name) for name in _HEAD_NAMES})
    if keys.signed_head(head):
        return head
    # To go on from it would be to sign what somebody else wrote.
    if head.key in keys.public:
        raise StoreUnavailable(
            f"the head of the journal is not what key {head.key} signed: type dosegate verify, and put "
            "a backup in its place"
        )
    raise StoreUnavailable(
        f"the head of the journal is signed by key {head.key}, which is not in the file of signing keys: add "
        "its public key there"
    )


def sites_of(database: Database) -> list[str]:
    """The sites that have a journal in a database. Raises StoreUnavailable."""
    with database.reading() as connection:
        return list(connection.execute(select(chains.c.site).order_by(chains.c.site)).scalars())


def open_chain(database: Database, site: str, keys: Keys, at: datetime) -> None:
    """Begin the chain of a site that has none. Raises StoreUnavailable, BadKeyFile."""
    with database.writing() as connection:
        if connection.execute(select(chains.c.site).where(chains.c.site == site)).first() is None:
            add_once(connection, chains, vars(keys.head(site, 0, at, NOTHING_BEFORE)))
