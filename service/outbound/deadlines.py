"""One deadline for all of a call: to look a name up, to connect, to send, and to read, however slowly."""

import io
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any


class Deadline:
    """A moment, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left, above 0. Raises TimeoutError where none is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True)
class Address:
    """One address of a server, as the system's own calls want it."""

    family: socket.AddressFamily
    at: Any

    @property
    def ip(self) -> str:
        """The address itself, without its port."""
        return str(self.at[0])


def addresses_of(host: str, port: int, deadline: Deadline) -> list[Address]:
    """Every address of a name, none where it is not known. Raises TimeoutError.

    It is asked for in a thread of its own, as the system's resolver takes its own time and heeds no deadline.
    """
    answer: SimpleQueue[list[Address]] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answer.put(list(dict.fromkeys(Address(each[0], each[4]) for each in found)))

    Thread(target=ask, name="resolver", daemon=True).start()
    try:
        return answer.get(timeout=deadline.left())
    except Empty:
        raise TimeoutError from None


def connect(addresses: Sequence[Address], deadline: Deadline) -> socket.socket:
    """A connection to the first that answers; each of them gets its share of the time. Raises OSError."""
    failed: OSError = TimeoutError()
    for others, address in zip(range(len(addresses), 0, -1), addresses, strict=True):
        sock = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            sock.settimeout(deadline.left() / others)
            sock.connect(address.at)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            failed = error
    raise failed


class TimedSocket:
    """A connection as http.client uses one, each step of which ends by the deadline. Raises TimeoutError.

    `ended`: the other side was read to its end.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock, self._deadline = sock, deadline
        self.ended = False

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(self._deadline.left())
            rest = rest[self._sock.send(rest) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the other side says, to be read."""
        return io.BufferedReader(_Heard(self))

    def receive(self, buffer: memoryview) -> int:
        """Fill what can be filled at once; 0 at the end."""
        self._sock.settimeout(self._deadline.left())
        length = self._sock.recv_into(buffer)
        self.ended = length == 0
        return length

    def close(self) -> None:
        """Nothing yet: it is called before the answer is read. Who made the connection ends it."""


class _Heard(io.RawIOBase):
    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.receive(memoryview(buffer))
