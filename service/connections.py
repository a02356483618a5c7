"""Many clients at once: a request is handed on when all of it is here, and its answer goes as it is read.

The rules engine takes one request at a time, and so does a worker. No client keeps it from the others: not
one that sends nothing, or a byte a second, nor one that does not read what it asked for.
"""

import errno
import os
import resource
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from service.clients import Client, Patience, Stage, TooSlow

_MOST_OPEN, _MOST_HELD = 2000, 64 * 1024 * 1024  # connections; bytes of requests that are on their way
_MOST_UNREAD = 12 * 1024 * 1024  # bytes of answers that somebody has yet to read
_OTHER_FILES = 200
_AT_ONCE = 100
_TICK = 1.0


class Connections:
    """The clients of one worker. Where there is no room for one more, the oldest that waits has to go."""

    def __init__(self, doors: Sequence[socket.socket], alarm: int, cfg: Any, patience: Patience) -> None:
        """`doors` are listened to; a byte from the pipe `alarm` ends the waiting for clients."""
        self._selector = selectors.DefaultSelector()
        self._doors, self._cfg, self._patience = list(doors), cfg, patience
        self._open: dict[Client, None] = {}
        self._complete: deque[Client] = deque()
        self._held, self._looked = 0, time.monotonic()
        self._most = min(_MOST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES)
        self._selector.register(alarm, selectors.EVENT_READ)
        for door in self._doors:
            door.setblocking(False)
            self._selector.register(door, selectors.EVENT_READ)

    def next(self) -> Client | None:
        """The client whose request is to be answered now; None where none is complete within a second.

        Nobody is let in while somebody waits: another worker may be idle.
        """
        doors = []
        for key, _ in self._selector.select(0 if self._complete else _TICK):
            if isinstance(key.fileobj, int):
                os.read(key.fileobj, 4096)
            elif not isinstance(key.fileobj, Client):
                doors.append(key.fileobj)
            elif key.fileobj in self._open:  # it had not to make room for one before it
                self._go_on(key.fileobj)
        for door in doors:
            self._let_in(door)
        self._look_for_late_ones()
        return self._complete.popleft() if self._complete else None

    def answer(self, client: Client) -> None:
        """Send what has been collected as the answer, now and whenever the client reads."""
        self._held -= client.held
        client.begin()
        client.stage = Stage.GOING
        self._go_on(client)
        self._keep_no_more_than_fits(client)

    def stop(self) -> None:
        """Let nobody in any more; what is on its way has a little time."""
        soon = time.monotonic() + self._patience.stopping
        while self._doors:
            self._selector.unregister(self._doors.pop())
            for client in self._open:
                if client.stage is Stage.COMING:
                    client.by = min(client.by, soon)

    def busy(self) -> bool:
        """Whether somebody sends a request, or has yet to get an answer."""
        return any(client.stage is not Stage.PARTING for client in self._open)

    def _let_in(self, door: Any) -> None:
        for _ in range(_AT_ONCE):
            if self._complete:
                return
            try:
                plug, address = door.accept()
                client = Client(plug, address, door, self._cfg)
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                self._make_room()
                return
            if len(self._open) >= self._most:
                self._make_room()
            self._open[client] = None
            client.by = client.began + self._patience.head
            self._go_on(client)

    def _go_on(self, client: Client) -> None:
        try:
            if client.stage is Stage.COMING:
                self._take(client)
            elif client.stage is Stage.GOING:
                self._send(client)
            elif client.parted():
                self._drop(client)
        except OSError:
            self._drop(client)

    def _take(self, client: Client) -> None:
        before = client.held
        try:
            complete = client.arrive()
        finally:  # also for one who has gone: what is dropped is subtracted
            self._held += client.held - before
        if complete:
            self._completed(client)
            return
        if client.request is not None:
            client.by = client.began + self._patience.request
        self._watch(client, selectors.EVENT_READ)
        while self._held > _MOST_HELD and (holding := self._oldest(lambda each: each.held > 0)):
            self._drop(holding)

    def _completed(self, client: Client) -> None:
        client.stage = Stage.COMPLETE
        self._watch(client, 0)
        self._complete.append(client)

    def _send(self, client: Client) -> None:
        if not client.send():
            client.by = time.monotonic() + self._patience.answer
            self._watch(client, selectors.EVENT_WRITE)
        elif client.says_more:
            client.part()
            client.stage, client.by = Stage.PARTING, time.monotonic() + self._patience.parting
            self._watch(client, selectors.EVENT_READ)
        else:
            self._drop(client)

    def _watch(self, client: Client, events: int) -> None:
        if client.watched and client.watched != events:
            self._selector.unregister(client)
        if events and client.watched != events:
            self._selector.register(client, events)
        client.watched = events

    def _look_for_late_ones(self) -> None:
        now = time.monotonic()
        if now < self._looked + _TICK:
            return
        self._looked = now
        for client in [each for each in self._open if each.stage is not Stage.COMPLETE and each.by < now]:
            if client.stage is Stage.COMING and client.held:
                client.refused = TooSlow()
                self._completed(client)
            else:
                self._drop(client)

    def _keep_no_more_than_fits(self, newest: Client) -> None:
        """Who asks for much and reads nothing must not fill the disk: the oldest answers go first."""
        going = [each for each in self._open if each.stage is Stage.GOING and each is not newest]
        unread = newest.collected + sum(each.collected for each in going)
        for each in going:
            if unread <= _MOST_UNREAD:
                return
            unread -= each.collected
            self._drop(each)

    def _make_room(self) -> None:
        if (oldest := self._oldest(lambda _: True)) is not None:
            self._drop(oldest)

    def _oldest(self, such: Callable[[Client], bool]) -> Client | None:
        """The oldest such client that waits."""
        return next((each for each in self._open if each.stage is not Stage.COMPLETE and such(each)), None)

    def _drop(self, client: Client) -> None:
        self._watch(client, 0)
        self._held -= client.held
        del self._open[client]
        client.hang_up()
