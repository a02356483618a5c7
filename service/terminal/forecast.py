"""The forecast on a terminal, day by day."""

from collections.abc import Iterable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from service.checklist.facts import Vocabulary
from service.checklist.findings import Finding
from service.knowledge.library import Library
from service.terminal.console import Hanging, Indented, Sign, heading
from service.terminal.failures import clean
from service.terminal.tables import plain_table
from service.terminal.words import WEEKDAYS, counted
from service.webhooks.forecast import Forecast, Outlook, Prospect

_SIGNS = {
    Prospect.HELD: Sign("■", "HELD", "bold red"),
    Prospect.NOT_READY: Sign("?", "NOT READY", "bold magenta"),
    Prospect.OPEN: Sign("○", "NO BLOCK FOUND", ""),
}
_COUNTED = {
    Prospect.HELD: "held",
    Prospect.NOT_READY: "not ready",
    Prospect.OPEN: "with no block",
}


def print_forecast(found: Forecast, zone: ZoneInfo, library: Library, console: Console) -> None:
    """How many there are of each prospect, and below it each day with its visits, the worst first."""
    said = ", ".join(f"{number} {_COUNTED[prospect]}" for prospect, number in found.counts.items())
    total = counted(sum(found.counts.values()), "infusion")
    console.print(Hanging(Text(f"{found.first} to {found.last}: {total}: {said}")))
    for day, outlooks in found.days.items():
        if outlooks:
            console.print()
            console.print(heading(f"{WEEKDAYS[day.weekday()]} {day}"))
            console.print(_table(outlooks, zone, library))


def _table(outlooks: Iterable[Outlook], zone: ZoneInfo, library: Library) -> Indented:
    table = plain_table("Prospect", zone.key, "Patient", "Drug, and what is in the way")
    for column in table.columns[:2]:
        column.no_wrap = True
    for each in outlooks:
        infusion, pack = each.infusion, library.packs.get(each.infusion.drug)
        title = f"{infusion.drug} ({', '.join(pack.brands)})" if pack else infusion.drug
        table.add_row(
            _SIGNS[each.prospect].text,
            f"{infusion.begins.astimezone(zone):%H:%M}",
            Text(clean(infusion.patient), "bold"),
            Text("\n").join([Text(title), *_in_the_way(each, library.vocabulary)]),
        )
    return Indented(table)


def _in_the_way(outlook: Outlook, vocabulary: Vocabulary) -> Iterator[Text]:
    if not outlook.evaluated:
        yield Text("cannot be evaluated by the rules of today: make a checklist", "magenta")
    for finding in outlook.held_for:
        yield Text(f"■ {_said(finding)}", "bold red")
    if outlook.eligible_from is not None:
        yield Text(f"could be given from {outlook.eligible_from}")
    for finding in outlook.warnings:
        yield Text(f"▲ {_said(finding)}", "yellow")
    for label, names in (
        ("before the day", outlook.before),
        ("also open", outlook.also),
        ("at the chair", outlook.at_the_chair),
    ):
        if names:
            style = "" if names is outlook.before else "dim"
            yield Text(f"{label}: {', '.join(vocabulary[name].label for name in names)}", style)


def _said(finding: Finding) -> str:
    lifts: date | None = finding.eligible_from
    return clean(f"{finding.title}: {finding.message}{f' (until {lifts})' if lifts else ''}")
