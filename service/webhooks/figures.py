"""What the records tell whoever watches the service: how old the journal is, what waits, who delivers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from service.records.site import SiteRecords
from service.records.tables import chains, checkpoints, deliveries, endpoints, journal
from service.webhooks.outbox import DEAD, DUE, TOLD_OF
from service.webhooks.presence import present


@dataclass(frozen=True)
class Figures:
    """How things stand. Times are None where there is nothing that has one.

    `entries` and `head_at` are the number and the time of the last entry, `checkpoint_at` is the time of the
    last checkpoint. `waiting_since` is the time of the oldest entry that some endpoint has not been told of
    and does not wait for by itself. `told` and `paused` count endpoints, `couriers` processes.
    """

    entries: int
    head_at: datetime
    checkpoint_at: datetime | None
    waiting: int
    dead: int
    waiting_since: datetime | None
    told: int
    paused: int
    couriers: int


def figures(records: SiteRecords, now: datetime) -> Figures:
    """The figures of a site. Raises StoreUnavailable."""
    site = records.site
    with records.reading() as connection:
        head = connection.execute(select(chains.c.sequence, chains.c.at).where(chains.c.site == site)).one()
        signed = select(checkpoints.c.at).where(checkpoints.c.site == site)
        last = connection.scalar(signed.order_by(checkpoints.c.sequence.desc()).limit(1))
        there = (endpoints.c.site == site, endpoints.c.removed_at.is_(None))
        columns = (endpoints.c.id, endpoints.c.paused_at, endpoints.c.read_to)
        listed = connection.execute(select(*columns).where(*there)).all()
        told = [row for row in listed if row.paused_at is None]
        of = [row.id for row in told]
        waiting, first = connection.execute(
            select(func.count(), func.min(deliveries.c.sequence)).where(
                deliveries.c.endpoint.in_(of), deliveries.c.state == DUE
            )
        ).one()
        dead = select(func.count()).where(
            deliveries.c.endpoint.in_([row.id for row in listed]), deliveries.c.state == DEAD
        )
        unread = _first_unread(connection, site, [row.read_to for row in told], head.sequence)
        oldest = min((each for each in (first, unread) if each is not None), default=None)
        return Figures(
            entries=head.sequence,
            head_at=head.at,
            checkpoint_at=last,
            waiting=waiting,
            dead=connection.execute(dead).scalar_one(),
            waiting_since=_time_of(connection, site, oldest),
            told=len(told),
            paused=len(listed) - len(told),
            couriers=present(connection, site, now),
        )


def _first_unread(connection: Connection, site: str, read_to: list[int], last: int) -> int | None:
    """The first entry that is told of and that some endpoint's place in the journal is before."""
    place = min(read_to, default=last)
    if place >= last:
        return None
    behind = (journal.c.site == site, journal.c.sequence > place, journal.c.event.in_(TOLD_OF))
    wanted = select(journal.c.sequence).where(*behind).order_by(journal.c.sequence).limit(1)
    found: int | None = connection.scalar(wanted)
    return found


def _time_of(connection: Connection, site: str, sequence: int | None) -> datetime | None:
    if sequence is None:
        return None
    wanted = select(journal.c.at).where(journal.c.site == site, journal.c.sequence == sequence)
    found: datetime | None = connection.scalar(wanted)
    return found
