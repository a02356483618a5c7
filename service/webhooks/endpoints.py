"""Endpoints: who is told of which events. What is done to one is in the journal, but never its secret."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from service.intake.errors import BadInput, FieldError
from service.outbound.http import Forbidden, Outbound
from service.records.journal import Act, Event
from service.records.registered import origin_of, secret_digest, url_digest
from service.records.site import SiteRecords, Writing
from service.records.tables import deliveries, endpoints, journal, moment_text
from service.webhooks.signing import ROTATION, check_may_rotate, new_secret

LONGEST_URL = 2000
BY_HAND, GONE, FAILING = "by hand", "gone", "no success for 5 days"  # why an endpoint is paused


class EventType(StrEnum):
    """What an endpoint can be told of. The words are stored and sent: add to them, never rename one."""

    CHECKLIST_COMPLETED = "checklist.completed"
    STATUS_CHANGED = "checklist.status_changed"
    OVERRIDE_RECORDED = "override.recorded"
    OUTCOME_RECORDED = "outcome.recorded"
    PACK_RELEASED = "pack.released"


class NoSuchEndpoint(Exception):
    """No endpoint has this id, or it was removed."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is shown: never its secrets.

    `failing_since` is the first failure after the last success; `paused_because` is one of BY_HAND, GONE and
    FAILING. So many deliveries are `waiting` to be sent, and it is `behind` by so many entries of the journal
    that were not looked at for it yet.
    """

    id: str
    url: str
    events: tuple[str, ...]
    full: bool
    created_at: datetime
    older_until: datetime | None
    failing_since: datetime | None
    held_until: datetime | None
    paused_at: datetime | None
    paused_because: str | None
    waiting: int
    behind: int


_COLUMNS = tuple(
    endpoints.c[name] for name in Endpoint.__dataclass_fields__ if name not in ("waiting", "behind")
)


class Endpoints:
    """The endpoints of one site. Every act raises StoreUnavailable, and NoSuchEndpoint where it names one."""

    def __init__(self, records: SiteRecords, outbound: Outbound) -> None:
        self._records, self._outbound = records, outbound
        self._mine = (endpoints.c.site == records.site, endpoints.c.removed_at.is_(None))

    def add(self, url: str, events: Iterable[str], *, full: bool, act: Act) -> tuple[Endpoint, str]:
        """A new endpoint, told of what happens from now on; its secret is shown this once.

        Raises BadInput for an address that is never called, or without events.
        """
        self._check_url(url)
        values = {"url": url, "events": _checked(events), "full": full}
        id, secret = str(uuid.uuid4()), new_secret()
        with self._records.writing() as writing:
            details = {"origin": origin_of(url), "events": values["events"], "full": full}
            details |= {"secret_digest": secret_digest(secret), "url_digest": url_digest(secret, url)}
            # What is entered before this entry is before the endpoint; what comes after it is sent.
            entry = writing.enter(act, Event.ENDPOINT_ADDED, id, details)
            row = {"id": id, "site": self._records.site, "secret": secret, **values}
            row |= {"read_to": entry.sequence, "created_at": act.at}
            writing.connection.execute(insert(endpoints).values(row))
        return self.by_id(id), secret

    def all(self) -> list[Endpoint]:
        """Every endpoint that was not removed, the oldest first."""
        return self._found()

    def by_id(self, id: str) -> Endpoint:
        """The endpoint with this id."""
        found = self._found(id)
        if not found:
            raise NoSuchEndpoint
        return found[0]

    def change(
        self, id: str, act: Act, *, events: Iterable[str] | None = None, full: bool | None = None
    ) -> Endpoint:
        """Change what an endpoint is told of. Raises BadInput."""
        values: dict[str, Any] = {} if events is None else {"events": _checked(events)}
        if full is not None:
            values["full"] = full
        return self._write(id, act, Event.ENDPOINT_CHANGED, lambda row: _different(row, values))

    def rotate(self, id: str, act: Act, *, at_once: bool = False) -> tuple[Endpoint, str]:
        """Another secret, shown this once; for 24 hours the one before signs too.

        `at_once`, where a secret has leaked: no older one signs any more. Else raises OlderSecretGood.
        """
        secret, until = new_secret(), None if at_once else act.at + ROTATION

        def values(row: Row[Any]) -> dict[str, Any]:
            if not at_once:
                check_may_rotate(row.older_until, act.at)
            older = None if at_once else row.secret
            return {"secret": secret, "older_secret": older, "older_until": until}

        def told(row: Row[Any]) -> dict[str, Any]:
            address = {"from": url_digest(row.secret, row.url), "to": url_digest(secret, row.url)}
            digests = {"secret_digest": secret_digest(secret), "url_digest": address}
            return {"rotated": True, **digests, "older_until": moment_text(until) if until else None}

        return self._write(id, act, Event.ENDPOINT_CHANGED, values, told=told), secret

    def pause(self, id: str, act: Act) -> Endpoint:
        """Send it nothing until it is resumed; what happens meanwhile waits."""

        def values(row: Row[Any]) -> dict[str, Any]:
            return {} if row.paused_at else {"paused_at": act.at, "paused_because": BY_HAND}

        return self._write(id, act, Event.ENDPOINT_PAUSED, values, told=lambda _: {"because": BY_HAND})

    def resume(self, id: str, act: Act) -> Endpoint:
        """Send it what has waited, with the attempts of each counted anew."""
        blank = dict.fromkeys(("paused_at", "paused_because", "failing_since", "held_until"))

        def values(row: Row[Any]) -> dict[str, Any]:
            return blank if row.paused_at else {}

        return self._write(id, act, Event.ENDPOINT_RESUMED, values, told=lambda _: {}, also=_begin_again)

    def remove(self, id: str, act: Act) -> None:
        """Send it nothing more; its secrets and what has waited for it are deleted."""
        with self._records.writing() as writing:
            self._locked(writing, id)
            gone = {"removed_at": act.at, "secret": "", "older_secret": None}
            writing.connection.execute(update(endpoints).where(endpoints.c.id == id).values(gone))
            waiting = (deliveries.c.endpoint == id, deliveries.c.state == "due")
            writing.connection.execute(delete(deliveries).where(*waiting))
            writing.enter(act, Event.ENDPOINT_REMOVED, id)

    def _found(self, id: str | None = None) -> list[Endpoint]:
        last = select(func.max(journal.c.sequence)).where(journal.c.site == self._records.site)
        behind = (last.scalar_subquery() - endpoints.c.read_to).label("behind")
        due = (deliveries.c.endpoint == endpoints.c.id, deliveries.c.state == "due")
        waiting = select(func.count()).where(*due).scalar_subquery().label("waiting")
        wanted = select(*_COLUMNS, waiting, behind).where(*self._mine)
        if id is not None:
            wanted = wanted.where(endpoints.c.id == id)
        with self._records.reading() as connection:
            rows = connection.execute(wanted.order_by(endpoints.c.created_at, endpoints.c.id)).all()
        return [Endpoint(**{**row._mapping, "events": tuple(row.events)}) for row in rows]

    def _write(
        self,
        id: str,
        act: Act,
        event: Event,
        values: Callable[[Row[Any]], Mapping[str, Any]],
        *,
        told: Callable[[Row[Any]], Mapping[str, Any]] | None = None,
        also: Callable[[Writing, str, Act], None] | None = None,
    ) -> Endpoint:
        """Change one and enter it, where there is something to change; `told` is what is entered of it."""
        with self._records.writing() as writing:
            row = self._locked(writing, id)
            changed = values(row)
            if changed:
                writing.connection.execute(update(endpoints).where(endpoints.c.id == id).values(changed))
                if also is not None:
                    also(writing, id, act)
                writing.enter(act, event, id, told(row) if told else changed)
            writing.wrote_nothing = not changed
        return self.by_id(id)

    def _locked(self, writing: Writing, id: str) -> Row[Any]:
        """An endpoint, held before its deliveries and the chain: so does everybody. Raises NoSuchEndpoint."""
        wanted = select(endpoints).where(*self._mine, endpoints.c.id == id).with_for_update()
        row = writing.connection.execute(wanted).one_or_none()
        if row is None:
            raise NoSuchEndpoint
        return row

    def _check_url(self, url: str) -> None:
        if not 0 < len(url) <= LONGEST_URL:
            raise BadInput([FieldError("url", f"must be 1 to {LONGEST_URL} characters")])
        try:
            self._outbound.check(url)
        except Forbidden as forbidden:
            raise BadInput([FieldError("url", f"is never called: {forbidden.reason}")]) from None


def _begin_again(writing: Writing, id: str, act: Act) -> None:
    waiting = (deliveries.c.endpoint == id, deliveries.c.state == "due")
    anew = {"attempts": 0, "first_at": None, "due_at": act.at}
    writing.connection.execute(update(deliveries).where(*waiting).values(anew))


def _checked(events: Iterable[str]) -> list[str]:
    wanted, known = set(events), {event.value for event in EventType}
    if not wanted or not wanted <= known:
        raise BadInput([FieldError("events", "must be one or more of " + ", ".join(sorted(known)))])
    return sorted(wanted)


def _different(row: Row[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if row._mapping[name] != value}
