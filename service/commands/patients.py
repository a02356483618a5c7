"""`dosegate patients`."""

import sys
from contextlib import closing
from datetime import datetime

import click

from service.app import now
from service.commands.opened import act, opened, settings
from service.knowledge.writing import listed
from service.records.database import Database
from service.records.erasure import Held, HeldOtherwise, Reason, erase, held, scrub
from service.records.expiry import expire as erase_expired
from service.records.expiry import expired
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


@patients.command(short_help="Erase what is from before a day, for good.")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    metavar="DATE",
    help="The first day that is kept, as 2016-01-01, by the clock of the site.",
)
def expire(before: datetime) -> None:
    """Erase what is known of all patients from before DATE, when its retention has ended.

    Checklists go that were made and meant for a time before it, and words that were said before it, unless
    they are about a checklist that stays. What it would be is said first; the number of things to erase,
    typed or on standard input, confirms.
    """
    moment = before.replace(tzinfo=settings().time_zone)
    if moment > now():
        refuse([f"{before:%Y-%m-%d} is in the future: nothing was erased"])
    with opened() as records:
        found = expired(records, moment)
        if not found.total:
            refuse([f"nothing is kept from before {before:%Y-%m-%d}"])
        words = listed(
            counted(count, word)
            for count, word in ((found.checklists, "checklist"), (found.remarks, "remark"))
            if count
        )
        click.echo(f"Kept from before {before:%Y-%m-%d}: {words}.")
        if _asked(f"Type {found.total} to erase all of it for good") != str(found.total):
            refuse(["not confirmed: nothing was erased"])
        entries = erase_expired(records, moment, before.date(), act())
        said = f"The journal has {counted(entries, 'entry', 'entries')} patient.erased"
        click.echo(f"Erased: {words}. {said} that say so.")
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
