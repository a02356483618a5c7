"""The store: every checklist, in SQLite. What it answers is committed; what fails is `StoreUnavailable`."""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from service.records.entries import Basis, Entry, Once
from service.records.tables import checklists, idempotency, knowledge, metadata, policies

_WAIT_MS, _TRIES = 5000, 100
_ENTRY = tuple(checklists.c[name] for name in Entry.__dataclass_fields__)


class StoreUnavailable(Exception):
    """The store did not answer, or could not keep what it was given."""


class NoSuchChecklist(Exception):
    """No checklist has this id."""


class KeyReused(Exception):
    """The idempotency key came before with another body."""


class Store:
    """Checklists in one SQLite file. Safe between threads and between processes."""

    def __init__(self, url: str) -> None:
        """Open the file, and make it where there is none. Raises StoreUnavailable."""
        # Parameters hold what is known of a patient: no log and no error ever shows them.
        self._engine = create_engine(url, hide_parameters=True)
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(begin="IMMEDIATE")
        try:
            _own_file(make_url(url).database)
            with self._transaction(self._writer) as connection:
                metadata.create_all(connection)
        except (OSError, StoreUnavailable) as error:
            self.close()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreUnavailable(f"the database cannot be opened: {reason}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def ping(self) -> None:
        """Return where the store answers. Raises StoreUnavailable."""
        with self._transaction(self._engine) as connection:
            connection.execute(select(checklists.c.id).limit(1)).first()

    def add(self, entry: Entry, basis: Basis, once: Once | None = None) -> Entry:
        """Keep a checklist and all that it rests on, in one transaction; the entry that is kept.

        Where another one was kept under the same key meanwhile, it is that one. Raises KeyReused,
        StoreUnavailable.
        """
        with self._transaction(self._writer) as connection:
            if once is not None and (first := _first(connection, once)) is not None:
                return first
            _keep_basis(connection, basis)
            row = {**vars(entry), "id": _valid(entry.id), "created_at": _text(entry.created_at)}
            row |= {"knowledge": basis.knowledge, "policy": basis.policy}
            connection.execute(insert(checklists).values(row))
            if once is not None:
                connection.execute(insert(idempotency).values(**vars(once), checklist=entry.id))
        return entry

    def get(self, id: str) -> Entry:
        """The checklist with this id. Raises NoSuchChecklist, StoreUnavailable."""
        with self._transaction(self._engine) as connection:
            row = connection.execute(select(*_ENTRY).where(checklists.c.id == _valid(id))).first()
        return _entry(_found(row))

    def result(self, id: str) -> bytes:
        """The result as it was answered. Raises NoSuchChecklist, StoreUnavailable."""
        return self._bytes("result", id)

    def trace(self, id: str) -> bytes:
        """The trace of that checklist. Raises NoSuchChecklist, StoreUnavailable."""
        return self._bytes("trace", id)

    def by_key(self, once: Once) -> Entry | None:
        """The checklist kept under this key, if any. Raises KeyReused, StoreUnavailable."""
        with self._transaction(self._engine) as connection:
            return _first(connection, once)

    def basis(self, id: str) -> Basis:
        """The files and the policy of a checklist. Raises NoSuchChecklist, StoreUnavailable."""
        wanted = (
            select(knowledge.c.files, knowledge.c.digest, policies.c.text, policies.c.digest.label("policy"))
            .select_from(checklists)
            .join(knowledge, knowledge.c.digest == checklists.c.knowledge)
            .join(policies, policies.c.digest == checklists.c.policy)
            .where(checklists.c.id == _valid(id))
        )
        with self._transaction(self._engine) as connection:
            row = _found(connection.execute(wanted).first())
        return Basis(json.loads(row.files), row.digest, row.text, row.policy)

    def _bytes(self, column: str, id: str) -> bytes:
        with self._transaction(self._engine) as connection:
            wanted = select(checklists.c[column]).where(checklists.c.id == _valid(id))
            return bytes(_found(connection.execute(wanted).first())[0])

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            # The statement and its parameters are in the error's own text, so that is not passed on.
            raise StoreUnavailable(str(getattr(error, "orig", None) or type(error).__name__)) from None


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Durable settings, on each new connection; transactions begin in `_begin`, not in the driver."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write ahead. The first switch needs the file alone and does not wait for it, so it is tried again."""
    for left in reversed(range(_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not left or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_WAIT_MS / 1000 / _TRIES)
        else:
            return


def _begin(connection: Connection) -> None:
    """A writer takes the write lock at once: what it reads before it writes is then still true."""
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _own_file(path: str | None) -> None:
    """Records are the site's own: a new file is for its owner only, and SQLite's others like it."""
    if path:
        Path(path).touch(mode=0o600)


def _keep_basis(connection: Connection, basis: Basis) -> None:
    if (
        connection.execute(select(knowledge.c.digest).where(knowledge.c.digest == basis.knowledge)).first()
        is None
    ):
        files = json.dumps(dict(basis.files), sort_keys=True)
        connection.execute(insert(knowledge).values(digest=basis.knowledge, files=files))
    if connection.execute(select(policies.c.digest).where(policies.c.digest == basis.policy)).first() is None:
        connection.execute(insert(policies).values(digest=basis.policy, text=basis.policy_text))


def _first(connection: Connection, once: Once) -> Entry | None:
    wanted = (
        select(idempotency.c.body, *_ENTRY)
        .join(checklists, checklists.c.id == idempotency.c.checklist)
        .where(idempotency.c.key == once.key)
    )
    row = connection.execute(wanted).first()
    if row is not None and row.body != once.body:
        raise KeyReused
    return _entry(row) if row is not None else None


def _found(row: Any) -> Any:
    if row is None:
        raise NoSuchChecklist
    return row


def _entry(row: Any) -> Entry:
    fields = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
    return Entry(**{**fields, "created_at": datetime.fromisoformat(fields["created_at"])})


def _valid(id: str) -> str:
    """The id as it is written in the table. Raises NoSuchChecklist where it cannot be one."""
    try:
        return str(uuid.UUID(id))
    except ValueError:
        raise NoSuchChecklist from None


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
