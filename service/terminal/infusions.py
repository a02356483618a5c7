"""The worklist and the senders of webhooks, as tables."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from service.checklist.rules import Status
from service.knowledge.library import Library
from service.terminal.console import STATUSES, Hanging, Indented, Sign
from service.terminal.failures import clean
from service.terminal.tables import plain_table
from service.terminal.words import counted
from service.webhooks.senders import Sender
from service.webhooks.worklist import NOT_CHECKED, Planned, Worklist

_NOT_CHECKED = Sign("?", "NOT CHECKED", "bold magenta")
_SIGNS: dict[str | None, Sign] = {status.word: STATUSES[status] for status in Status}
_SIGNS[None] = _NOT_CHECKED


def print_worklist(found: Worklist, zone: ZoneInfo, library: Library, console: Console) -> None:
    """How many infusions there are of each status, and below it each one, the worst first."""
    said = ", ".join(
        f"{number} {'not checked' if word == NOT_CHECKED else word}" for word, number in found.counts.items()
    )
    console.print(Hanging(Text(f"{counted(len(found.infusions), 'infusion')}: {said}")))
    if not found.infusions:
        return
    table = plain_table("Status", f"Infusion\n{zone.key}", "Patient", "Drug and checks")
    for column in table.columns[:2]:
        column.no_wrap = True
    for each in found.infusions:
        begins = datetime.fromisoformat(each.infusion_at).astimezone(zone)
        table.add_row(
            _SIGNS[each.status].text,
            f"{begins:%a %Y-%m-%d %H:%M}",
            Text.assemble((clean(each.patient), "bold"), (f"\n{_reference(each)}", "dim")),
            Text("\n").join([Text(each.drug), *_checks(each, library)]),
        )
    console.print(Indented(table))


def _reference(infusion: Planned) -> str:
    return clean(infusion.reference) if infusion.reference is not None else "not planned"


def _checks(infusion: Planned, library: Library) -> Iterator[Text]:
    """The checks that block and then those that warn, by their titles; and how many are not known."""
    pack = library.packs.get(infusion.drug)
    titles = {check.id: check.title for check in pack.checks} if pack else {}
    found: dict[str, Sign] = {}
    for sign in (_SIGNS[Status.BLOCK.word], _SIGNS[Status.WARN.word]):
        for flag in infusion.flags:
            if flag.verdict == "holds" and _SIGNS[flag.status] == sign:
                found.setdefault(titles.get(flag.check, flag.check), sign)
    for title, sign in found.items():
        yield Text(f"{sign.shape} {title}", sign.style)
    if not_known := len({flag.check for flag in infusion.flags if flag.verdict == "undecided"}):
        yield Text(f"{'and ' if found else ''}{not_known} not known", "dim")


def senders_table(senders: Iterable[Sender]) -> Indented:
    """Every sender, and until when an older secret is good."""
    table = plain_table("Sender", "Added", "Older secret good until", "State")
    for each in senders:
        until = f"{each.older_until:%Y-%m-%d %H:%M} UTC" if each.older_until else "-"
        state = f"revoked {each.revoked_at:%Y-%m-%d}" if each.revoked_at else "believed"
        table.add_row(each.name, f"{each.created_at:%Y-%m-%d}", until, state)
    return Indented(table)
