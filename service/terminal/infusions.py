"""The worklist and the senders of webhooks, as tables."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.checklist.rules import Status
from service.terminal.console import STATUSES, Hanging, Indented, Sign
from service.terminal.failures import clean
from service.terminal.words import counted
from service.webhooks.senders import Sender
from service.webhooks.worklist import NOT_CHECKED, Planned, Worklist

_NOT_CHECKED = Sign("?", "NOT CHECKED", "bold magenta")
_SIGNS: dict[str | None, Sign] = {status.word: STATUSES[status] for status in Status}
_SIGNS[None] = _NOT_CHECKED


def print_worklist(found: Worklist, zone: ZoneInfo, console: Console) -> None:
    """How many infusions there are of each status, and below it each one, the worst first."""
    said = ", ".join(
        f"{number} {'not checked' if word == NOT_CHECKED else word}" for word, number in found.counts.items()
    )
    console.print(Hanging(Text(f"{counted(len(found.infusions), 'planned infusion')}: {said}")))
    if not found.infusions:
        return
    table = _table("Status", f"Infusion\n{zone.key}", "Patient", "Drug and rules")
    for column in table.columns[:2]:
        column.no_wrap = True
    for each in found.infusions:
        begins = datetime.fromisoformat(each.infusion_at).astimezone(zone)
        table.add_row(
            _SIGNS[each.status].text,
            f"{begins:%a %Y-%m-%d %H:%M}",
            Text.assemble((clean(each.patient), "bold"), (f"\n{clean(each.reference)}", "dim")),
            Text.assemble(each.drug, *((f"\n{rule}", "dim") for rule in _rules(each))),
        )
    console.print(Indented(table))


def _rules(infusion: Planned) -> Iterator[str]:
    """The rules that fired or could not be decided."""
    for flag in infusion.flags:
        yield flag.rule if flag.verdict == "holds" else f"{flag.rule} (undecided)"


def senders_table(senders: Iterable[Sender]) -> Indented:
    """Every sender, and until when an older secret is good."""
    table = _table("Sender", "Added", "Older secret good until", "State")
    for each in senders:
        until = f"{each.older_until:%Y-%m-%d %H:%M} UTC" if each.older_until else "-"
        state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "believed"
        table.add_row(each.name, f"{each.created_at:%Y-%m-%d}", until, state)
    return Indented(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold underline")
    for column in columns:
        table.add_column(column)
    return table
