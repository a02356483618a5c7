"""The real application over a database of its own, at a time that a test moves."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from service.access.accounts import Accounts
from service.app import create_app, records_of
from service.records.journal import Act
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 18, 0, 0, 123456, tzinfo=UTC)


class Clock:
    """Says what time it is, and is told so by a test."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def pass_by(self, **time):
        self.now += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(settings, clock):
    made = create_app(settings, shipped(), clock)
    with closing(made.extensions["dosegate"].store.records):
        yield made


@pytest.fixture
def parts(app):
    return app.extensions["dosegate"]


@pytest.fixture
def accounts(settings, clock):
    """The accounts alone, without an application."""
    with closing(records_of(settings, clock())) as records:
        yield Accounts(records)


@pytest.fixture
def act(clock):
    return Act("cli:setup", "operator", "setup", clock())


@pytest.fixture
def journaled(sql):
    """The events since a test began, with actor, subject and details; of one event, if it is named."""

    def read(event=None):
        rows = sql("SELECT event, actor, subject, details FROM journal ORDER BY sequence")
        return [row for row in rows if event in (None, row[0])]

    return read
