"""What is kept for a time only: how long, and what sweeps it out.

The record itself is none of this: it is kept until the site erases it (`service.records.erasure`,
`service.records.expiry`).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, delete, exists, select

from service.records.drafts import Drafts
from service.records.journal import Act
from service.records.site import SiteRecords
from service.records.tables import (
    checklists,
    couriers,
    deliveries,
    drafts,
    failures,
    idempotency,
    infusions,
    messages,
    rates,
    sessions,
    used_tokens,
)

# How long after this moment a row is of no use any more; longer than anybody relies on it.
KEPT: dict[Column[Any], timedelta] = {
    sessions.c.created_at: timedelta(days=1),
    failures.c.at: timedelta(days=1),
    used_tokens.c.expires_at: timedelta(days=1),
    rates.c.ends_at: timedelta(days=1),
    couriers.c.seen_at: timedelta(days=1),
    messages.c.at: timedelta(days=30),
    deliveries.c.settled_at: timedelta(days=30),
    infusions.c.infusion_utc: timedelta(days=90),
}
# A request that is sent again under its key is answered with the first result for so long.
REPEATED = timedelta(days=30)
# What nobody has gone on with; that it is gone is in the journal.
LEFT = timedelta(days=30)
_MOST_DRAFTS = 100


def sweep(records: SiteRecords, now: datetime) -> dict[str, int]:
    """Delete what has been kept for long enough: how many rows, by table. Raises StoreUnavailable."""
    swept: dict[str, int] = {}
    with records.noting() as connection:
        for since, kept in KEPT.items():
            table: Any = since.table
            old = [since <= now - kept]
            if "site" in table.c:
                old.append(table.c.site == records.site)
            swept[table.name] = connection.execute(delete(table).where(*old)).rowcount
        long_ago = exists().where(
            checklists.c.id == idempotency.c.checklist, checklists.c.created_at <= now - REPEATED
        )
        mine = idempotency.c.site == records.site
        swept["idempotency"] = connection.execute(delete(idempotency).where(mine, long_ago)).rowcount
    swept["drafts"] = _discard_drafts(records, now)
    return swept


def _discard_drafts(records: SiteRecords, now: datetime) -> int:
    left = (drafts.c.site == records.site, drafts.c.updated_at <= now - LEFT)
    with records.reading() as connection:
        found = connection.scalars(select(drafts.c.id).where(*left).limit(_MOST_DRAFTS)).all()
    return Drafts(records).discard_left(found, now - LEFT, Act("service", "service", "sweep", now))
