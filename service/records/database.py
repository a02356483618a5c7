"""The database: SQLite in one file, or PostgreSQL. What it commits is on disk, or is `StoreUnavailable`."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, TimeoutError

_WAIT_MS, _TRIES = 5000, 100
_HEALS_SOON, _HEALS_LATER = 2, 30
# The write lock of a chain is let go before its entry is on disk, so that many writers share one flush.
_FLUSH = (
    "BEGIN; SET LOCAL synchronous_commit TO on; SELECT pg_logical_emit_message(true, 'dosegate', ''); COMMIT"
)


class StoreUnavailable(Exception):
    """The records did not answer, or could not keep what they were given.

    `retry_after` is in seconds, and None where waiting mends nothing.
    """

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


class Database:
    """One database. Safe between threads and between processes, but not across a fork."""

    def __init__(self, url: str) -> None:
        """Open it, and make a SQLite file where there is none. Raises StoreUnavailable."""
        self.url = make_url(url)
        # Parameters hold what is known of a patient: no log and no error ever shows them.
        if self.is_sqlite:
            _own_file(self.url.database)
            self.engine = create_engine(self.url, hide_parameters=True)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._writer: Engine = self.engine.execution_options(begin="IMMEDIATE")
        else:
            self.engine = _postgresql(self.url.set(drivername="postgresql+psycopg"))
            self._writer = self.engine
            self._flusher = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Let go of it."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreUnavailable."""
        with _named_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; when this returns, what it wrote is on disk. Raises StoreUnavailable."""
        with _named_errors():
            with self._writer.begin() as connection:
                yield connection
            if not self.is_sqlite:
                self._flush()

    def _flush(self) -> None:
        with self._flusher.connect() as connection:
            connection.exec_driver_sql(_FLUSH)


def add_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row where none has its key; of two writers at once, one does."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=4,
        pool_timeout=_WAIT_MS / 1000,
        connect_args={
            "connect_timeout": _WAIT_MS // 1000,
            "application_name": "dosegate",
            "options": "-c synchronous_commit=off -c lock_timeout=5s -c statement_timeout=60s",
        },
    )


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, TimeoutError) as error:
        # The statement and its parameters are in the error's own text, so that is not passed on.
        raise _unavailable(error) from None


def _unavailable(error: DBAPIError | TimeoutError) -> StoreUnavailable:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    reason = f"{type(cause or error).__name__}{f' ({code})' if code else ''}"
    if isinstance(code, str) and code.startswith(("SQLITE_READONLY", "25006")):
        return StoreUnavailable(f"the database is read-only: {reason}", _HEALS_LATER)
    if isinstance(code, str) and code.startswith(("SQLITE_FULL", "53100")):
        return StoreUnavailable(f"the disk is full: {reason}", _HEALS_LATER)
    heals = isinstance(error, OperationalError) or not isinstance(error, DBAPIError)
    return StoreUnavailable(reason, _HEALS_SOON if heals else None)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Transactions begin in `_begin_sqlite`, not in the driver."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what is erased leaves no trace in free pages


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


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the write lock at once: what it reads before it writes is then still true."""
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _own_file(path: str | None) -> None:
    """Records are the site's own: a new file is for its owner only, and SQLite's others like it."""
    if not path:
        return
    try:
        Path(path).touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"the database cannot be opened: {error.strerror}") from None
