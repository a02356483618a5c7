"""The endpoints that are told of events, as a list, and what was delivered to them, as a table."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Group
from rich.text import Text

from service.terminal.console import Indented
from service.terminal.failures import clean
from service.terminal.tables import plain_table
from service.terminal.words import counted
from service.webhooks.deliveries import Delivery
from service.webhooks.endpoints import Endpoint
from service.webhooks.outbox import DEAD, DELIVERED, DUE, ERASED
from service.webhooks.signing import OlderSecretGood

MINUTE = "%Y-%m-%d %H:%M UTC"
_STATES = {DUE: "waits", DELIVERED: "arrived", DEAD: "given up", ERASED: "never sent, patient erased"}


def endpoints_list(endpoints: Iterable[Endpoint]) -> Group:
    """Every endpoint, with what it is told of and how it fares; their addresses are too long for a table."""
    return Group(*(part for endpoint in endpoints for part in _endpoint(endpoint)))


def _endpoint(endpoint: Endpoint) -> tuple[Text, Indented]:
    table = plain_table()
    table.add_row("id", endpoint.id)
    table.add_row("told of", "\n".join(endpoint.events))
    table.add_row("messages", "full" if endpoint.full else "thin")
    table.add_row("state", _state(endpoint))
    waiting = [counted(endpoint.waiting, "delivery", "deliveries")]
    if endpoint.behind:
        waiting.append(f"{counted(endpoint.behind, 'entry', 'entries')} of the journal not looked at yet")
    table.add_row("waiting", "\n".join(waiting))
    if endpoint.older_until:
        table.add_row("secret", f"the one before signs too until {_time(endpoint.older_until)}")
    return Text(clean(endpoint.url), "bold"), Indented(table, 2)


def _state(endpoint: Endpoint) -> str:
    if endpoint.paused_at:
        return f"paused {_time(endpoint.paused_at)}: {endpoint.paused_because}"
    if endpoint.failing_since:
        return f"failing since {_time(endpoint.failing_since)}"
    return "well"


def still_good(older: OlderSecretGood) -> str:
    """Why a secret is not replaced, in a line with the way out."""
    until = f"the secret before this one is good until {older.until:{MINUTE}}"
    return f"{until}: rotate then, or with --now where a secret has leaked"


def deliveries_table(deliveries: Iterable[Delivery]) -> Indented:
    """Deliveries, with what came of each."""
    table = plain_table("Message", "State")
    table.columns[0].min_width = 36  # an id is not broken
    for each in deliveries:
        after = f" after {counted(each.attempts, 'attempt')}" if each.attempts else ""
        answer = f": {clean(each.last_answer)}" if each.last_answer else ""
        when = f"since {_time(each.settled_at)}" if each.settled_at else f"next {_time(each.due_at)}"
        table.add_row(f"{each.message}\n{each.type}", f"{_STATES[each.state]}{after}{answer}\n{when}")
    return Indented(table)


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
