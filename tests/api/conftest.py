"""The real application over a database of its own, and a machine client that may do all that one can."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from service.access.roles import SCOPES
from service.app import create_app
from service.records.journal import Act
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 18, 0, 0, 123456, tzinfo=UTC)
SETUP = Act("cli:setup", "operator", "setup", NOW)


@pytest.fixture
def new_app(settings):
    """Makes applications over the one database; each is closed at the end."""
    made = []

    def make(library=None, clock=lambda: NOW):
        made.append(create_app(settings, library or shipped(), clock))
        return made[-1]

    yield make
    for app in made:
        app.extensions["dosegate"].store.records.close()


@pytest.fixture
def app(new_app):
    return new_app()


@pytest.fixture
def new_client(new_app):
    """Makes clients of new applications, or of one that there is; each has a key of its own."""

    def make(app=None, scopes=SCOPES, **options):
        return with_key((app or new_app(**options)), scopes)

    return make


@pytest.fixture
def client(app):
    return with_key(app, SCOPES)


def with_key(app, scopes):
    """A client of an application, with a new key that has these scopes."""
    name, year = f"test {uuid.uuid4().hex[:8]}", timedelta(days=365)
    _, token = app.extensions["dosegate"].keys.make(name, scopes, year, SETUP)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client
