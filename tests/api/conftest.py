"""The real application over a database of its own."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest

from service.app import create_app
from service.settings import Settings
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 18, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    """The file of the records."""
    return tmp_path / "dosegate.db"


@pytest.fixture
def new_app(database):
    """Makes applications over the one database; each is closed at the end."""
    made = []

    def make(library=None, clock=lambda: NOW):
        made.append(create_app(Settings(f"sqlite:///{database}"), library or shipped(), clock))
        return made[-1]

    yield make
    for app in made:
        app.extensions["dosegate"].store.close()


@pytest.fixture
def app(new_app):
    return new_app()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def sql(database):
    """Runs one statement on the records behind the service's back; the rows it gives."""

    def run(statement, *values):
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    return run
