"""A receiver of webhooks on a real socket. What it is sent is verified by the library of the standard."""

import contextlib
import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import standardwebhooks

OK, WAITS, BROKEN, HANGS, CLOSES, CUTS, GONE, BUSY, MOVED, SLOW = (
    "ok",
    "waits until it may go on",
    "500",
    "hangs",
    "closes in the middle of its headers",
    "closes in the middle of its body",
    "410",
    "429",
    "redirects",
    "slow",
)
_STATUS = {BROKEN: 500, GONE: 410, BUSY: 429, MOVED: 307}
_SLOWLY = 0.05


@dataclass(frozen=True)
class Got:
    """One attempt that came in: its id, its body as it came, what is in it, and how it was answered."""

    id: str
    body: bytes
    type: str
    data: dict
    signed_at: datetime
    mode: str
    headers: dict


@dataclass
class Receiver:
    """What came in, in its order. `mode` says how it answers, and may be a function of the message."""

    url: str
    host: str
    secret: str = ""
    mode: object = OK
    retry_after: str | None = None
    got: list[Got] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    at_once: int = 0  # the most that were under way together
    _under_way: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    @property
    def arrived(self):
        """What was taken."""
        return [each for each in self.got if each.mode in (OK, WAITS, SLOW, CUTS)]

    def ids(self):
        """The ids of what was taken, each once, in the order in which they came first."""
        return list(dict.fromkeys(each.id for each in self.arrived))

    @property
    def idle(self):
        """Whether every attempt is answered."""
        return not self._under_way

    def take(self, headers, body):
        """Note an attempt; how it is to be answered."""
        signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        # As its `verify` does, at the time of the test's own clock.
        right = standardwebhooks.Webhook(self.secret).sign(headers["webhook-id"], signed_at, body.decode())
        document = json.loads(body)
        with self._lock:
            if right not in headers["webhook-signature"].split(" "):
                self.wrong.append("the signature")
            if headers["webhook-id"] in self._under_way:
                self.wrong.append("one message twice at the same time")
            if len(body) >= 20_000 or headers["Content-Type"] != "application/json":
                self.wrong.append("the body")
            self._under_way.append(headers["webhook-id"])
            self.at_once = max(self.at_once, len(self._under_way))
            mode = self.mode(document) if callable(self.mode) else self.mode
            id, type, data = headers["webhook-id"], document["type"], document["data"]
            self.got.append(Got(id, body, type, data, signed_at, mode, dict(headers)))
        return mode

    def done(self, id):
        """An attempt is answered."""
        with self._lock:
            self._under_way.remove(id)


@contextmanager
def receiving(port=0):
    """A receiver, until the end; at the end everything that came in has to be signed and well made."""
    server = _Server(("127.0.0.1", port), _Handler)
    host = f"127.0.0.1:{server.server_port}"
    server.receiver = Receiver(f"http://{host}/hook", host)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.receiver
    finally:
        server.receiver.may_go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
    assert server.receiver.wrong == []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def handle_error(self, request, client_address):
        """Whoever was killed does not wait for an answer."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_):
        """Nothing is logged."""

    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = receiver.take(self.headers, body)
        if mode == HANGS:
            self.connection.recv(1)  # until the other side has had enough
        if mode == WAITS:
            receiver.may_go_on.wait()
        if mode == SLOW:
            time.sleep(_SLOWLY)
        receiver.done(self.headers["webhook-id"])  # before the other side can know, and begin again
        self._answer(receiver, mode)

    def _answer(self, receiver, mode):
        if mode == CLOSES:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-")
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
        elif mode != HANGS:
            self.send_response(_STATUS.get(mode, 204 if mode == OK else 200))
            if mode == MOVED:
                self.send_header("Location", receiver.url)
            if mode == BUSY and receiver.retry_after is not None:
                self.send_header("Retry-After", receiver.retry_after)
            self.send_header("Content-Length", "10" if mode == CUTS else "0")
            self.end_headers()


class Clock:
    """Says what time it is, and is told so by a test."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def pass_by(self, **time):
        self.now += timedelta(**time)
