"""Claims: a delivery is sent by one worker at a time, and is claimed on disk before that.

A worker that dies leaves a claim that runs out: then another one sends the same message again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_, update

from service.records.site import SiteRecords
from service.records.tables import deliveries, endpoints
from service.webhooks.outbox import DUE

LEASE = timedelta(seconds=60)  # far longer than a message takes to be sent
_earlier = deliveries.alias("earlier")


@dataclass(frozen=True)
class Claimed:
    """A delivery that one worker alone may send until `lease` is over."""

    endpoint: str
    sequence: int
    type: str
    message: str
    attempts: int
    first_at: datetime | None
    lease: datetime
    url: str
    full: bool
    secrets: tuple[str, ...]

    @property
    def row(self) -> tuple[ColumnElement[bool], ...]:
        """Its row, while nobody else has claimed or settled it."""
        return (
            deliveries.c.endpoint == self.endpoint,
            deliveries.c.sequence == self.sequence,
            deliveries.c.type == self.type,
            deliveries.c.state == DUE,
            deliveries.c.leased_until == self.lease,
        )


def ready(records: SiteRecords, now: datetime) -> list[str]:
    """The endpoints for which something can be sent now. Raises StoreUnavailable."""
    something = select(deliveries.c.message).where(deliveries.c.endpoint == endpoints.c.id, *_may_go(now))
    wanted = select(endpoints.c.id).where(
        endpoints.c.site == records.site, *_takes_now(now), something.exists()
    )
    with records.reading() as connection:
        return list(connection.execute(wanted.order_by(endpoints.c.id)).scalars())


def claim(records: SiteRecords, endpoint: str, most: int, now: datetime) -> list[Claimed]:
    """Claim what is due at an endpoint and nobody has claimed, the first of each thread.

    When this returns the claim is on disk, before anything is sent. Raises StoreUnavailable.
    """
    lease = now + LEASE
    with records.noting() as connection:
        to = connection.execute(select(endpoints).where(endpoints.c.id == endpoint, *_takes_now(now))).first()
        if to is None:
            return []
        rows = connection.execute(_claimable(endpoint, most, now)).all()
        for row in rows:
            key = (deliveries.c[name] == getattr(row, name) for name in ("endpoint", "sequence", "type"))
            connection.execute(update(deliveries).where(*key).values(leased_until=lease))
    return [_claimed(row, to, lease, now) for row in rows]


def _takes_now(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        endpoints.c.paused_at.is_(None),
        endpoints.c.removed_at.is_(None),
        endpoints.c.held_until.is_(None) | (endpoints.c.held_until <= now),
    )


def _may_go(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """One that waits or is being sent holds back those behind it in its thread, and no other."""
    before = (
        _earlier.c.endpoint == deliveries.c.endpoint,
        _earlier.c.thread == deliveries.c.thread,
        _earlier.c.state == DUE,
        tuple_(_earlier.c.sequence, _earlier.c.type) < tuple_(deliveries.c.sequence, deliveries.c.type),
    )
    return (
        deliveries.c.state == DUE,
        deliveries.c.due_at <= now,
        deliveries.c.leased_until.is_(None) | (deliveries.c.leased_until <= now),
        ~select(_earlier.c.message).where(*before).exists(),
    )


def _claimable(endpoint: str, most: int, now: datetime) -> Select[Any]:
    wanted = select(deliveries).where(deliveries.c.endpoint == endpoint, *_may_go(now))
    ordered = wanted.order_by(deliveries.c.due_at, deliveries.c.sequence, deliveries.c.type)
    return ordered.limit(most).with_for_update(of=deliveries, skip_locked=True)


def _claimed(row: Any, to: Any, lease: datetime, now: datetime) -> Claimed:
    older = to.older_until is not None and now < to.older_until
    names = ("endpoint", "sequence", "type", "message", "attempts", "first_at")
    return Claimed(
        **{name: getattr(row, name) for name in names},
        lease=lease,
        url=to.url,
        full=to.full,
        secrets=(to.secret, to.older_secret) if older else (to.secret,),
    )
