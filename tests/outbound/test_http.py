"""Calls over real connections: what goes out, what comes back, and what is never done."""

import gzip
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version

import pytest

from service.outbound.http import Forbidden, Outbound, Reply, Unreachable
from tests.outbound.servers import Server, ok, saying

NAME = "receiver.example"
LOOPBACK = frozenset({"127.0.0.1", "localhost", NAME})
WITHIN = {"seconds": 10, "most_bytes": 1000}


@pytest.fixture
def outbound():
    return Outbound(LOOPBACK)


def head_of(request: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    first, *lines = request.split(b"\r\n\r\n")[0].split(b"\r\n")
    pairs = [tuple(line.split(b": ", 1)) for line in lines]
    assert len(dict(pairs)) == len(pairs), "a header was sent twice"
    return first, dict(pairs)


# ---------------------------------------------------------------- what is said and heard


def test_a_get_says_no_more_than_it_must(outbound):
    with Server(saying(ok(b"{}", "X-Kind: a"))) as server:
        reply = outbound.get(server.url(path="/a/b?c=d%7Ce"), headers={"Accept": "x/y"}, **WITHIN)
    assert reply == Reply(200, {"Content-Length": "2", "X-Kind": "a"}, b"{}")
    assert reply.headers["content-LENGTH"] == "2"
    assert "x-kind" in reply.headers
    assert head_of(server.requests[0]) == (
        b"GET /a/b?c=d%7Ce HTTP/1.1",
        {
            b"Host": f"127.0.0.1:{server.port}".encode(),
            b"Accept": b"x/y",
            b"Accept-Encoding": b"identity",
            b"Connection": b"close",
            b"User-Agent": f"dosegate/{version('dosegate')}".encode(),
        },
    )


def test_a_post_sends_the_very_bytes(outbound):
    body = b'{"a":\r\n\r\n"\x00\xff"}' * 20_000
    with Server(saying(ok(b"", status="202 Accepted"))) as server:
        reply = outbound.post(server.url(), body, headers={"Content-Type": "application/json"}, **WITHIN)
    assert (reply.status, reply.body) == (202, b"")
    assert server.requests[0].split(b"\r\n\r\n", 1)[1] == body
    assert head_of(server.requests[0])[1][b"Content-Length"] == str(len(body)).encode()


@pytest.mark.parametrize("status", [204, 301, 302, 303, 307, 308, 401, 404, 410, 429, 500, 503])
def test_every_status_is_an_answer_and_no_redirect_is_followed(outbound, status):
    with Server(saying(ok(b""))) as elsewhere:
        to = f"Location: {elsewhere.url()}"
        with Server(saying(f"HTTP/1.1 {status} So\r\nContent-Length: 0\r\n{to}\r\n\r\n".encode())) as server:
            reply = outbound.get(server.url(), **WITHIN)
            posted = outbound.post(server.url(), b"x", headers={}, **WITHIN)
    assert (reply.status, posted.status) == (status, status)
    assert reply.headers["location"] == elsewhere.url()
    assert elsewhere.connections == 0


def test_cookies_proxies_and_passwords_of_the_environment_play_no_part(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login nina password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with (
        Server(saying(ok(b"proxied"))) as proxy,
        Server(saying(ok(b"", "Set-Cookie: a=b; Path=/"))) as server,
    ):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        monkeypatch.setenv("no_proxy", "")
        outbound = Outbound(LOOPBACK)
        for _ in range(2):
            assert outbound.get(server.url(), **WITHIN).body == b""
    assert proxy.connections == 0
    for request in server.requests:
        assert not {b"Cookie", b"Authorization"} & set(head_of(request)[1])


@pytest.mark.parametrize(
    "parts",
    [
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"3\r\nabc\r\n",
            b"2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n",
        ],
        [b"HTTP/1.1 200 OK\r\n\r\nab", b"cde"],
        [b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nabcde", b"and more"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"abcde"],
    ],
    ids=["chunked", "until the end", "kept alive", "continued"],
)
def test_a_body_is_read_however_it_is_sent(outbound, parts):
    with Server(saying(*parts)) as server:
        reply = outbound.get(server.url(), **WITHIN)
    assert (reply.status, reply.body) == (200, b"abcde")


def test_a_body_that_is_packed_all_the_same_is_not_unpacked(outbound):
    bomb = gzip.compress(bytes(500_000))
    with Server(saying(ok(bomb, "Content-Encoding: gzip"))) as server:
        assert outbound.get(server.url(), **WITHIN).body == bomb


@pytest.mark.parametrize("end", ["\r\nX: y", "\n", "\r", "\u2026"])
def test_a_header_that_cannot_be_sent_is_not_repeated(outbound, end):
    with Server(saying(ok(b""))) as server, pytest.raises(Forbidden) as refused:
        outbound.get(server.url(), headers={"Authorization": f"Bearer top-secret{end}"}, **WITHIN)
    assert "top-secret" not in str(refused.value)
    assert server.requests == []


# ---------------------------------------------------------------- whom it trusts


def https(server: Server, host: str = NAME) -> str:
    return server.url(host, scheme="https")


def test_tls_is_spoken_with_the_server_of_that_name(trusted, names):
    names.lead(NAME, ["127.0.0.1"])
    with Server(saying(ok(b"hello")), trusted.server(NAME)) as server:
        assert Outbound(LOOPBACK).get(https(server), **WITHIN).body == b"hello"
    assert head_of(server.requests[0])[1][b"Host"] == f"{NAME}:{server.port}".encode()


def test_a_server_without_a_name_is_known_by_its_address(trusted):
    with Server(saying(ok(b"hello")), trusted.server("127.0.0.1")) as server:
        assert Outbound(LOOPBACK).get(https(server, "127.0.0.1"), **WITHIN).body == b"hello"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_site_says_whose_certificates_are_good(authority, monkeypatch, variable):
    for each in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(each, raising=False)
    with Server(saying(ok(b"hello")), authority.server("127.0.0.1")) as server:
        with pytest.raises(Unreachable) as refused:
            Outbound(LOOPBACK).get(https(server, "127.0.0.1"), **WITHIN)
        assert refused.value.reason == "its certificate is not valid"
        monkeypatch.setenv(variable, str(authority.file))
        assert Outbound(LOOPBACK).get(https(server, "127.0.0.1"), **WITHIN).body == b"hello"
    assert len(server.requests) == 1


def test_certificates_that_cannot_be_read_are_said_at_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(OSError):
        Outbound()


@pytest.mark.parametrize(
    ("certified", "valid"),
    [(["other.example", "127.0.0.1"], timedelta(days=1)), ([NAME], timedelta(days=-1))],
    ids=["of another name", "expired"],
)
def test_a_certificate_of_another_name_or_time_is_not_valid(trusted, names, certified, valid):
    names.lead(NAME, ["127.0.0.1"])
    with (
        Server(saying(ok(b"")), trusted.server(*certified, valid=valid)) as server,
        pytest.raises(Unreachable) as refused,
    ):
        Outbound(LOOPBACK).get(https(server), headers={"Authorization": "Bearer x"}, **WITHIN)
    assert refused.value.reason == "its certificate is not valid"
    assert server.requests == []


def test_a_server_without_tls_is_not_spoken_to(outbound):
    with (
        Server(saying(b"220 mail.example ESMTP\r\n"), hears=False) as server,
        pytest.raises(Unreachable) as refused,
    ):
        outbound.get(https(server, "127.0.0.1"), **WITHIN)
    assert refused.value.reason == "does not speak TLS"


# ---------------------------------------------------------------- where it never goes


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
        ["0.0.0.0"],
    ],
    ids=" ".join,
)
def test_a_name_that_leads_inside_is_not_followed(trusted, names, addresses):
    names.lead("evil.example", addresses)
    with (
        Server(saying(ok(b"")), trusted.server("evil.example")) as server,
        pytest.raises(Forbidden) as refused,
    ):
        Outbound().get(https(server, "evil.example"), **WITHIN)
    assert refused.value.reason == "it leads into a private network"
    assert names.asked == ["evil.example"]
    assert server.connections == 0


