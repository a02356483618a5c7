"""What was delivered and what was not, for somebody to look at, and to send again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_, update

from service.intake.errors import BadInput, FieldError
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import deliveries, endpoints, moment_text
from service.webhooks.outbox import DEAD, DELIVERED, DUE

MOST, USUAL = 200, 50
SUBJECT = "deliveries"
_CURSOR = re.compile(r"([0-9]{1,10})~([a-z_.]{1,40})~([0-9a-f-]{36})")
_ANEW = {"state": DUE, "attempts": 0, "first_at": None, "leased_until": None, "settled_at": None}

_Chosen = tuple[ColumnElement[bool], ...]


class NoSuchDelivery(Exception):
    """No message with this id waits, arrived or was given up, or its endpoint was removed."""


@dataclass(frozen=True)
class Delivery:
    """One event for one endpoint; it holds nothing of a patient.

    `thread` is the id of the first checklist of the patient and drug, or a pack; `sequence` is the entry of
    the journal that it tells of; `last_answer` is a status of HTTP, or in words why there was none.
    """

    message: str
    endpoint: str
    type: str
    sequence: int
    thread: str
    state: str
    attempts: int
    first_at: datetime | None
    due_at: datetime
    last_answer: str | None
    settled_at: datetime | None

    def document(self) -> dict[str, Any]:
        """The delivery as JSON."""
        times = ("first_at", "due_at", "settled_at")
        told = {name: moment_text(at) for name in times if (at := getattr(self, name))}
        return {**vars(self), **told}


@dataclass(frozen=True)
class Page:
    """Some deliveries in the order of their events, and after which the next page begins; None at the end."""

    deliveries: tuple[Delivery, ...]
    after: str | None


_COLUMNS = tuple(deliveries.c[name] for name in Delivery.__dataclass_fields__)
_PLACE = (deliveries.c.sequence, deliveries.c.type, deliveries.c.endpoint)


class Deliveries:
    """The deliveries of one site. Everything here raises StoreUnavailable."""

    def __init__(self, records: SiteRecords) -> None:
        self._records = records

    def page(self, wanted: Mapping[str, str], after: str | None = None, limit: int = USUAL) -> Page:
        """The next deliveries of this `state` and `endpoint`, where they are given. Raises BadInput."""
        chosen = select(*_COLUMNS).where(deliveries.c.site == self._records.site)
        for name, value in wanted.items():
            chosen = chosen.where(deliveries.c[name] == value)
        if after is not None:
            if (place := _CURSOR.fullmatch(after)) is None:
                raise BadInput([FieldError("after", "is not where a page ended")])
            chosen = chosen.where(tuple_(*_PLACE) > tuple_(int(place[1]), place[2], place[3]))
        with self._records.reading() as connection:
            rows = connection.execute(chosen.order_by(*_PLACE).limit(limit + 1)).all()
        found = tuple(Delivery(**row._mapping) for row in rows[:limit])
        return Page(found, _cursor(found[-1]) if len(rows) > limit else None)

    def replay(self, message: str, act: Act) -> int:
        """Send a message again that arrived or was given up, to everybody it was for; to how many.

        Its attempts are counted anew. Where it waits for its next attempt, that is due now. Raises
        NoSuchDelivery.
        """
        settled = (deliveries.c.message == message, deliveries.c.state.in_((DEAD, DELIVERED)))
        waits = (deliveries.c.message == message, deliveries.c.state == DUE)
        count = self._repeat({waits: {}, settled: _ANEW}, {"message": message}, act)
        if not count:
            raise NoSuchDelivery
        return count

    def replay_dead(self, since: datetime, act: Act, endpoint: str | None = None) -> int:
        """Send all messages again that were given up since then, of one endpoint or of all; how many."""
        chosen = [deliveries.c.state == DEAD, deliveries.c.settled_at >= since]
        told = {"since": moment_text(since)}
        if endpoint is not None:
            chosen.append(deliveries.c.endpoint == endpoint)
            told["endpoint"] = endpoint
        return self._repeat({tuple(chosen): _ANEW}, told, act)

    def _repeat(
        self, repeated: Mapping[_Chosen, Mapping[str, Any]], told: Mapping[str, Any], act: Act
    ) -> int:
        """Make deliveries due now, in turn, with what else changes of each; how many."""
        mine = (endpoints.c.site == self._records.site, endpoints.c.removed_at.is_(None))
        there = deliveries.c.endpoint.in_(select(endpoints.c.id).where(*mine))
        with self._records.writing() as writing:
            again = [
                update(deliveries).where(there, *chosen).values(**values, due_at=act.at)
                for chosen, values in repeated.items()
            ]
            count = sum(writing.connection.execute(each).rowcount for each in again)
            if count:
                details = {**told, "deliveries": count}
                writing.enter(act, Event.DELIVERY_REPEATED, SUBJECT, details)
            writing.wrote_nothing = not count
        return count


def _cursor(last: Delivery) -> str:
    return f"{last.sequence}~{last.type}~{last.endpoint}"
