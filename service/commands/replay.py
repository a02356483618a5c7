"""`dosegate replay`."""

import json

import click

from service.app import replayer_of
from service.commands.opened import act, opened
from service.records.replay import CannotReplay
from service.records.store import NoSuchChecklist, PatientErased, Store
from service.terminal.failures import refuse


@click.command(short_help="Evaluate a stored checklist again.")
@click.argument("id")
def replay(id: str) -> None:
    """Evaluate the stored checklist ID again under its stored rules, and say whether it comes out the same.

    Exit status: 0 identical, 4 not identical, 2 where it cannot be replayed.
    """
    with opened() as records:
        try:
            report = replayer_of(Store(records)).replay(id, act())
        except NoSuchChecklist:
            refuse([f"{id}: no checklist with this id is kept here"])
        except PatientErased:
            refuse([f"{id}: what this checklist held has been erased"])
        except CannotReplay as error:
            refuse([str(error)])
    click.echo(json.dumps(report, indent=2, default=str))
    if not report["identical"]:
        raise SystemExit(4)
