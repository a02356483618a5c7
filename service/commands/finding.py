"""`dosegate checklists` and `dosegate quality`."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from service.checklist.rules import Status
from service.commands.files import new_file
from service.commands.opened import act, opened
from service.intake.errors import BadInput
from service.intake.filters import ANSWERED, OUTCOMES, VERDICTS, Filters, FiltersSchema, filters_of
from service.intake.requests import read_document
from service.knowledge.library import Library
from service.records.checklist_export import Format, export
from service.records.quality import quality as figures_of
from service.records.search import MOST_HITS, USUAL_HITS, search
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.finding import print_hits, print_quality
from service.terminal.progress import bar
from service.terminal.rules import Command, with_rules
from service.terminal.words import counted

_TIME = "TIME"  # with an offset, such as 2026-12-01T09:00:00-05:00
_PERIOD = (
    click.option("--from", metavar=_TIME, help="Made at this time or later; with an offset from UTC."),
    click.option("--to", metavar=_TIME, help="Made before this time."),
)
_DRUG = click.option("--drug", help="A drug by any of its names.")
_FILTERS = (
    click.option("--patient", is_flag=True, help="Of one patient: the id is asked for on standard input."),
    _DRUG,
    click.option("--status", type=click.Choice([status.word for status in Status])),
    *_PERIOD,
    click.option("--infusion-from", metavar=_TIME, help="For an infusion at this time or later."),
    click.option("--infusion-to", metavar=_TIME, help="For an infusion before this time."),
    click.option("--check", help="A check with a rule that fired or could not be decided."),
    click.option("--rule", help="A rule that fired or could not be decided."),
    click.option("--verdict", type=click.Choice(VERDICTS), help="Whether it fired, or was undecided."),
    click.option("--actor", help="Who made it, as in the journal: user:NAME or key:PREFIX."),
    click.option("--answered", type=click.Choice(ANSWERED), help="How a finding was answered."),
    click.option("--reason", help="The coded reason of that answer."),
    click.option("--outcome", type=click.Choice(OUTCOMES), help="The outcome last recorded."),
    click.option("--superseded/--not-superseded", default=None, help="Whether another one corrects it."),
)


def _with_filters(command: Command) -> Command:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _read(library: Library, options: dict[str, Any]) -> Filters:
    """The filters that were given as options; a bad one ends the command."""
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return filters_of(read_document(given, FiltersSchema()), library)
    except BadInput as bad:
        refuse([f"--{each.path.replace('_', '-')} {each.message}" for each in bad.errors])


def _patient(asked: bool) -> str | None:
    """The patient id, from standard input: on the command line it would stay in the shell's history."""
    if not asked:
        return None
    click.echo("Patient id: ", nl=False, err=True)
    return sys.stdin.readline().strip()


@click.group(short_help="Find checklists, and take them out.")
def checklists() -> None:
    """Find stored checklists by what they are and what was done about them, and take them out."""


@checklists.command("search", short_help="Find checklists.")
@_with_filters
@click.option("--limit", type=click.IntRange(1, MOST_HITS), default=USUAL_HITS, show_default=True)
@click.option("--cursor", help="Go on after a page, with the same filters.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_rules
def search_command(
    library: Library, *, limit: int, cursor: str | None, as_json: bool, patient: bool, **options: Any
) -> None:
    """List the checklists that are as asked, the newest first; all that is given must be so.

    The journal has an entry of it.
    """
    filters = _read(library, {**options, "patient": _patient(patient)})
    with opened() as records:
        try:
            page = search(records, filters, act(), limit=limit, cursor=cursor)
        except BadInput as bad:
            refuse([f"--{each.path} {each.message}" for each in bad.errors])
    if as_json:
        hits = [hit.document() for hit in page.hits]
        click.echo(json.dumps({"checklists": hits, "cursor": page.cursor}, indent=2))
        return
    print_hits(page.hits, standard_output())
    if not page.hits:
        click.echo("No checklist is as asked.")
    if page.cursor:
        click.echo(f"There are more: --cursor {page.cursor}")


@checklists.command("export", short_help="Take checklists out.")
@click.option("--format", "form", type=click.Choice([each.value for each in Format]), required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="A file that is not there yet.",
)
@_with_filters
@with_rules
def export_command(library: Library, *, form: str, out: Path, patient: bool, **options: Any) -> None:
    """Write every checklist that is as asked to FILE, the oldest first.

    As ndjson one checklist a line with all that is kept of it, as csv one finding a line. FILE is there when
    all of it is written, for its owner only. It holds patients: look after it. The journal has an entry.
    """
    filters = _read(library, {**options, "patient": _patient(patient)})
    with opened() as records, new_file(out) as file:
        taken = export(records, filters, Format(form), act())
        file.write(taken.head)
        with _progress(taken.checklists) as advance:
            for part in taken.parts:
                file.write(part)
                advance(1)
    click.echo(f"{counted(taken.checklists, 'checklist')} written to {out}")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if sys.stderr.isatty():
        with bar(total, "written") as advance:
            yield advance
    else:
        yield lambda _: None


def _of_rules(command: Command) -> Command:
    for option in (*_PERIOD, _DRUG):
        command = option(command)
    return command


@click.command(short_help="Say how each rule is found, answered and overridden.")
@_of_rules
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the rules that were never a finding.")
@with_rules
def quality(library: Library, *, as_json: bool, **options: Any) -> None:
    """Count for each rule how often it was a finding, how it was answered and why, and after how long.

    The most overridden rule comes first. The journal has an entry of it.
    """
    asked = _read(library, options)
    with opened() as records:
        figures = figures_of(records, act(), asked.made_from, asked.made_to, asked.drug)
    if as_json:
        click.echo(json.dumps(figures.document(), indent=2))
    else:
        print_quality(figures, standard_output())
