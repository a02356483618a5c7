"""The database: SQLite in one file, or PostgreSQL. What it commits is on disk, or is `StoreUnavailable`."""

import os
import sqlite3
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, TimeoutError

_WAIT_MS, _TRIES = 5000, 100
_HEALS_SOON, _HEALS_LATER = 2, 30
# What an error is, by the start of its code, and when to come back: None where waiting mends nothing.
_FAULTS = (
    (("SQLITE_BUSY", "SQLITE_LOCKED", "55P03"), "somebody else holds the database", _HEALS_SOON),
    (("57014", "25P03"), "the database was too slow", _HEALS_SOON),
    (("SQLITE_READONLY", "25006"), "the database is read-only", _HEALS_LATER),
    (("SQLITE_FULL", "53100"), "the disk is full", _HEALS_LATER),
    (("SQLITE_IOERR", "58030"), "the disk failed", _HEALS_LATER),
    (("SQLITE_CANTOPEN",), "the database is not where it was", _HEALS_LATER),
    (("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX"), "the database is damaged", None),
    (("SQLITE_ERROR", "42"), "the database is not as this version left it", None),
)
# The write lock of a chain is let go before its entry is on disk, so that many writers share one flush.
_COMMIT_AND_FLUSH = (
    "COMMIT; BEGIN; SET LOCAL synchronous_commit TO on; "
    "SELECT pg_logical_emit_message(true, 'dosegate', ''); COMMIT"
)
_IDLE = 1.0


class StoreUnavailable(Exception):
    """The records did not answer, or could not keep what they were given.

    `retry_after` is in seconds, and None where waiting mends nothing.
    """

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


class Database:
    """One database. Safe between threads and processes; a fork begins with connections of its own."""

    def __init__(self, url: str) -> None:
        """Open it, and make a SQLite file where there is none. Raises StoreUnavailable."""
        self.url = make_url(url)
        # Parameters hold what is known of a patient: no log and no error ever shows them.
        if self.is_sqlite:
            self._file = _own_file(self.url.database or "")
            self._opened = self._place()
            self.engine = create_engine(
                self.url, hide_parameters=True, creator=self._open_sqlite, pool_timeout=_WAIT_MS / 1000
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "checkout", self._still_there)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._writer: Engine = self.engine.execution_options(begin="IMMEDIATE")
            self._snapshots = self.engine  # every transaction is one there
        else:
            self.engine = _postgresql(self.url.set(drivername="postgresql+psycopg"))
            self._writer = self.engine
            event.listen(self.engine, "checkout", _still_connected)
            once = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            self._snapshots = self.engine.execution_options(**once)
        _open.add(self)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Let go of it."""
        self.engine.dispose()

    def leave_to_parent(self) -> None:
        """In a new process: begin with new connections; those inherited are neither used nor closed."""
        self._inherited = self.engine.pool
        self.engine.dispose(close=False)

    def _place(self) -> tuple[int, int] | None:
        """Which file has the name of the SQLite file now."""
        try:
            file = self._file.stat()
        except OSError:
            return None
        return file.st_dev, file.st_ino

    def _still_there(self, _connection: Any, _record: Any, _proxy: Any) -> None:
        """SQLite goes on writing to a file that was moved or removed: what it keeps there is lost."""
        if self._place() != self._opened:
            raise DisconnectionError

    def _open_sqlite(self) -> sqlite3.Connection:
        """A file that has gone is not made anew: its records would seem to be none."""
        # Into another file, a copy or none of ours, SQLite would write what is in the log beside it.
        if self._place() not in (None, self._opened):
            raise StoreUnavailable(
                "another file has taken the place of the database: put it back, or stop the service and take "
                "away the files -wal and -shm beside it"
            )
        address = f"file:{quote(str(self._file))}"
        with closing(sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True)) as without_log:
            try:
                without_log.execute("PRAGMA schema_version")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                    raise
        written = sqlite3.connect(f"{address}?mode=rw", uri=True, check_same_thread=False)
        if not _beyond_writing(written, self._file):
            return written
        written.close()
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True, check_same_thread=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreUnavailable."""
        with _named_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that reads all as it was at one moment, damaged or not. Raises StoreUnavailable."""
        with _named_errors(), self._snapshots.begin() as connection:
            driver: Any = connection.connection.driver_connection
            if self.is_sqlite:  # PostgreSQL keeps none
                driver.text_factory = _damaged_or_not
            try:
                yield connection
            finally:
                if self.is_sqlite:
                    driver.text_factory = str

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; when this returns, what it wrote is on disk. Raises StoreUnavailable."""
        with _named_errors():
            with self._writer.begin() as connection:
                yield connection
                if not self.is_sqlite:
                    _check_whole(connection)
                    connection.exec_driver_sql(_COMMIT_AND_FLUSH)
            if self.is_sqlite and self._place() != self._opened:
                raise StoreUnavailable("the database was moved away while it was written to", _HEALS_LATER)

    @contextmanager
    def apart(self) -> Iterator[Connection]:
        """Outside of any transaction, as maintenance has to be. Raises StoreUnavailable."""
        with _named_errors(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def touch(self, connection: Connection) -> None:
        """Write something that changes nothing, to see whether what is written can be kept."""
        if self.is_sqlite:  # on PostgreSQL the end of the transaction is enough
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")


def _check_whole(connection: Connection) -> None:
    """PostgreSQL ends a transaction in which a statement failed without a word, and keeps nothing of it."""
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status is psycopg.pq.TransactionStatus.INERROR:
        raise StoreUnavailable("a statement of the transaction failed, and it was gone on with")


def is_missing(url: str) -> bool:
    """Whether this names a SQLite file, and it is not there."""
    named = make_url(url)
    return named.get_backend_name() == "sqlite" and not Path(named.database or "").exists()


_open: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    for database in _open:
        database.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)


