"""A clinic in Chicago at twenty minutes to one, with its people, each at a screen of their own."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.access.roles import Role
from service.app import create_app
from tests.builders import shipped
from tests.pages.clock import Clock
from tests.pages.stories.person import Person
from tests.pages.stories.ward import Ward


@pytest.fixture
def clock():
    return Clock(datetime(2026, 10, 6, 17, 40, tzinfo=UTC))


@pytest.fixture
def library():
    """The rules of the clinic."""
    return shipped()


@pytest.fixture
def app(settings, library, clock):
    made = create_app(replace(settings, time_zone=ZoneInfo("America/Chicago")), library, clock)
    yield made
    made.extensions["dosegate"].store.records.close()


@pytest.fixture
def ward(app):
    return Ward(app)


@pytest.fixture
def person(a_person):
    """Brings somebody to a screen."""

    def come(role, name, **options):
        scripts = options.get("java_script_enabled", True)
        return Person(a_person(role, name, **options), scripts)

    return come


@pytest.fixture
def nora(person):
    return person(Role.NURSE, "nora")


@pytest.fixture
def nina(person):
    return person(Role.NURSE, "nina")


@pytest.fixture
def paul(person):
    return person(Role.PRESCRIBER, "paul")


@pytest.fixture
def ada(person):
    return person(Role.AUDITOR, "ada")
