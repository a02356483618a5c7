"""`dosegate infusions`: the worklist."""

import json
import sys
from typing import Any

import click

from service.commands.opened import act, opened, settings
from service.intake.errors import BadInput
from service.intake.requests import read_document
from service.knowledge.library import Library
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.infusions import print_worklist
from service.terminal.rules import with_rules
from service.webhooks.worklist import USUAL_DAYS, Asked, WorklistSearchSchema, asked_of, worklist


@click.command(short_help="List the planned infusions.")
@click.option("--from", metavar="DAY", help="The first day, such as 2026-12-01; default: today.")
@click.option("--to", metavar="DAY", help=f"The last day; default: {USUAL_DAYS - 1} days after the first.")
@click.option("--drug", help="A drug by any of its names.")
@click.option("--patient", is_flag=True, help="Of one patient: the id is asked for on standard input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_rules
def infusions(library: Library, *, as_json: bool, patient: bool, **options: Any) -> None:
    """List the planned infusions of some days with the status of their newest checklists, worst first.

    One that was never checked comes with those that are blocked. The journal has an entry of it.
    """
    doing, zone = act(), settings().time_zone
    given = {**options, "patient": _patient() if patient else None}
    asked = _asked(given, library, doing.at)
    with opened() as records:
        found = worklist(records, asked, doing, zone, library)
    if as_json:
        click.echo(json.dumps(found.document(), indent=2))
    else:
        print_worklist(found, zone, library, standard_output())


def _asked(given: dict[str, Any], library: Library, now: Any) -> Asked:
    """What is asked for; a bad option ends the command."""
    said = {name: value for name, value in given.items() if value is not None}
    try:
        return asked_of(read_document(said, WorklistSearchSchema()), library, now, settings().time_zone)
    except BadInput as bad:
        refuse([f"--{each.path} {each.message}" for each in bad.errors])


def _patient() -> str:
    """The patient id, from standard input: on the command line it would stay in the shell's history."""
    click.echo("Patient id: ", nl=False, err=True)
    return sys.stdin.readline().strip()
