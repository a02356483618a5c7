"""`dosegate forecast`: who of the next days would be held, and for what."""

import json
import sys

import click

from service.commands.opened import act, opened, settings
from service.intake.errors import BadInput
from service.knowledge.library import Library
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.forecast import print_forecast
from service.terminal.rules import with_rules
from service.webhooks.forecast import USUAL, Prospect, days_asked, forecast
from service.webhooks.worklist import MOST_DAYS

_NOBODY, _SOMEBODY = 0, 4  # as of a checklist: pass, block
_EXITS = "Exit status: 0 nobody will be held, 4 somebody will be held, 2 bad input, 1 internal error."


@click.command("forecast", short_help="Tell who of the next days would be held.", epilog=_EXITS)
@click.option(
    "--days", type=int, default=USUAL, show_default=True, help=f"How many days, at most {MOST_DAYS}."
)
@click.option("--drug", help="A drug by any of its names.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_rules
def show_forecast(library: Library, *, days: int, drug: str | None, as_json: bool) -> None:
    """Tell who would be held as things are known now, and for what, from tomorrow on.

    What must be settled before the patient travels is kept apart from what is asked at the chair. Nothing is
    recorded of it but a journal entry of the listing.
    """
    doing, zone = act(), settings().time_zone
    try:
        asked = days_asked(days, drug, library, doing.at, zone)
    except BadInput as bad:
        refuse([f"--{each.path} {each.message}" for each in bad.errors])
    with opened() as records:
        found = forecast(records, asked, doing, zone, library)
    if as_json:
        click.echo(json.dumps(found.document(), indent=2))
    else:
        print_forecast(found, zone, library, standard_output())
    sys.exit(_SOMEBODY if found.counts[Prospect.HELD] else _NOBODY)
