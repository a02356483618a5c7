"""A store of its own, and what it keeps."""

import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest

from service.app import records_of
from service.records.journal import Act
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 13, 0, 0, 5, tzinfo=timezone(-timedelta(hours=5)))


@pytest.fixture
def act():
    return Act("user:nina", "nurse", "a-request", NOW)


@pytest.fixture
def records(settings):
    with closing(records_of(settings, NOW)) as opened:
        yield opened


@pytest.fixture
def store(records):
    return Store(records)


@pytest.fixture
def basis():
    return Basis.of(shipped(), shipped().packs["inebilizumab"])


@pytest.fixture
def a_checklist():
    """Makes checklists; each has an id of its own."""

    def make(**changes):
        fields = {
            "id": str(uuid.uuid4()),
            "created_at": NOW,
            "patient": "MRN-1001",
            "drug": "inebilizumab",
            "status": "pass",
            "infusion_at": "2026-10-06T14:00:00-05:00",
            "request": b'{"as": "received"} ',
            "result": b'{"status":"pass"}',
            "trace": b'{"checks":[]}',
            "pack": "sha256:pack",
            "actor": "user:nina",
        }
        return StoredChecklist(**{**fields, **changes})

    return make
