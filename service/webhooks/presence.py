"""Couriers say that they are there: where none is, nobody is told of anything."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, select, update

from service.records.database import add_once
from service.records.site import SiteRecords
from service.records.tables import couriers

EVERY = timedelta(seconds=10)  # so often a courier says so
BELIEVED = timedelta(seconds=40)  # for so long it is believed


def say_present(records: SiteRecords, process: str, now: datetime) -> None:
    """Note that a process delivers now. Raises StoreUnavailable."""
    row = {"site": records.site, "process": process, "seen_at": now}
    with records.noting() as connection:
        if not add_once(connection, couriers, row):
            own = (couriers.c.site == records.site, couriers.c.process == process)
            connection.execute(update(couriers).where(*own).values(seen_at=now))


def say_gone(records: SiteRecords, process: str) -> None:
    """Note that a process delivers no more. Raises StoreUnavailable."""
    own = (couriers.c.site == records.site, couriers.c.process == process)
    with records.noting() as connection:
        connection.execute(delete(couriers).where(*own))


def present(connection: Connection, site: str, now: datetime) -> int:
    """How many processes deliver, by what they said of late."""
    lately = (couriers.c.site == site, couriers.c.seen_at >= now - BELIEVED)
    return int(connection.execute(select(func.count()).select_from(couriers).where(*lately)).scalar_one())