def add_once(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row where none has its key, and say so; of two writers at once, one does."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    inserted = dialect.insert(table).values(row).on_conflict_do_nothing()
    return connection.execute(inserted, execution_options={"preserve_rowcount": True}).rowcount == 1


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=2,
        max_overflow=4,
        pool_timeout=_WAIT_MS / 1000,
        connect_args={
            "connect_timeout": _WAIT_MS // 1000,
            "application_name": "dosegate",
            "tcp_user_timeout": _WAIT_MS,
            # A statement ends before the server gives up a worker, so that there is an answer.
            "options": "-c synchronous_commit=off -c lock_timeout=5s -c statement_timeout=20s",
        },
    )


def _still_connected(connection: psycopg.Connection, record: Any, _proxy: Any) -> None:
    """A connection that was idle for some seconds may have been lost: it is tried before it is used."""
    now = time.monotonic()
    if now - record.info.get("used", now) > _IDLE:
        try:
            connection.execute("SELECT")
            connection.rollback()
        except psycopg.Error:
            raise DisconnectionError from None
    record.info["used"] = now


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, TimeoutError) as error:
        # The statement and its parameters are in the error's own text, so that is not passed on.
        raise _unavailable(error) from None


def _unavailable(error: DBAPIError | TimeoutError) -> StoreUnavailable:
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    reason = f"{type(cause or error).__name__}{f' ({code})' if code else ''}"
    for starts, words, retry_after in _FAULTS:
        if code.startswith(starts):
            return StoreUnavailable(f"{words}: {reason}", retry_after)
    # Where there is no connection, psycopg says where to, and why. SQLite may repeat what it read.
    if isinstance(error, OperationalError) and not code and not isinstance(cause, sqlite3.Error):
        reason = str(cause).partition("\n")[0]
    heals = isinstance(error, OperationalError) or not isinstance(error, DBAPIError)
    return StoreUnavailable(reason, _HEALS_SOON if heals else None)


def _damaged_or_not(text: bytes) -> str:
    return text.decode(errors="replace")


def _beyond_writing(connection: sqlite3.Connection, file: Path) -> bool:
    """Whether a file was laid by where nothing can be written beside it, with all that it holds in it."""
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        nowhere = error.sqlite_errorcode in (sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_CANTOPEN)
        return nowhere and not Path(f"{file}-wal").exists()
    except sqlite3.DatabaseError:
        pass  # whoever reads from it is told
    return False


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
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


def _own_file(path: str) -> Path:
    """Records are the site's own: a new file is for its owner only, and SQLite's others like it."""
    file = Path(path).absolute()
    try:
        if not file.exists():  # what may only be read cannot be touched
            file.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"the database cannot be opened: {error.strerror}") from None
    return file
