"""Workers killed, PostgreSQL crashed, clients gone: what was acknowledged is there, once and whole."""

import contextlib
import http.client
import json
import socket
import struct
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests import databases
from tests.api.sending import CHECKLISTS, JSON, PROBLEM
from tests.faults import chain
from tests.faults.serving import Load, Postgresql, body_for, folder_of, kill_one, served, until

KILLS, CRASHES = 20, 2


@pytest.fixture(scope="module")
def durable():
    """A PostgreSQL that flushes, and in its own time writes nothing: only what was asked for is on disk."""
    with tempfile.TemporaryDirectory() as folder:  # pytest shuts its own one, and it has to start again
        data = Path(folder) / "durable"
        with databases.postgresql_server(data, fsync="on", wal_writer_delay="10s") as url:
            yield Postgresql(data, url)


@pytest.fixture(scope="module")
def on_postgresql(durable):
    with served(durable.url) as service:
        yield service


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    with served(databases.copy_of_sqlite(tmp_path_factory.mktemp("live"))) as service:
        yield service


@pytest.fixture(params=databases.KINDS)
def service(request):
    running = request.getfixturevalue(f"on_{request.param}")
    running.comes_back()
    return running


def kept_once(service, load):
    """Every acknowledged checklist is there byte for byte, one for each key, and the chain is sound."""
    chain.sound(service.url)
    results = chain.by_key(service.url)
    for key, result in load.acknowledged.items():
        assert results[key] == result
    for key in list(load.acknowledged)[-3:]:
        status, headers, body = service.post(key)
        assert (status, body) == (200, results[key])
        assert service.ask("GET", headers["Location"])[2] == body


def test_a_worker_killed_again_and_again_loses_nothing(service):
    load = Load(service, "kill")
    with load.going_on():
        for _ in range(KILLS):
            load.more(1)
            kill_one(service)
        load.more(4)
    assert load.broken, "no request was broken off: the kills came between them"
    kept_once(service, load)


def test_postgresql_crashing_under_load_loses_nothing_acknowledged(durable, on_postgresql):
    on_postgresql.comes_back()
    load = Load(on_postgresql, "crash")
    with load.going_on():
        for _ in range(CRASHES):
            load.more(10)
            durable.crash()
            try:
                kill_one(on_postgresql)  # one that begins meanwhile waits for the database like all others
                refused = load.refused
                until(lambda seen=refused: load.refused > seen + 4, "nothing is refused")
                for address in ("/readyz", f"{CHECKLISTS}/{8 * '0'}-0000-4000-8000-{12 * '0'}"):
                    status, headers, body = on_postgresql.ask("GET", address)
                    assert (status, headers["Content-Type"], headers["Retry-After"]) == (503, PROBLEM, "2")
                    assert json.loads(body)["title"] == "The records are not available"
                assert on_postgresql.ask("GET", "/healthz")[0] == 200
            finally:
                durable.start()
        load.more(10)
    kept_once(on_postgresql, load)


@pytest.mark.parametrize("sent", [0.5, 1.0], ids=["in the middle of the body", "before the answer"])
def test_a_client_that_breaks_off_finds_the_first_result_or_nothing(service, sent):
    keys = [f"gone-{sent}-{each}" for each in range(5)]
    for key in keys:
        body = body_for(key)
        head = (
            f"POST {CHECKLISTS} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nIdempotency-Key: {key}\r\n"
            f"Authorization: Bearer {service.token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(head.encode() + body[: int(len(body) * sent)])

    before = chain.by_key(service.url)
    first = {key: service.post(key) for key in keys}
    again = {key: service.post(key) for key in keys}
    assert {status for status, _, _ in again.values()} == {200}
    assert [body for _, _, body in first.values()] == [body for _, _, body in again.values()]
    for key in before.keys() & first.keys():
        assert first[key][2] == before[key]
    if sent < 1:
        assert {status for status, _, _ in first.values()} == {201}, "half a body was recorded"
    chain.sound(service.url)


def test_a_worker_that_begins_without_a_database_waits_for_it(on_sqlite):
    on_sqlite.comes_back()
    file, elsewhere = folder_of(on_sqlite.url), folder_of(on_sqlite.url).with_suffix(".away")
    file.rename(elsewhere)
    try:
        for pid in on_sqlite.workers():
            psutil.Process(pid).kill()
        status = None
        while status is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                status, headers, _ = on_sqlite.ask("GET", "/readyz")
        assert (status, headers["Retry-After"]) == (503, "30")
        assert not file.exists(), "records that seem to be empty were begun"
    finally:
        elsewhere.rename(file)
    assert on_sqlite.post(f"back-{datetime.now(UTC)}".replace(" ", ""))[0] == 201
    chain.sound(on_sqlite.url)
