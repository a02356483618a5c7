"""The endpoints that are told of events, as a list, and what was delivered to them, as a table."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Group
from rich.table import Table
from rich.text import Text

from service.terminal.console import Indented
from service.terminal.failures import clean
from service.terminal.words import counted
from service.webhooks.deliveries import Delivery
from service.webhooks.endpoints import Endpoint

_NO = "-"


def endpoints_list(endpoints: Iterable[Endpoint]) -> Group:
    """Every endpoint, with what it is told of and how it fares; their addresses are too long for a table."""
    return Group(*(part for endpoint in endpoints for part in _endpoint(endpoint)))


def _endpoint(endpoint: Endpoint) -> tuple[Text, Indented]:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    for name, value in (
        ("id", endpoint.id),
        ("told of", "\n".join(endpoint.events)),
        ("messages", "full" if endpoint.full else "thin"),
        ("state", _state(endpoint)),
        ("waiting", f"{counted(endpoint.behind, 'entry', 'entries')} of the journal not looked at yet"),
        ("secret", f"the one before signs too until {_time(endpoint.older_until)}"),
    ):
        if (name != "waiting" or endpoint.behind) and (name != "secret" or endpoint.older_until):
            table.add_row(name, value)
    return Text(clean(endpoint.url), "bold"), Indented(table, 2)


def _state(endpoint: Endpoint) -> str:
    if endpoint.paused_at:
        return f"paused {_time(endpoint.paused_at)}: {endpoint.paused_because}"
    if endpoint.failing_since:
        return f"failing since {_time(endpoint.failing_since)}"
    return "well"


def deliveries_table(deliveries: Iterable[Delivery]) -> Indented:
    """Deliveries, with the last answer to each."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    table.add_column("Message", min_width=36, no_wrap=True)
    for column in ("Type", "State", "Attempts", "Last answer", "Next or settled"):
        table.add_column(column)
    for each in deliveries:
        table.add_row(
            each.message,
            each.type,
            each.state,
            str(each.attempts),
            clean(each.last_answer or _NO),
            _time(each.settled_at or each.due_at),
        )
    return Indented(table)


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else _NO
