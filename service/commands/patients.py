"""`dosegate patients`."""

import sys
from contextlib import closing

import click

from service.commands.opened import act, opened, settings
from service.knowledge.writing import listed
from service.records.database import Database
from service.records.erasure import Held, HeldOtherwise, Reason, erase, held, scrub
from service.records.site import SiteRecords
from service.terminal.failures import refuse
from service.terminal.words import counted


@click.group(short_help="Erase what is kept of a patient.")
def patients() -> None:
    """Look after what is kept of patients."""


@patients.command("erase", short_help="Erase a patient, for good.")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in Reason]),
    required=True,
    help="Why it is lawful; the journal keeps it.",
)
def erase_patient(reason: str) -> None:
    """Erase all that is kept of one patient; the journal then still verifies, and tells nobody who it was.

    The patient id is asked for, or read as the first line of standard input: on the command line it would
    stay in the shell's history. The number of things to erase, typed as the second line, confirms.
    """
    with opened() as records:
        patient = _asked("Patient id")
        found = held(records, patient) if patient else Held()
        if not found.total:
            refuse(["nothing is kept of this patient id; ids are compared letter by letter"])
        click.echo(f"Kept of this patient: {_in_words(found)}.")
        if _asked(f"Type {found.total} to erase all of it for good") != str(found.total):
            refuse(["not confirmed: nothing was erased"])
        try:
            erase(records, patient, found, Reason(reason), act())
        except HeldOtherwise:
            refuse(["something was added or erased meanwhile: nothing was erased now; start again"])
        click.echo(f"Erased: {_in_words(found)}. The journal has the entry patient.erased.")
        if due := _scrubbed(records):
            click.echo(f"Still to do: {due}.")
        click.echo("Backups and exports from before hold it still: they are yours to look after.")


def _asked(question: str) -> str:
    click.echo(f"{question}: ", nl=False, err=True)
    return sys.stdin.readline().strip()


def _in_words(found: Held) -> str:
    counts = (
        (len(found.checklists), "checklist"),
        (len(found.remarks), "remark"),
        (found.drafts, "draft"),
        (found.infusions, "infusion"),
        (found.messages, "message"),
    )
    return listed(counted(count, word) for count, word in counts if count)


def _scrubbed(records: SiteRecords) -> str | None:
    """What is still to be done so that no file of the database holds what was erased."""
    owner = settings().owner
    if owner is None:
        return scrub(records.database)
    with closing(Database(owner)) as database:
        return scrub(database)
