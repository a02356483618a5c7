"""The application over a database that will fail, and goes on afterwards."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from service.access.roles import SCOPES
from service.app import create_app
from tests.api.conftest import with_key
from tests.api.sending import is_problem, post
from tests.builders import shipped
from tests.faults import chain

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)


@pytest.fixture
def app(settings):
    made = create_app(settings, shipped(), lambda: NOW)
    with closing(made.extensions["dosegate"].store.records):
        yield made


@pytest.fixture
def records(app):
    return app.extensions["dosegate"].store.records


@pytest.fixture
def client(app):
    """A client that was there before: its key has been used."""
    made = with_key(app, SCOPES)
    assert made.get("/api/v1/drugs").status_code == 200
    return made


@pytest.fixture
def failing(client, database_url):
    """What the service answers while its database fails can be asked for; at the end it has to go on."""
    kept = post(client)
    assert kept.status_code == 201

    @contextmanager
    def failing(retry_after):
        before = len(chain.sound(database_url))
        yield Meanwhile(client, kept.location, retry_after)
        assert chain.by_key(database_url) == {}
        assert len(chain.sound(database_url)) == before
        assert client.get("/readyz").status_code == 200
        assert client.get(kept.location).data == kept.data
        retried = post(client, idempotency_key="visit-17")
        assert retried.status_code == 201
        assert chain.by_key(database_url) == {"visit-17": retried.data}
        chain.sound(database_url)

    return failing


class Meanwhile:
    """What is answered meanwhile."""

    def __init__(self, client, kept, retry_after):
        self._client, self._kept, self._retry_after = client, kept, retry_after

    def posting_fails(self):
        """No checklist is made."""
        self._told(post(self._client, idempotency_key="visit-17"))

    def all_fails(self):
        """No checklist is made or read, and the service is not ready; asked at once, since each may wait."""
        with ThreadPoolExecutor(2) as threads:
            answers = threads.map(self._get, (self._kept, "/readyz"))
            self.posting_fails()
            for response in answers:
                self._told(response)
        assert self._client.get("/healthz").status_code == 200

    def _get(self, address):
        other = self._client.application.test_client()
        other.environ_base = self._client.environ_base
        return other.get(address)

    def _told(self, response):
        assert is_problem(response, 503)
        assert response.headers.get("Retry-After") == self._retry_after
        assert ("Try again" in response.json["detail"]) is (self._retry_after is not None)