def test_a_name_is_asked_for_once_and_its_first_answer_connected_to(trusted, names, monkeypatch):
    """The name leads to a public address, and a moment later inside: that moment never comes."""
    names.lead("evil.example", ["8.8.8.8"], ["127.0.0.1"])
    connect, to = socket.socket.connect, []

    with Server(saying(ok(b"hello")), trusted.server("evil.example")) as server:

        def recorded(sock, address):
            to.append(address)
            connect(sock, ("127.0.0.1", server.port))  # so that 8.8.8.8 need not be there

        monkeypatch.setattr(socket.socket, "connect", recorded)
        assert Outbound().get("https://evil.example:8443/", **WITHIN).body == b"hello"
    assert to == [("8.8.8.8", 8443)]
    assert names.asked == ["evil.example"]


def test_a_listed_name_is_connected_to_where_it_led_first(outbound, names):
    names.lead(NAME, ["127.0.0.1"], ["127.0.0.2"])
    with Server(saying(ok(b"first"))) as server:
        assert outbound.get(server.url(NAME), **WITHIN).body == b"first"
    assert names.asked == [NAME]


def test_the_next_address_of_a_name_is_tried_where_one_refuses(outbound, names):
    names.lead(NAME, ["127.0.0.2", "127.0.0.1"])
    with Server(saying(ok(b"second"))) as server:
        assert outbound.get(server.url(NAME), **WITHIN).body == b"second"


