"""The real server: gunicorn on a port of this machine."""

import http.client
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from service.access.keys import ApiKeys
from service.access.roles import SCOPES
from service.app import now, records_of
from service.records.journal import Act
from service.server import serve
from service.settings import Settings
from tests.api.sending import CHECKLISTS, JSON, PROBLEM, a_request, body_of
from tests.builders import ROOT

SERVE = (
    "import sys; from pathlib import Path; from service.server import serve; "
    "from service.settings import Settings; "
    "serve('localhost', 0, 2, Settings(sys.argv[1], keys=Path(sys.argv[2])))"
)
# Workers that have not yet begun when they are told to stop.
BEGIN_SLOWLY = """
import time
from service.worker import Worker

begin = Worker.init_process

def slowly(worker):
    while worker.kept.empty():
        time.sleep(0.01)
    begin(worker)

Worker.init_process = slowly
"""
PATIENCE, KILLED_AFTER = 60, 30


def refused(capsys, host, port, database):
    """What a server that does not start says, and its exit status."""
    with pytest.raises(SystemExit) as ended:
        serve(host, port, 1, Settings(f"sqlite:///{database}", keys=Path(f"{database}.pem")))
    said = capsys.readouterr()
    assert said.out == ""
    return ended.value.code, said.err


class Served(NamedTuple):
    """Where a server listens, and the token of a key that it knows."""

    port: int
    token: str


def a_token(settings):
    """The token of a new key that may do all that one can."""
    with closing(records_of(settings, now())) as records:
        act = Act("cli:setup", "operator", "setup", now())
        return ApiKeys(records).make("test", SCOPES, timedelta(days=1), act)[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with two workers. It says how to begin, repeats nothing of what it got, and stops cleanly."""
    folder = tmp_path_factory.mktemp("served")
    database, log = folder / "dosegate.db", folder / "log"
    settings = Settings(f"sqlite:///{database}", keys=Path(f"{database}.pem"))
    token = a_token(settings)
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-c", SERVE, settings.database, settings.keys],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if ready else ""
        started = re.fullmatch(r"Listening on http://127\.0\.0\.1:(\d+) \(loopback only: .+\)\n", line)
        try:
            assert started, line
            assert "dosegate users add" in process.stdout.readline()
            yield Served(int(started[1]), token)
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert "CANARY" not in log.read_text()


def ask(server, method, address, body=None, **headers):
    """Status, headers and body of the answer to one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    named = {name.replace("_", "-"): each for name, each in headers.items()}
    try:
        connection.request(method, address, body, {"Authorization": f"Bearer {server.token}", **named})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def raw(server, text):
    """The whole answer to bytes that need be no request."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_checklist_is_made_read_and_replayed(server):
    assert ask(server, "GET", "/readyz")[0] == 200
    status, headers, result = ask(server, "POST", CHECKLISTS, body_of(a_request()), content_type=JSON)
    assert status == 201

    for _ in range(6):  # so that both workers have a part in it
        assert ask(server, "GET", headers["Location"])[2] == result
        assert json.loads(ask(server, "POST", headers["Location"] + "/replay")[2])["identical"] is True


def test_a_key_holds_across_workers(server):
    answers = [
        ask(server, "POST", CHECKLISTS, body_of(a_request()), content_type=JSON, idempotency_key="visit-17")
        for _ in range(6)
    ]
    assert [status for status, _, _ in answers] == [201, 200, 200, 200, 200, 200]
    assert len({body for _, _, body in answers}) == 1


def test_a_body_that_is_too_large_is_answered_and_not_cut_off(server):
    status, headers, _ = ask(server, "POST", CHECKLISTS, b" " * 1_000_000, content_type=JSON)
    assert (status, headers["Content-Type"]) == (413, PROBLEM)


def test_a_body_in_chunks_is_taken(server):
    halves = iter([body_of(a_request())[:100], body_of(a_request())[100:]])
    assert ask(server, "POST", CHECKLISTS, halves, content_type=JSON)[0] == 201


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"CANARY\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nCANARY\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /CANARY" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"CANARY: x\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"CANARY: x\r\n" * 4000, 431),
        (b"CANARY" * 10_000, 414),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\nCANARY", 413),
        (b"POST /api/v1/checklists HTTP/1.1\r\nTransfer-Encoding: CANARY\r\n\r\n", 501),
    ],
    ids=[
        "no request",
        "bad header",
        "bad version",
        "long address",
        "many headers",
        "a head without an end",
        "an address without an end",
        "a body that nobody takes",
        "bad coding",
    ],
)
def test_what_is_no_request_is_answered_with_a_problem_that_repeats_nothing(server, text, status):
    head, _, body = raw(server, text).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Type: {PROBLEM}".encode() in head
    assert json.loads(body)["status"] == status
    assert b"CANARY" not in head + body


def test_who_asks_whether_to_send_a_body_is_told_to(server):
    body = body_of(a_request())
    head = (
        f"POST {CHECKLISTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert answer.count(b"HTTP/1.1") == 1


def test_of_two_requests_at_once_the_first_is_answered(server):
    answer = raw(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


def test_told_to_stop_while_workers_begin_it_stops_before_it_would_kill_them(tmp_path):
    settings = [f"sqlite:///{tmp_path}/x.db", str(tmp_path / "x.pem")]
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN_SLOWLY + SERVE, *settings],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline().startswith("Listening on ")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=KILLED_AFTER - 5)
    assert process.returncode == 0


def test_what_was_started_in_a_terminal_ends_with_it(tmp_path):
    ours, terminal = pty.openpty()
    settings = [f"sqlite:///{tmp_path}/x.db", str(tmp_path / "x.pem")]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *settings],
        cwd=ROOT,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline().startswith("Listening on ")
            os.close(terminal)
            os.close(ours)
            process.send_signal(signal.SIGHUP)
            assert process.wait(PATIENCE) in (0, 120)  # what was left to say may have nowhere to go
        finally:
            process.kill()


def test_a_badly_framed_body_is_a_bad_request(server):
    head = (
        f"POST {CHECKLISTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        f"Content-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = raw(server, head.encode() + b"no size\r\n{}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert PROBLEM.encode() in answer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"+5\r\na=bcd\r\n0\r\n\r\n", 400),
        (b"0\r\nA: " + b"b" * 10_000, 400),  # a trailer that has no end yet
        (b"1\r\na\r\n" * 20_000, 413),  # more frames than body
    ],
)
def test_a_badly_framed_form_is_refused_at_once_and_reaches_no_page(server, body, status):
    head = "POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    answer = raw(server, f"{head}{form}".encode() + body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert PROBLEM.encode() in answer


def test_a_port_in_use_is_one_clear_error(capsys, server, tmp_path):
    status, said = refused(capsys, "127.0.0.1", server.port, tmp_path / "x.db")
    assert status == 2
    assert said == f"Port {server.port} is in use on 127.0.0.1; choose another one with --port.\n"


@pytest.mark.parametrize("host", ["example.test", "127.0.0.256", ""])
def test_a_host_that_is_no_address_is_refused(capsys, tmp_path, host):
    status, said = refused(capsys, host, 0, tmp_path / "x.db")
    assert (status, said.count("\n")) == (2, 1)
    assert "is not an IP address" in said


def test_records_that_cannot_be_kept_are_one_clear_error(capsys, tmp_path):
    status, said = refused(capsys, "127.0.0.1", 0, tmp_path / "no" / "x.db")
    assert (status, said) == (2, "the database cannot be opened: No such file or directory\n")
