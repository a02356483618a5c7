"""However slowly or much is answered: a call ends in its time and keeps no more than it asked for."""

import socket
import threading
import time

import pytest

from service.outbound.http import Outbound, Unreachable
from tests.outbound.servers import Server, dripping, ok, pouring, saying, silent, sipping

SECONDS, LONG = 0.5, 15.0  # what a call may take, and what is surely more
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024


@pytest.fixture
def outbound():
    return Outbound(frozenset({"127.0.0.1", "receiver.example"}))


def failure(call, *arguments, **options) -> Unreachable:
    """How it failed, before long."""
    began = time.monotonic()
    with pytest.raises(Unreachable) as failed:
        call(*arguments, **options)
    assert time.monotonic() - began < LONG
    assert failed.value.reason == str(failed.value)
    return failed.value


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (silent, None),
        (dripping(b"", b"H"), None),
        (dripping(HEAD, b"X"), None),
        (dripping(HEAD, b"X-A: b\r\n", 0.05), None),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), None),
        (dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"a"), 200),
        (dripping(HEAD + b"\r\n", b"a"), 200),
        (dripping(CHUNKED, b"1\r\na\r\n"), 200),
        (dripping(CHUNKED, b"0"), 200),
        (dripping(CHUNKED + b"0\r\n", b"X: y\r\n"), 200),
    ],
    ids="silent status header headers continue length end chunks size trailers".split(),
)
def test_who_answers_slowly_is_not_waited_for(outbound, answer, status):
    with Server(answer) as server:
        failed = failure(outbound.get, server.url(), seconds=SECONDS, most_bytes=MIB)
    assert (failed.reason, failed.status) == ("timed out", status)


@pytest.mark.parametrize("answer", [silent, dripping(b"", b"\x16")], ids=["silent", "dripping"])
def test_who_agrees_on_tls_slowly_is_not_waited_for(outbound, answer):
    with Server(answer, hears=False) as server:
        url = server.url(scheme="https")
        failed = failure(outbound.get, url, seconds=SECONDS, most_bytes=MIB)
    assert failed.reason in ("timed out", "does not speak TLS")  # the drops are no TLS at some point


def test_who_answers_slowly_over_tls_is_not_waited_for(trusted):
    with Server(dripping(HEAD + b"\r\n", b"a"), trusted.server("127.0.0.1")) as server:
        outbound = Outbound(frozenset({"127.0.0.1"}))
        failed = failure(outbound.get, server.url(scheme="https"), seconds=SECONDS, most_bytes=MIB)
    assert (failed.reason, failed.status) == ("timed out", 200)


@pytest.mark.parametrize("listener", [silent, sipping])
def test_who_does_not_listen_is_not_waited_for(outbound, listener):
    with Server(listener, hears=False) as server:
        failed = failure(
            outbound.post, server.url(), bytes(150 * MIB), headers={}, seconds=SECONDS, most_bytes=MIB
        )
    assert (failed.reason, failed.status) == ("timed out", None)


def test_a_name_that_nobody_answers_for_is_not_waited_for(outbound, monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait() and [])
    try:
        failed = failure(outbound.get, "https://receiver.example/", seconds=SECONDS, most_bytes=MIB)
    finally:
        answered.set()
    assert failed.reason == "timed out"


def test_an_address_where_nobody_answers_leaves_time_for_the_next(outbound, names, monkeypatch):
    names.lead("receiver.example", ["127.0.0.2", "127.0.0.1"])
    connect, waits = socket.socket.connect, []

    def lost(sock, address):
        waits.append(sock.gettimeout())
        if address[0] == "127.0.0.2":
            raise TimeoutError
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", lost)
    with Server(saying(ok(b"hello"))) as server:
        reply = outbound.get(server.url("receiver.example"), seconds=60, most_bytes=MIB)
    assert reply.body == b"hello"
    assert waits[0] <= 30 < waits[1] <= 60


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_is_no_call(outbound, seconds):
    with Server(saying(ok(b""))) as server:
        assert failure(outbound.get, server.url(), seconds=seconds, most_bytes=MIB).reason == "timed out"
    assert server.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        saying(ok(b"a" * 1001)),
        saying(HEAD + b"Content-Length: 5000000\r\n\r\n"),
        saying(HEAD + b"\r\n" + b"a" * 1001),
        saying(CHUNKED + b"3e9\r\n" + b"a" * 1001 + b"\r\n0\r\n\r\n"),
        pouring(HEAD + b"\r\n", b"a" * MIB),
        pouring(CHUNKED, b"100000\r\n" + b"a" * MIB + b"\r\n"),
        pouring(CHUNKED + b"-1\r\n", b"a" * MIB),
        pouring(CHUNKED + b"ffffffffffff\r\n", b"a" * MIB),
    ],
    ids="one-more 5MB until-the-end chunked endless chunks minus-one one-chunk".split(),
)
def test_no_more_is_kept_than_was_asked_for(outbound, answer):
    with Server(answer) as server:
        failed = failure(outbound.get, server.url(), seconds=60, most_bytes=1000)
    assert (failed.reason, failed.status) == ("its answer is too long", 200)


@pytest.mark.parametrize(
    "answer",
    [ok(b"a" * 1000), HEAD + b"\r\n" + b"a" * 1000, CHUNKED + b"3e8\r\n" + b"a" * 1000 + b"\r\n0\r\n\r\n"],
)
def test_as_much_as_was_asked_for_is_kept(outbound, answer):
    with Server(saying(answer)) as server:
        assert outbound.get(server.url(), seconds=60, most_bytes=1000).body == b"a" * 1000


def test_five_megabytes_are_read_where_they_may_be(outbound):
    with Server(saying(ok(b"a" * 5 * MIB))) as server:
        assert len(outbound.get(server.url(), seconds=60, most_bytes=5 * MIB).body) == 5 * MIB


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (b"", "broke the connection off", None),
        (b"HTTP/1.1 200", "broke the connection off", None),
        (HEAD, "broke the connection off", None),
        (HEAD + b"Content-Length: 0\r\n", "broke the connection off", None),
        (HEAD + b"Content-Length: 5\r\n\r\nabc", "broke the connection off", 200),
        (CHUNKED + b"5\r\nabc", "broke the connection off", 200),
        (CHUNKED + b"5\r\nabcde\r\n", "broke the connection off", 200),
        (CHUNKED + b"five\r\n", "broke the connection off", 200),
        (b"SSH-2.0-x\r\n", "its answer is not HTTP", None),
        (b"<html>", "its answer is not HTTP", None),
        (b"HTTP/1.1 abc OK\r\n\r\n", "its answer is not HTTP", None),
        (HEAD + b"A: b\r\n" * 200 + b"\r\n", "its answer is not HTTP", None),
        (HEAD + b"A: " + b"b" * 100_000 + b"\r\n\r\n", "its answer is not HTTP", None),
    ],
)
def test_what_is_no_whole_answer_is_none(outbound, answer, reason, status):
    with Server(saying(answer)) as server:
        failed = failure(outbound.get, server.url(), seconds=60, most_bytes=1000)
    assert (failed.reason, failed.status) == (reason, status)


def test_a_server_that_is_not_there_is_said_so(outbound, names):
    with Server(silent) as server:
        gone = server.url()
    assert failure(outbound.get, gone, seconds=60, most_bytes=1).reason == "refused the connection"
    names.lead("receiver.example", [])
    unknown = failure(outbound.get, "https://receiver.example/", seconds=60, most_bytes=1)
    assert unknown.reason == "its name is not known"