@pytest.mark.parametrize("listed", [frozenset(), frozenset({"127.0.0.1:1"}), frozenset({"127.0.0.2"})])
def test_a_server_inside_that_is_not_listed_is_not_called(listed):
    outbound = Outbound(listed)
    with Server(saying(ok(b""))) as server:
        for url in (
            server.url(),
            server.url("localhost"),
            server.url("2130706433"),
            server.url("[::ffff:7f00:1]"),
        ):
            with pytest.raises(Forbidden):
                outbound.check(url)
            with pytest.raises(Forbidden):
                outbound.get(url, **WITHIN)
            with pytest.raises(Forbidden):
                outbound.post(url, b"", headers={}, **WITHIN)
    assert server.connections == 0


def test_a_check_looks_no_name_up(names):
    names.lead("evil.example", ["127.0.0.1"])
    Outbound().check("https://evil.example/hook")
    assert names.asked == []


# ---------------------------------------------------------------- who shares it


def test_threads_share_it(outbound):
    def echo(connection, request, _server):
        connection.sendall(ok(request.split(b" ")[1]))

    with Server(echo) as server, ThreadPoolExecutor(16) as threads:
        paths = [f"/{number}" for number in range(64)]
        bodies = threads.map(lambda path: outbound.get(server.url(path=path), **WITHIN).body, paths)
        assert list(bodies) == [path.encode() for path in paths]


FORKED = """
import os, sys
from service.outbound.http import Outbound
outbound = Outbound(frozenset({"127.0.0.1"}))
def call():
    assert outbound.get(sys.argv[1], seconds=10, most_bytes=99).body == b"hello"
call()
children = [os.fork() for _ in range(2)]
if 0 in children:
    call()
    os._exit(0)
call()
sys.exit(max(os.waitpid(child, 0)[1] for child in children if child))
"""


def test_processes_that_fork_share_it(trusted):
    with Server(saying(ok(b"hello")), trusted.server("127.0.0.1")) as server:
        done = subprocess.run(
            [sys.executable, "-c", FORKED, https(server, "127.0.0.1")],
            env=os.environ,
            timeout=60,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(server.requests) >= 4


@pytest.mark.parametrize(
    ("url", "listing_helps"),
    [
        ("http://ehr.example/", True),
        ("http://10.1.2.3/", True),
        ("https://10.1.2.3/", True),
        ("https://localhost/", True),
        ("https://[::1]/", True),
        ("ftp://ehr.example/", False),
        ("https://user:word@10.1.2.3/", False),
        ("https://2130706433/", False),
        ("nonsense", False),
    ],
)
def test_who_registers_an_address_is_told_that_a_server_inside_is_listed(url, listing_helps):
    """And a call that is refused says no word of how the site is set up."""
    with pytest.raises(Forbidden) as asked:
        Outbound().check(url)
    way_out = "; a server inside the site's network is listed in DOSEGATE_PRIVATE_HOSTS"
    assert asked.value.reason.endswith(way_out) == listing_helps
    with pytest.raises(Forbidden) as called:
        Outbound().get(url, **WITHIN)
    assert called.value.reason == asked.value.reason.removesuffix(way_out)
