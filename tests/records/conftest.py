"""A store of its own, and what it keeps."""

import sqlite3
import uuid
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest

from service.records.entries import Basis, Entry
from service.records.store import Store
from tests.builders import shipped


@pytest.fixture
def file(tmp_path):
    return tmp_path / "dosegate.db"


@pytest.fixture
def store(file):
    store = Store(f"sqlite:///{file}")
    yield store
    store.close()


@pytest.fixture
def sql(file):
    """Runs one statement on the records behind the service's back; the rows it gives."""

    def run(statement, *values):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
def basis():
    return Basis.of(shipped(), shipped().packs["inebilizumab"])


@pytest.fixture
def an_entry():
    """Makes entries; each has an id of its own."""

    def make(**changes):
        fields = {
            "id": str(uuid.uuid4()),
            "created_at": datetime(2026, 10, 6, 13, 0, 0, 5, tzinfo=timezone(-timedelta(hours=5))),
            "patient": "MRN-1001",
            "drug": "inebilizumab",
            "request": b'{"as": "received"} ',
            "result": b'{"status":"pass"}',
            "trace": b'{"checks":[]}',
            "pack": "sha256:pack",
        }
        return Entry(**{**fields, **changes})

    return make
