"""How often each one has asked of late: windows of a minute, in a worker's memory or for all workers at once.

Only digests come in here. What is counted may be lost at any time, and nothing is refused for want of it.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from limits.storage import Storage
from sqlalchemy import Integer, String, bindparam, case, delete, literal, select
from sqlalchemy.dialects.postgresql import insert

from service.records.database import Database, StoreUnavailable
from service.records.tables import Moment, rates

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")

LEFT_ALONE_FOR = timedelta(seconds=10)
_CLEARED_EVERY = timedelta(minutes=1)

# Made once: to put it together takes longer than to run it.
_NOW, _UNTIL = bindparam("now", type_=Moment), bindparam("until", type_=Moment)
_MORE = bindparam("more", type_=Integer)
_GOES_ON = (rates.c.ends_at > _NOW) & (rates.c.ends_at <= _UNTIL)
_COUNT = (
    insert(rates)
    .values(bucket=bindparam("of", type_=String), count=_MORE, ends_at=_UNTIL)
    .on_conflict_do_update(
        index_elements=[rates.c.bucket],
        set_={
            "count": case((_GOES_ON, rates.c.count + _MORE), else_=_MORE),
            "ends_at": case((_GOES_ON, rates.c.ends_at), else_=_UNTIL),
        },
    )
    .returning(rates.c.count, rates.c.ends_at)
)


@dataclass(frozen=True)
class Window:
    """How much was asked in a window so far, and when it ends."""

    count: int
    ends_at: datetime


class _Windows(Storage):
    """Fixed windows, as the limits library wants to be given them; `clock` tells the time."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions)
        self._clock: Callable[[], datetime] = options["clock"]

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """The library need not rename any error: none leaves here."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """What was asked in this window, with what is asked now."""
        now = self._clock()
        return self.add(_bucket(key), Window(amount, now + timedelta(seconds=expiry)), now).count

    def get(self, key: str) -> int:
        """What was asked in this window."""
        return self.found(_bucket(key), self._clock()).count

    def get_expiry(self, key: str) -> float:
        """When this window ends, in seconds of Unix."""
        return self.found(_bucket(key), self._clock()).ends_at.timestamp()

    def add(self, bucket: str, new: Window, now: datetime) -> Window:
        """Count in the window that has not ended, else in the new one."""
        raise NotImplementedError

    def found(self, bucket: str, now: datetime) -> Window:
        """The window that has not ended, else an empty one that ends now."""
        raise NotImplementedError

    def check(self) -> bool:
        """Whether it can be counted."""
        return True

    def reset(self) -> int | None:
        """Nothing: every window ends by itself."""
        return None

    def clear(self, key: str) -> None:
        """Nothing: every window ends by itself."""


class OfThisWorker(_Windows):
    """Windows in the memory of one worker."""

    STORAGE_SCHEME = ["dosegate-worker"]  # noqa: RUF012  as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._windows: dict[str, Window] = {}
        self._cleared_at: datetime | None = None

    def add(self, bucket: str, new: Window, now: datetime) -> Window:
        """Count in the window that has not ended, else in the new one."""
        if _is_time(self._cleared_at, _CLEARED_EVERY, now):
            self._cleared_at = now
            self._windows = {name: each for name, each in self._windows.items() if each.ends_at > now}
        kept = self._windows.get(bucket)
        if kept is not None and now < kept.ends_at <= new.ends_at:
            new = Window(kept.count + new.count, kept.ends_at)
        self._windows[bucket] = new
        return new

    def found(self, bucket: str, now: datetime) -> Window:
        """The window that has not ended, else an empty one that ends now."""
        kept = self._windows.get(bucket)
        return kept if kept is not None and kept.ends_at > now else Window(0, now)


class OfAllWorkers(_Windows):
    """Windows in PostgreSQL, one statement a request.

    Where the database fails, nothing is counted for a while: the request goes on to its own answer.
    """

    STORAGE_SCHEME = ["dosegate-shared"]  # noqa: RUF012  as the library declares it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._database: Database = options["database"]
        self._failed_at: datetime | None = None
        self._cleared_at: datetime | None = None

    def add(self, bucket: str, new: Window, now: datetime) -> Window:
        """Count in the window that has not ended, else in the new one."""
        if not _is_time(self._failed_at, LEFT_ALONE_FOR, now):
            return Window(0, now)
        values = {"of": bucket, "more": new.count, "now": now, "until": new.ends_at}
        try:
            with self._database.apart() as connection:
                if _is_time(self._cleared_at, _CLEARED_EVERY, now):
                    self._cleared_at = now
                    connection.execute(delete(rates).where(rates.c.ends_at <= now))
                return Window(*connection.execute(_COUNT, values).one())
        except StoreUnavailable as error:
            log.warning("requests_not_counted", reason=str(error))
            self._failed_at = now
            return Window(0, now)

    def found(self, bucket: str, now: datetime) -> Window:
        """The window that has not ended, else an empty one that ends now."""
        wanted = select(rates.c.count, rates.c.ends_at).where(
            rates.c.bucket == bucket, rates.c.ends_at > literal(now, Moment)
        )
        try:
            with self._database.apart() as connection:
                row = connection.execute(wanted).first()
        except StoreUnavailable:
            row = None
        return Window(0, now) if row is None else Window(*row)


def seconds_left(ends_at: float, now: datetime) -> int:
    """Whole seconds until a window ends, 1 at least."""
    return max(1, math.ceil(ends_at - now.timestamp()))


def _bucket(key: str) -> str:
    """What the library calls a window, in the width that the table has."""
    return hashlib.sha256(key.encode()).hexdigest()


def _is_time(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether so much time has passed, or the clock was set back."""
    return last is None or not timedelta(0) <= now - last < every
