"""Sending: a message goes out once for each claim, and what the endpoint answered settles its delivery.

Whoever holds an endpoint and its deliveries and enters something takes them in this order, the chain last.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from sqlalchemy import Row, select, update

from service.outbound.http import Forbidden, Outbound, Reply, Unreachable
from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing
from service.records.tables import deliveries, endpoints
from service.webhooks.claims import Claimed
from service.webhooks.endpoints import FAILING, GONE
from service.webhooks.outbox import DEAD, DELIVERED, ERASED
from service.webhooks.schedule import LONGEST_WAIT, next_attempt
from service.webhooks.signing import signed

SECONDS = 15.0
PATIENCE = timedelta(days=5)  # with an endpoint that never succeeds
_MOST_BYTES = 64 * 1024
_LONGEST_ANSWER = 40
_THROTTLES = (429, 502, 503, 504)
_GONE = 410


@dataclass(frozen=True)
class Answer:
    """What came of sending; `asked` is how long the endpoint wants to be left alone."""

    arrived: bool
    words: str
    gone: bool = False
    asked: timedelta | None = None


def send(outbound: Outbound, claimed: Claimed, body: bytes, now: datetime) -> Answer:
    """Send it once, signed at this time."""
    headers = {"Content-Type": "application/json", **signed(claimed.secrets, claimed.message, now, body)}
    try:
        reply = outbound.post(claimed.url, body, headers=headers, seconds=SECONDS, most_bytes=_MOST_BYTES)
    except Forbidden as forbidden:
        return Answer(arrived=False, words=forbidden.reason)
    except Unreachable as unreachable:
        # Where an answer began with success it was taken, however it went on.
        arrived = unreachable.status is not None and _is_success(unreachable.status)
        return Answer(arrived, unreachable.reason)
    return Answer(_is_success(reply.status), str(reply.status), reply.status == _GONE, _asked(reply, now))


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _asked(reply: Reply, now: datetime) -> timedelta | None:
    """How long to wait, in seconds or as a date, where the answer is one that says so."""
    given = reply.headers.get("Retry-After", "")
    if reply.status not in _THROTTLES or not given:
        return None
    if given.isascii() and given.isdigit():
        return timedelta(seconds=min(int(given[:10]), LONGEST_WAIT.total_seconds()))
    try:
        until = parsedate_to_datetime(given)
    except ValueError:
        return None
    until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
    return max(timedelta(0), min(until - now, LONGEST_WAIT))


def settle(records: SiteRecords, sent: Claimed, answer: Answer, now: datetime, chance: float) -> None:
    """Keep what was answered, unless the claim was lost meanwhile. Raises StoreUnavailable.

    `chance`, from 0 to 1, spreads the times of the next attempt.
    """
    first = sent.first_at or now
    again = next_attempt(first, now, sent.attempts + 1, chance, answer.asked)
    values: dict[str, Any] = {"attempts": sent.attempts + 1, "first_at": first, "leased_until": None}
    values["last_answer"] = answer.words[:_LONGEST_ANSWER]
    if answer.arrived:
        values |= {"state": DELIVERED, "settled_at": now}
    else:
        values |= {"due_at": again} if again else {"state": DEAD, "settled_at": now}
    with records.writing() as writing:
        writing.wrote_nothing = True  # only what fails for good is entered
        wanted = select(endpoints).where(endpoints.c.id == sent.endpoint).with_for_update()
        endpoint = writing.connection.execute(wanted).one()
        if writing.connection.execute(update(deliveries).where(*sent.row).values(values)).rowcount == 0:
            return
        if values.get("state") == DEAD:
            writing.enter(_act(now), Event.DELIVERY_FAILED, endpoint.id, _told(sent, values))
        _mark(writing, endpoint, answer, now)


def give_up_erased(records: SiteRecords, claimed: Claimed, now: datetime) -> None:
    """Settle a delivery that is of an erased patient, and was never sent. Raises StoreUnavailable."""
    gone = {"state": ERASED, "settled_at": now, "leased_until": None}
    with records.noting() as connection:
        connection.execute(update(deliveries).where(*claimed.row).values(gone))


def _mark(writing: Writing, endpoint: Row[Any], answer: Answer, now: datetime) -> None:
    """Keep how the endpoint fares; one that is gone, or fails for too long, is paused and that is entered."""
    since = None if answer.arrived else endpoint.failing_since or now
    marks: dict[str, Any] = {} if since == endpoint.failing_since else {"failing_since": since}
    if answer.asked:
        marks["held_until"] = now + answer.asked
    because = GONE if answer.gone else FAILING if since and now - since >= PATIENCE else None
    if because and endpoint.paused_at is None:
        marks |= {"paused_at": now, "paused_because": because}
        writing.enter(_act(now), Event.ENDPOINT_PAUSED, endpoint.id, {"because": because})
    if marks:
        writing.connection.execute(update(endpoints).where(endpoints.c.id == endpoint.id).values(marks))


def _told(sent: Claimed, values: dict[str, Any]) -> dict[str, Any]:
    named = {"message": sent.message, "type": sent.type, "entry": sent.sequence}
    return {**named, "attempts": values["attempts"], "answer": values["last_answer"]}


def _act(now: datetime) -> Act:
    return Act("service", "service", "deliver", now)
