"""The gunicorn worker: it waits for no client, and what never reaches the application is a problem too."""

import json
import signal
import uuid
from queue import SimpleQueue
from typing import Any

import structlog
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.sync import SyncWorker  # type: ignore[import-untyped]

from service.clients import Client, Patience, TooLarge, TooSlow
from service.connections import Connections
from service.web import problems
from service.web.headers import of_every_answer
from service.web.parts import parts_of

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (TooSlow, 408),
    (TooLarge, 413),
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.ExpectationFailed, 417),
    (errors.UnsupportedTransferCoding, 501),
)
_ENDS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
log = structlog.get_logger("dosegate")


class Worker(SyncWorker):  # type: ignore[misc]
    """Answers one complete request at a time, in its only thread; gunicorn reads and answers each one.

    Gunicorn's own worker repeats a bad request in its answer and its log; this one does not. `kept` are the
    signals that its master's handlers kept, which are in place here until its own ones are.
    """

    patience = Patience()
    alive: bool
    kept: SimpleQueue[int]

    def init_signals(self) -> None:
        """Heed the signals, also one that came when this process had just begun."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
        super().init_signals()
        while not self.kept.empty():
            self.alive = self.kept.get() not in _ENDS and self.alive
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)

    def run(self) -> None:
        """Answer until told to stop, and then whoever has asked already."""
        clients = Connections(self.sockets, self.PIPE[0], self.cfg, self.patience)
        while self.alive or clients.busy():
            self.notify()
            if not (self.alive and self.is_parent_alive()):
                self.alive = False
                clients.stop()
            client = clients.next()
            if client is not None:
                self.handle(client.door, client, client.address)
                clients.answer(client)

    def handle(self, listener: Any, client: Client, addr: Any) -> None:
        """Collect the answer to one request, whatever becomes of it."""
        try:
            if client.refused is not None:
                raise client.refused
            self.handle_request(listener, client.request, client, addr)
        except BaseException as error:  # also the arbiter's patience at its end
            self.handle_error(client.request, client, addr, error)

    def handle_error(self, _req: Any, client: Client, _addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be read, or that broke the application."""
        status, request = _status(exc), uuid.uuid4().hex
        if status == 500:
            log.error("request_failed", status=status, request=request, error=type(exc).__name__)
        else:
            log.warning("request_unreadable", status=status, request=request)
        problem = problems.http_problem(status)
        body = json.dumps(problem).encode("ascii")
        bounds = "".join(
            f"{name}: {value}\r\n" for name, value in of_every_answer(parts_of(self.wsgi)).items()
        )
        head = (
            f"HTTP/1.1 {status} {problem['title']}\r\nConnection: close\r\n"
            f"Content-Type: {problems.MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {request}\r\n{bounds}\r\n"
        )
        client.close()  # what there was of another answer
        client.sendall(head.encode("ascii") + body)


def _status(error: BaseException) -> int:
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    return 400 if isinstance(error, errors.ParseException) else 500
