"""The real application at a time that a test moves, and an EHR that tells it of infusions."""

from contextlib import closing

import pytest

from service.access.roles import SCOPES
from service.app import create_app
from service.cli import main
from tests.api.conftest import with_key
from tests.builders import shipped
from tests.cli.command import CliRunner
from tests.webhooks.incoming.an_ehr import Clock, Ehr


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(settings, clock):
    made = create_app(settings, shipped(), clock)
    with closing(made.extensions["dosegate"].store.records):
        yield made


@pytest.fixture
def ehr(app, clock):
    return Ehr(app, clock)


@pytest.fixture
def client(app):
    """A machine client that may do all that one can."""
    return with_key(app, SCOPES)


@pytest.fixture
def journaled(sql):
    """The events of a test, with actor, subject and details; those of some kinds, if they are named."""

    def read(*events):
        rows = sql("SELECT event, actor, subject, details FROM journal ORDER BY sequence")
        return [row for row in rows if not events or row[0] in events]

    return read


@pytest.fixture
def typed(settings, monkeypatch):
    """Types a command on the records of the test; what comes of it."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))

    def run(*arguments, lines=()):
        return CliRunner().invoke(main, list(arguments), input="".join(f"{line}\n" for line in lines))

    return run
