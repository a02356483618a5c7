"""One client of a worker: its request as it arrives, and its answer as it is read."""

import errno
import os
import re
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http.body import LengthReader  # type: ignore[import-untyped]
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine  # type: ignore[import-untyped]

from service.intake.json_text import MOST_WITH_BUNDLE

_LONGEST_HEAD, _LONGEST_LINE = 32 * 1024, 8190
_FRAMES = 64 * 1024  # of all chunks: many small ones would take the parser long
_LONGEST_BODY = MOST_WITH_BUNDLE + _FRAMES
_IN_MEMORY = 64 * 1024  # of an answer; a longer one waits in a file without a name
_PIECE = 256 * 1024
_AT_ONCE = struct.pack("ii", 1, 0)
_SIZE = re.compile(rb"0*([0-9A-Fa-f]{1,8})")


@dataclass(frozen=True)
class Patience:
    """How long a client may take, in seconds.

    `head` and `request` count from the beginning: for the head, and for all of it. `answer` is between two
    pieces of an answer, and `parting` until the client hangs up. When the worker is told to stop, a request
    that is on its way has `stopping` to arrive.
    """

    head: float = 10
    request: float = 60
    answer: float = 30
    parting: float = 5
    stopping: float = 5


class TooSlow(Exception):
    """A request did not arrive in time."""


class TooLarge(Exception):
    """A request is longer than any that is taken here."""


class Stage(Enum):
    """How far a client is."""

    COMING, COMPLETE, GOING, PARTING = auto(), auto(), auto(), auto()


class Client:
    """One connection. To gunicorn's parser and its response it is the socket that they read and write."""

    def __init__(self, plug: socket.socket, address: Any, door: Any, cfg: Any) -> None:
        self.address, self.door = address, door
        self.request: Any = None
        self.refused: Exception | None = None
        self.stage, self.began, self.by, self.watched = Stage.COMING, time.monotonic(), 0.0, 0
        self._plug, self._cfg = plug, cfg
        self._arrived, self._read = bytearray(), 0
        self._looked, self._whole = 0, 0  # how far the end was looked for, and where it is if that is known
        self._frames = 0  # bytes of chunks that are not of the body
        self._answer = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed with the connection
        self._piece, self._left = b"", 0
        self.collected = 0  # bytes of the answer
        self.says_more = False  # to hang up on one who does would take the answer back
        plug.setblocking(False)

    def fileno(self) -> int:
        return self._plug.fileno()

    @property
    def held(self) -> int:
        """How many bytes of the request are kept."""
        return len(self._arrived)

    def recv(self, size: int) -> bytes:
        """What has arrived, for the parser."""
        piece = bytes(self._arrived[self._read : self._read + size])
        self._read += len(piece)
        return piece

    def sendall(self, data: bytes) -> None:
        """Collect a piece of the answer. Raises OSError where there is no room on disk for it."""
        self._answer.write(data)
        self._answer.flush()

    def shutdown(self, _how: int) -> None:
        """Refuse: an answer that breaks off has not been sent yet, and another one takes its place."""
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    def close(self) -> None:
        """Forget what was collected of an answer, also where the disk is full."""
        with suppress(OSError):
            self._answer.close()
        self._answer = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  closed with the connection

    def arrive(self) -> bool:
        """Take what has come; whether there is no more to wait for. Raises OSError for one who has gone."""
        try:
            piece = self._plug.recv(_PIECE)
        except BlockingIOError:
            return False
        if not piece:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self._arrived += piece
        try:
            return self._complete()
        except OSError:
            raise
        except Exception as error:  # the answer says what the parser makes of it
            self.refused = error
            return True

    def _complete(self) -> bool:
        if self.request is None and not self._has_head():
            return False
        if max(self._whole, len(self._arrived)) > _LONGEST_HEAD + _LONGEST_BODY:
            raise TooLarge
        complete = len(self._arrived) >= self._whole if self._whole else self._has_all_chunks()
        if complete and not self._whole:  # what is badly framed is refused here, whatever it asks for
            self.request.body = BytesIO(self.request.body.read())
        if self.request._expected_100_continue:
            self.request._expected_100_continue = False  # else gunicorn says it when the body is here
            if not complete:
                self._plug.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return complete

    def _has_head(self) -> bool:
        end = self._arrived.find(b"\r\n\r\n", max(0, self._looked - 3))
        if end < 0:
            self._looked = len(self._arrived)
            if self._looked > _LONGEST_HEAD and b"\r\n" not in self._arrived:
                raise LimitRequestLine(self._looked, _LONGEST_HEAD)
            if self._looked > _LONGEST_HEAD:
                raise LimitRequestHeaders("the head is too long")
            return False
        self._looked = end + 4
        self.request = next(http.get_parser(self._cfg, self, self.address))
        body = self.request.body.reader
        if isinstance(body, LengthReader):
            self._whole = self._looked + body.length
        return True

    def _has_all_chunks(self) -> bool:
        """Whether the last chunk is here, or what is none: the parser says what is wrong with that."""
        while (end := self._arrived.find(b"\r\n", self._looked)) >= 0:
            size = _SIZE.match(self._arrived, self._looked, end)
            if size is None:
                return True
            if not int(size[1], 16):  # a trailer is looked through anew each time, and so it is short
                return self._arrived.find(b"\r\n\r\n", end) >= 0 or len(self._arrived) > end + _LONGEST_LINE
            self._frames += end + 4 - self._looked
            if self._frames > _FRAMES:
                raise TooLarge
            self._looked = end + 2 + int(size[1], 16) + 2
        return len(self._arrived) - self._looked > _LONGEST_LINE

    def begin(self) -> None:
        """Begin to send what was collected."""
        self.says_more = self.refused is not None or len(self._arrived) > self._read
        self._arrived, self._left = bytearray(), self._answer.tell()
        self.collected = self._left
        self._answer.seek(0)

    def send(self) -> bool:
        """Send a piece of the answer; whether it was the last one. Raises OSError for one who has gone."""
        self._piece = self._piece or self._answer.read(_PIECE)
        try:
            sent = self._plug.send(self._piece)
        except BlockingIOError:
            return False
        self._piece = self._piece[sent:]
        self._left -= sent
        return not self._left

    def part(self) -> None:
        """Say that this was all."""
        self._plug.shutdown(socket.SHUT_WR)

    def parted(self) -> bool:
        """Whether the client has hung up; what it sends instead is not read."""
        return not self._plug.recv(_PIECE)

    def hang_up(self) -> None:
        """Close the connection; the kernel, too, keeps nothing of an answer that is not read."""
        if self._left:
            self._plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._answer.close()
        self._plug.close()
