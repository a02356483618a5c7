"""Clients that send nothing, a byte a second or half a request, or read nothing: nobody waits for them."""

import contextlib
import json
import os
import resource
import select
import socket
import struct
import threading
import time

import psutil
import pytest
from gunicorn.config import Config

from service.clients import Patience
from service.connections import Connections
from tests import databases
from tests.api.sending import CHECKLISTS, JSON, PROBLEM
from tests.faults.serving import PATIENCE, body_for, served, until

pytestmark = pytest.mark.any_database

IDLE, SLOW, CHECKLISTS_MADE = 1000, 20, 5
LATE = 20  # seconds; one client that was waited for would take longer, and most of them much longer
# A connection has the size of its listener's buffer; else the kernel takes 4 MB for one who reads nothing.
IMPATIENT = """
import socket
from service import server
from service.clients import Patience
from service.worker import Worker

Worker.patience = Patience(head=10, request=12, answer=4, parting=20, stopping=2)
listen = server._listener

def listener(*where):
    made = listen(*where)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
    return made

server._listener = listener
"""
LARGE = "/api/v1/static/docs/swagger-ui-bundle.js"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(databases.copy_of_sqlite(tmp_path_factory.mktemp("slow")), first=IMPATIENT) as running:
        running.comes_back()
        yield running


@pytest.fixture
def opened(service):
    """Connections to the service, closed at the end."""
    with contextlib.ExitStack() as all_of_them:
        there = ("127.0.0.1", service.port)
        yield lambda: all_of_them.enter_context(socket.create_connection(there, timeout=PATIENCE))


def all_are_made_in_time(service, name):
    """Checklists that somebody asks for meanwhile: each is recorded, and none is late."""
    for number in range(CHECKLISTS_MADE):
        began = time.monotonic()
        assert service.post(f"{name}-{number}")[0] == 201
        assert time.monotonic() - began < LATE


def test_a_thousand_idle_connections_delay_no_checklist(service, opened):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * IDLE)), hard))
    for _ in range(IDLE):
        opened()
    until(
        lambda: sum(psutil.Process(pid).num_fds() for pid in service.workers()) >= IDLE,
        "the idle ones are not let in",
    )
    all_are_made_in_time(service, "idle")


def test_who_sends_a_byte_a_second_is_told_408_and_delays_no_checklist(service, opened):
    body = body_for("slow")
    head = f"POST {CHECKLISTS} HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n"
    slow = [opened() for _ in range(2 * SLOW)]
    for each in slow[SLOW:]:
        each.sendall(f"{head}\r\n".encode())
    answers = {}

    def dribble():
        for byte in body:
            for each in [each for each in slow if each not in answers]:
                each.sendall(bytes([byte]))
            answered = time.monotonic() + 1
            while (left := answered - time.monotonic()) > 0:
                waiting = [each for each in slow if each not in answers]
                for each in select.select(waiting, [], [], left)[0] if waiting else ():
                    answers[each] = b"".join(iter(lambda of=each: of.recv(65536), b""))
                if not waiting:
                    return

    thread = threading.Thread(target=dribble)
    thread.start()
    all_are_made_in_time(service, "dribble")
    thread.join()
    assert len(answers) == len(slow)
    for answer in answers.values():
        said, _, problem = answer.partition(b"\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 408 ")
        assert f"Content-Type: {PROBLEM}".encode() in said
        assert json.loads(problem)["title"] == "Request Timeout"
    told = [line for line in map(json.loads, service.log()) if line["event"] == "request_unreadable"]
    assert [line["status"] for line in told] == [408] * len(slow)


def test_who_reads_nothing_of_a_large_answer_is_dropped_and_delays_no_checklist(service, opened):
    asking = f"GET {LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    deaf, broken_off = [opened() for _ in range(SLOW)], select.poll()
    for each in deaf:
        each.sendall(asking)
        broken_off.register(each, 0)  # nothing is asked of it, so it tells of a broken connection alone
    all_are_made_in_time(service, "deaf")
    until(lambda: len(broken_off.poll(0)) == len(deaf), "those who do not read are still there")


def test_of_answers_that_nobody_reads_the_newest_are_kept(opened_here):
    clients, ask = opened_here
    asked, answered = [ask() for _ in range(10)], 0
    while answered < len(asked):
        if (client := clients.next()) is not None:
            client.sendall(bytes(2_000_000))
            clients.answer(client)
            answered += 1
    broken_off = select.poll()
    for each in asked:
        broken_off.register(each, 0)
    assert {each for each, _ in broken_off.poll(0)} == {each.fileno() for each in asked[:4]}


def test_who_holds_much_that_is_not_whole_makes_room_and_not_who_holds_nothing(opened_here, monkeypatch):
    monkeypatch.setattr("service.connections._MOST_HELD", 110_000)
    clients, ask = opened_here
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
    idle, large = [ask(b"") for _ in range(5)], [ask(head + bytes(50_000)) for _ in range(5)]

    def ended():
        return select.select([*idle, *large], [], [], 0)[0]

    until(lambda: clients.next() or len(ended()) >= 3, "too much is held")
    assert ended() == large[:3]


def test_who_has_gone_makes_no_room_for_more_than_fits(opened_here, monkeypatch):
    monkeypatch.setattr("service.connections._MOST_HELD", 110_000)
    clients, ask = opened_here
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n"
    for _ in range(5):
        gone = ask(head + b"Expect: 100-continue\r\n\r\n" + bytes(50_000))
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
    large = [ask(head + b"\r\n" + bytes(50_000)) for _ in range(5)]

    def ended():
        return select.select(large, [], [], 0)[0]

    until(lambda: clients.next() or len(ended()) >= 3, "too much is held")
    assert ended() == large[:3]


@pytest.fixture
def opened_here():
    """The connections of a worker, and what asks it something."""
    with socket.create_server(("127.0.0.1", 0)) as door, contextlib.ExitStack() as all_of_them:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16384)
        alarm, bell = os.pipe()

        def ask(request=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            asking = all_of_them.enter_context(socket.create_connection(door.getsockname()))
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
            asking.sendall(request)
            return asking

        clients = Connections([door], alarm, Config(), Patience())
        yield clients, ask
        all_of_them.pop_all().close()
        until(lambda: clients.next() is None and not clients.busy(), "they do not notice who has gone")
        os.close(alarm)
        os.close(bell)


def test_who_goes_away_in_the_middle_ends_no_worker_and_delays_no_checklist(service, opened):
    workers = sorted(service.workers())
    begun = f"POST {CHECKLISTS} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode()
    asking = f"GET {LARGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    for sent in (b"", b"GET", begun, asking) * 5:
        gone = opened()
        gone.sendall(sent)
        if sent == asking:
            assert gone.recv(1000).startswith(b"HTTP/1.1 200 OK")
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        gone.close()
    all_are_made_in_time(service, "gone")
    assert sorted(service.workers()) == workers
