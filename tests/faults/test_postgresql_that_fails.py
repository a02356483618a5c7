"""A PostgreSQL that is locked, full, read-only, slow, busy or newer: 503, nothing half-written."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from service.records.database import StoreUnavailable
from service.records.journal import Act, Event
from tests.api.sending import post
from tests.faults import chain
from tests.faults.conftest import NOW
from tests.faults.serving import until

SOON, LATER, NEVER = "2", "30", None
ACT = Act("cli:test", "operator", "test", NOW)
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
CANCEL_WAITING = (
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def end_sessions(sql, client):
    """End those of the service; it is told so once, and then makes new ones by itself."""
    sql(END_SESSIONS)
    until(lambda: client.get("/readyz").headers.get("Retry-After") != SOON, "no new connection is made")


@pytest.fixture
def database_url(postgresql):
    url = postgresql.make()
    yield url
    postgresql.drop(url)


def test_a_chain_that_another_session_holds(failing, sql):
    with failing(SOON) as meanwhile:
        sql("BEGIN")
        sql("SELECT * FROM chains FOR UPDATE")
        meanwhile.posting_fails()
        sql("ROLLBACK")


def test_a_statement_that_takes_too_long(failing, sql, database_url):
    """The end of its time and being cancelled are one error of PostgreSQL's."""
    with failing(SOON) as meanwhile:
        sql("BEGIN")
        sql("SELECT * FROM chains FOR UPDATE")
        with ThreadPoolExecutor(1) as thread, psycopg.connect(database_url, autocommit=True) as watching:
            waiting = thread.submit(meanwhile.posting_fails)
            until(lambda: watching.execute(CANCEL_WAITING).fetchall(), "nobody waits for the chain")
            waiting.result()
        sql("ROLLBACK")


def test_who_stops_while_holding_the_chain_loses_it(records, client, database_url):
    """A machine that hangs in the middle of a transaction does not hold up the site for ever."""
    held, late = threading.Event(), threading.Event()

    def stops():
        with records.writing() as writing:
            writing.enter(ACT, Event.RECORD_VIEWED, "half")
            held.set()
            assert late.wait(60)

    with ThreadPoolExecutor(1) as thread:
        stopped = thread.submit(stops)
        assert held.wait(60)
        until(lambda: post(client).status_code == 201, "the chain is held for ever")
        late.set()
        with pytest.raises(StoreUnavailable):
            stopped.result()
    assert "half" not in {entry.subject for entry in chain.sound(database_url)}


def test_every_connection_taken(records, failing):
    engine = records.database.engine
    with failing(SOON) as meanwhile, ExitStack() as taken:
        for _ in range(engine.pool.size() + engine.pool._max_overflow):
            taken.enter_context(engine.connect())
        meanwhile.all_fails()


def test_a_disk_that_is_full(failing, sql, client):
    """The device that is always full, in the place of a table's file, so that it cannot grow."""
    [(folder,)] = sql("SHOW data_directory")
    [(name,)] = sql("SELECT pg_relation_filepath('idempotency')")
    file = Path(folder) / name
    with failing(LATER) as meanwhile:
        assert file.stat().st_size == 0
        end_sessions(sql, client)  # they have the file open
        file.unlink()
        file.symlink_to("/dev/full")
        meanwhile.posting_fails()
        file.unlink()
        file.touch()
        shutil.chown(file, Path(folder).owner(), Path(folder).group())
        end_sessions(sql, client)


def test_a_server_that_became_read_only(failing, sql, client):
    """As a standby is, or one that an administrator has shut for writing."""
    [(name,)] = sql("SELECT current_database()")
    with failing(LATER) as meanwhile:
        sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        end_sessions(sql, client)
        meanwhile.all_fails()
        sql("SET default_transaction_read_only = off")
        sql(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        end_sessions(sql, client)


def test_a_statement_that_failed_is_not_passed_over(records, database_url):
    with pytest.raises(StoreUnavailable), records.writing() as writing:
        writing.enter(ACT, Event.RECORD_VIEWED, "never kept")
        with pytest.raises(DBAPIError):
            writing.connection.exec_driver_sql("SELECT 1 / 0")
    assert "never kept" not in {entry.subject for entry in chain.sound(database_url)}


def test_tables_of_a_newer_version(failing, sql):
    [(revision,)] = sql("SELECT version_num FROM alembic_version")
    with failing(NEVER) as meanwhile:
        sql("UPDATE alembic_version SET version_num = '9999'")
        sql("UPDATE compatibility SET oldest = '9999'")
        meanwhile.all_fails()
        sql("UPDATE alembic_version SET version_num = ?", revision)
        sql("UPDATE compatibility SET oldest = ?", revision)


def test_tables_that_are_another_roles(failing, sql):
    with failing(NEVER) as meanwhile:
        sql("ALTER TABLE journal RENAME TO taken")
        meanwhile.posting_fails()
        sql("ALTER TABLE taken RENAME TO journal")
