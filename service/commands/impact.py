"""`dosegate impact`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from tempfile import SpooledTemporaryFile

import click

from service.commands.opened import act, opened
from service.knowledge.library import Library, UnknownDrug
from service.records.impact import Asked, amount, assess
from service.records.impact_tally import Tally, entered
from service.records.journal import Event
from service.records.stored import Basis
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.impact import assessed_document, document, print_impact
from service.terminal.progress import bar
from service.terminal.rules import with_rules

_SOMETHING_CHANGES = 3
_IN_MEMORY = 8 * 1024 * 1024
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command(short_help="Say what other rules would change.")
@click.argument("drug")
@click.option("--since", type=_DAY, metavar="DATE", help="Only checklists made on this day (UTC) or later.")
@click.option("--until", type=_DAY, metavar="DATE", help="Only checklists made on this day (UTC) or earlier.")
@click.option("--patients", is_flag=True, help="Name the patient beside each checklist.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every checklist that would change.")
@with_rules
def impact(
    drug: str,
    library: Library,
    *,
    since: datetime | None,
    until: datetime | None,
    patients: bool,
    as_json: bool,
) -> None:
    """Evaluate every stored checklist of DRUG under the rules on disk, and list what would change.

    It compares with what was answered then, and changes no checklist. Superseded checklists are left out. The
    journal has one entry of it.

    Exit status: 0 nothing would change, 3 something would, 2 bad input.
    """
    doing = act()
    try:
        pack = library.find(drug)
    except UnknownDrug:
        refuse([f"{drug}: no drug here has this name; dosegate drugs lists those that there are"])
    asked = Asked(pack, doing.at, _day(since), _day(until))
    if asked.since and asked.until and asked.since > asked.until:
        refuse([f"--since {asked.since} is after --until {asked.until}"])
    with opened() as records, SpooledTemporaryFile(_IN_MEMORY, "w+", encoding="utf-8") as changed:
        total, superseded = amount(records, asked)
        tally = Tally()
        with _progress(total) as advance:
            for one in assess(records, asked, library):
                tally.add(one)
                if as_json and (one.changed or one.reworded or one.errors):
                    changed.write(json.dumps(assessed_document(one, patients=patients)) + "\n")
                advance(1)
        # Whoever is told what it came to has been entered before.
        details = entered(tally, asked, Basis.of(library, pack), patients=patients)
        records.enter(doing, Event.IMPACT_ASSESSED, pack.id, details)
        if as_json:
            changed.seek(0)
            _print_json(document(tally, asked, superseded), changed)
        else:
            print_impact(tally, asked, superseded, standard_output(), patients=patients)
    sys.exit(0 if tally.nothing else _SOMETHING_CHANGES)


def _day(given: datetime | None) -> date | None:
    return given.date() if given else None


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if sys.stderr.isatty():
        with bar(total, "evaluated") as advance:
            yield advance
    else:
        yield lambda _: None


def _print_json(head: dict[str, object], changed: Iterator[str]) -> None:
    """One document, written as it is read: it may be longer than memory."""
    text = json.dumps(head, indent=2)
    click.echo(text.removesuffix("\n}") + ',\n  "checklists": [', nl=False)
    separator = ""
    for line in changed:
        click.echo(f"{separator}\n    {line.rstrip()}", nl=False)
        separator = ","
    click.echo("\n  ]\n}" if separator else "]\n}")
