"""The application at a time that a test moves, whoever asks it, and who is told of what happens."""

import re

import pytest

from service.access.roles import SCOPES
from service.outbound.http import Outbound
from service.webhooks.courier import Courier
from service.webhooks.endpoints import Endpoints
from tests.access.conftest import act, app, clock, journaled, parts  # noqa: F401  fixtures
from tests.api.conftest import with_key
from tests.webhooks.receiver import receiving
from tests.webhooks.telling import EVENTS

SERIES = re.compile(r"(dosegate_\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture
def client(app):  # noqa: F811  fixtures
    """A machine client that may do all that one can."""
    return with_key(app, SCOPES)


@pytest.fixture
def scrape(client):
    """Reads the metrics: each series, by its name and its labels."""

    def read():
        lines = [
            SERIES.fullmatch(line) for line in client.get("/metrics").text.splitlines() if line[0] != "#"
        ]
        return {(each[1], frozenset(LABEL.findall(each[2] or ""))): float(each[3]) for each in lines}

    return read


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture
def endpoint(parts, receiver, act):  # noqa: F811  fixtures
    """Somebody who is told of everything."""
    outbound = Outbound(frozenset({receiver.host}))
    added, receiver.secret = Endpoints(parts.store.records, outbound).add(
        receiver.url, EVENTS, full=False, act=act
    )
    return added


@pytest.fixture
def courier(parts, receiver):  # noqa: F811  fixtures
    """Who tells them."""
    outbound = Outbound(frozenset({receiver.host}))
    return Courier(parts.store.records, outbound, None, parts.clock, lambda: 0.5)
