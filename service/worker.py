"""The gunicorn worker: what never reaches the application is answered with a problem too."""

import json
import socket
from typing import Any

from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.workers.sync import SyncWorker  # type: ignore[import-untyped]

from service.records.site import DEMONSTRATION
from service.web import problems
from service.web.headers import MODE
from service.web.parts import parts_of

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (errors.LimitRequestLine, 414),
    (errors.LimitRequestHeaders, 431),
    (errors.ExpectationFailed, 417),
    (errors.UnsupportedTransferCoding, 501),
)


class Worker(SyncWorker):  # type: ignore[misc]
    """Gunicorn's own worker repeats a bad request in its answer and its log; this one does not."""

    def handle_error(self, _req: Any, client: socket.socket, _addr: Any, exc: BaseException) -> None:
        """Answer a request that could not be read, or that broke the application."""
        status = _status(exc)
        if status == 500:
            self.log.error("a request failed outside the application: %s", type(exc).__name__)
        problem = problems.http_problem(status)
        body = json.dumps(problem).encode("ascii")
        head = (
            f"HTTP/1.1 {status} {problem['title']}\r\nConnection: close\r\n"
            f"Content-Type: {problems.MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n{self._mark()}\r\n"
        )
        try:
            client.sendall(head.encode("ascii") + body)
        except OSError as error:
            self.log.debug("the client has gone: %s", type(error).__name__)

    def _mark(self) -> str:
        """The header that says that nobody here is real, where it is so."""
        demonstration = parts_of(self.wsgi).store.records.demonstration
        return f"{MODE}: {DEMONSTRATION}\r\n" if demonstration else ""


def _status(error: BaseException) -> int:
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    return 400 if isinstance(error, errors.ParseException) else 500
