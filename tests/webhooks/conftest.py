"""A site, somebody who is told of what happens there, and a courier, at a time that a test moves."""

from contextlib import closing
from datetime import UTC, datetime

import pytest

from service.app import records_of
from service.outbound.http import Outbound
from service.webhooks.courier import Courier
from service.webhooks.deliveries import Deliveries
from service.webhooks.endpoints import Endpoints
from tests.webhooks.receiver import Clock, receiving
from tests.webhooks.telling import EVENTS, Site

NOW = datetime(2026, 11, 22, 9, 0, 0, 250_000, tzinfo=UTC)
PUBLIC = "https://dosegate.example.org"


@pytest.fixture
def clock():
    return Clock(NOW)


@pytest.fixture
def site(settings, clock):
    with closing(records_of(settings, NOW)) as records:
        yield Site(records, clock)


@pytest.fixture
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture
def outbound(receiver):
    return Outbound(frozenset({receiver.host}))


@pytest.fixture
def known(site, outbound):
    """The endpoints of the site."""
    return Endpoints(site.records, outbound)


@pytest.fixture
def sent(site):
    """The deliveries of the site."""
    return Deliveries(site.records)


@pytest.fixture
def endpoint(known, site, receiver):
    """The receiver, told of everything."""
    added, receiver.secret = known.add(receiver.url, EVENTS, full=False, act=site.act())
    return added


@pytest.fixture
def courier(site, outbound, clock):
    """Whose chance is always in the middle."""
    return Courier(site.records, outbound, PUBLIC, clock, lambda: 0.5)
