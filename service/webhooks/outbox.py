"""The journal is the outbox: what an endpoint is told of is read from the entries that it has not seen yet.

A transaction makes the deliveries of some entries and moves the endpoint's place in the journal behind them,
so that none is made twice or missed, and nothing is added to the requests that made the entries.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from service.records.journal import Event
from service.records.site import SiteRecords
from service.records.tables import deliveries, endpoints, journal
from service.webhooks.endpoints import EventType
from service.webhooks.threads import Made, status_before, thread_of

DUE, DELIVERED, DEAD, ERASED = "due", "delivered", "dead", "erased"
STATES = (DUE, DELIVERED, DEAD, ERASED)
_AT_ONCE = 100  # entries: meanwhile nobody else writes to a SQLite file
_MESSAGES = uuid.UUID("6f0c4d0e-6a55-4c9e-9d59-0a2c8f3f7b61")
_TYPES = {
    Event.CHECKLIST_MADE: EventType.CHECKLIST_COMPLETED,
    Event.WARN_ACKNOWLEDGED: EventType.OVERRIDE_RECORDED,
    Event.BLOCK_OVERRIDDEN: EventType.OVERRIDE_RECORDED,
    Event.OUTCOME_RECORDED: EventType.OUTCOME_RECORDED,
    Event.PACK_LOADED: EventType.PACK_RELEASED,
}
TOLD_OF = tuple(event.value for event in _TYPES)


def message_id(entry: str, type: str) -> str:
    """The id of a message, by the digest of its entry: one event has one, and it is never that of another."""
    return str(uuid.uuid5(_MESSAGES, f"{entry} {type}"))


def read_on(records: SiteRecords, now: datetime) -> bool:
    """Make the deliveries of some more entries for every endpoint; whether entries are left.

    Those of an endpoint that is paused wait in the journal. Raises StoreUnavailable.
    """
    told = select(endpoints.c.id, endpoints.c.read_to).where(*_told(records.site))
    with records.reading() as connection:
        last = _last(connection, records.site)
        behind = [row.id for row in connection.execute(told.order_by(endpoints.c.id)) if row.read_to < last]
    left = False
    for id in behind:
        with records.noting() as connection:
            left |= _read_for(connection, records.site, id, now)
    return left


def _told(site: str) -> tuple[ColumnElement[bool], ...]:
    return endpoints.c.site == site, endpoints.c.paused_at.is_(None), endpoints.c.removed_at.is_(None)


def _last(connection: Connection, site: str) -> int:
    """The last entry that can be seen; each one before it can be seen too, since they are kept in order."""
    wanted = select(func.max(journal.c.sequence)).where(journal.c.site == site)
    return connection.execute(wanted).scalar_one() or 0


def _read_for(connection: Connection, site: str, id: str, now: datetime) -> bool:
    """Read on for an endpoint for which nobody else reads now; whether entries are left."""
    wanted = select(endpoints.c.read_to, endpoints.c.events).where(*_told(site), endpoints.c.id == id)
    endpoint = connection.execute(wanted.with_for_update(skip_locked=True)).one_or_none()
    if endpoint is None:
        return False
    last = _last(connection, site)
    to = min(last, endpoint.read_to + _AT_ONCE)
    told_of = journal.c.event.in_(TOLD_OF)
    entries = select(journal.c.sequence, journal.c.event, journal.c.subject, journal.c.digest).where(
        journal.c.site == site, journal.c.sequence.between(endpoint.read_to + 1, to), told_of
    )
    threads: dict[str, tuple[Made, ...]] = {}
    rows = [
        {"endpoint": id, "site": site, "attempts": 0, "due_at": now, **row}
        for entry in connection.execute(entries.order_by(journal.c.sequence)).all()
        for row in _messages(connection, site, entry, threads, now)
        if row["type"] in endpoint.events
    ]
    if rows:
        connection.execute(insert(deliveries), rows)
    connection.execute(update(endpoints).where(endpoints.c.id == id).values(read_to=to))
    return bool(to < last)


def _messages(
    connection: Connection, site: str, entry: Any, threads: dict[str, tuple[Made, ...]], now: datetime
) -> Iterator[dict[str, Any]]:
    """What an entry tells. Of an erased patient nothing is left to tell, nor to whom a thread belongs.

    `threads` are those that were read before, by each of their checklists.
    """
    types, thread, settled = [_TYPES[Event(entry.event)]], entry.subject, None
    if entry.event != Event.PACK_LOADED:
        if entry.subject not in threads:
            found = thread_of(connection, site, entry.subject)
            threads |= {each.id: found for each in found}
        if made := threads.get(entry.subject):
            thread = made[0].id
            if entry.event == Event.CHECKLIST_MADE and status_before(made, entry.subject) is not None:
                types.append(EventType.STATUS_CHANGED)
        else:
            settled = now
    for type in types:
        yield {
            "sequence": entry.sequence,
            "type": type.value,
            "message": message_id(entry.digest, type),
            "thread": thread,
            "state": ERASED if settled else DUE,
            "settled_at": settled,
        }
