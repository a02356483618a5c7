"""`dosegate verify` and `dosegate journal`: the journal verified, taken out, and its keys."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from service.app import now
from service.commands.files import new_file
from service.commands.opened import act, check_site, existing, opened, settings
from service.records import export as taking_out
from service.records import migrate, rotation
from service.records.chain import documents, head_of
from service.records.database import StoreUnavailable
from service.records.opening import announce_key
from service.records.signing import BadKeyFile, Keys
from service.records.tables import moment_text
from service.records.verify import Report, documents_in
from service.records.verify import verify as verified
from service.terminal.failures import clean, reason, refuse
from service.terminal.progress import bar
from service.terminal.words import counted

_FAULTS = 4
_FILE = click.Path(path_type=Path)


@click.command(short_help="Prove that nothing in the journal was altered.")
@click.argument("file", type=_FILE, required=False)
@click.option("--key", "keys", type=_FILE, multiple=True, help="PEM of keys whose signatures count.")
@click.option("--checkpoint", "held", type=_FILE, multiple=True, help="A checkpoint kept elsewhere, as JSON.")
def verify(file: Path | None, keys: tuple[Path, ...], held: tuple[Path, ...]) -> None:
    """Verify the journal and all that it commits to, in the database or in FILE, an export of it.

    Without --key the keys of DOSEGATE_SIGNING_KEYS count; public ones are enough. Nothing is written.

    Exit status: 0 verified, 4 where something is at fault, 2 where it cannot be verified.
    """
    try:
        trusted = Keys.read(*(keys or [settings().keys]))
        outside = [_checkpoint(path) for path in held]
        read = _in_file(file) if file else _in_database()
        with read as found:
            report = verified(found, trusted, outside)
    except (StoreUnavailable, BadKeyFile) as error:
        refuse([str(error)])
    except OSError as error:
        refuse([f"{error.filename}: cannot be read: {reason(error).lower()}"])
    _print(report)
    if report.faults:
        raise SystemExit(_FAULTS)


def _checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint that was kept elsewhere; one that is none ends the command."""
    try:
        found = json.loads(path.read_bytes())
        whole = type(found["sequence"]) is int and all(
            isinstance(found[name], str) for name in ("site", "at", "digest", "key", "signature")
        )
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        refuse([f"{path}: is no checkpoint; `dosegate journal checkpoint` prints one"])
    checkpoint: dict[str, Any] = found
    return checkpoint


@contextmanager
def _in_file(file: Path) -> Iterator[Iterable[Any]]:
    with file.open("rb") as lines, _progress(file.stat().st_size) as advance:
        yield documents_in(_each(lines, lambda line: advance(len(line))))


@contextmanager
def _in_database() -> Iterator[Iterable[Any]]:
    """The chain of the site; a database that has none ends the command."""
    here = settings()
    with existing(here) as database:
        if (found := migrate.state(database)).age is migrate.Age.NEWER:
            raise migrate.newer(found)
        if not found.usable:
            refuse(["the records are not of this version: start the service once, or name the database"])
        check_site(here, database)
        with database.snapshot() as connection, _progress(head_of(connection, here.site)) as advance:
            read = documents(connection, here.site, moment_text(now()))
            yield _each(read, lambda document: advance(1) if "entry" in document else None)


def _each(things: Iterable[Any], seen: Callable[[Any], None]) -> Iterator[Any]:
    for thing in things:
        seen(thing)
        yield thing


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if sys.stderr.isatty():
        with bar(total, "read") as advance:
            yield advance
    else:
        yield lambda _: None


def _print(report: Report) -> None:
    for fault in report.faults:
        click.echo(clean(str(fault)))
    for note in report.notes:
        click.echo(clean(f"note: {note}"))
    if report.unlisted:
        click.echo(f"and {report.unlisted} more")
    read = f"site {report.site}: {counted(report.entries, 'entry', 'entries')}"
    if report.faults:
        faults = counted(len(report.faults) + report.unlisted, "fault")
        click.echo(clean(f"{read}, {faults}; nothing is at fault up to entry {report.verified}"))
        return
    contents = f"{report.opened} with their contents, {report.erased} erased"
    click.echo(clean(f"{read} verified: {contents}; signed up to entry {report.signed}"))
    click.echo(f"the last entry is {report.last}, {report.digest}")


@click.group(short_help="Take the journal out, sign it, print its keys.")
def journal() -> None:
    """Take the journal out for somebody else to verify or to hold."""


@journal.command(short_help="Write the journal to a file.")
@click.option("--out", type=_FILE, metavar="FILE", required=True, help="A file that is not there yet.")
@click.option(
    "--format", "form", type=click.Choice([each.value for each in taking_out.Form]), default="ndjson"
)
@click.option("--without-contents", is_flag=True, help="Leave out all that may be erased: patient data.")
def export(out: Path, form: str, *, without_contents: bool) -> None:
    """Write the journal to FILE: as ndjson for docs/verify_journal.py, as csv for a spreadsheet.

    As ndjson it holds what entries commit to, and that is patient data: look after it. The export is entered
    in the journal first, and that entry is signed.
    """
    chosen = taking_out.Form(form)
    with opened() as records, new_file(out) as file:
        lines = taking_out.export(records, chosen, act(), openings=not without_contents)
        with records.reading() as connection:
            total = head_of(connection, records.site)
        with _progress(total) as advance:
            for line in lines:
                file.write(line)
                advance(1)
    click.echo(f"{counted(total, 'entry', 'entries')} written to {out}")


@journal.command(short_help="Print a signed checkpoint.")
def checkpoint() -> None:
    """Print a signed checkpoint of the journal as it is now, as JSON, for somebody else to hold.

    With it, they can show later that nothing up to now was altered or cut off.
    """
    with opened() as records:
        click.echo(json.dumps(taking_out.checkpoint(records, act())))


@journal.command(short_help="Print the public keys.")
def keys() -> None:
    """Print the public keys whose signatures count, the signing one first, as PEM."""
    try:
        found = Keys.read(settings().keys)
    except BadKeyFile as error:
        refuse([str(error)])
    signer = found.signer if found.private else ""
    for id in sorted(found.public, key=lambda each: each != signer):
        click.echo(f"{id}{' (signs)' if id == signer else ''}")
        click.echo(Keys({id: found.public[id]}).public_pem().decode(), nl=False)


@journal.command("rotate-key", short_help="Sign with another key from now on.")
@click.option("--prepare", "only_prepare", is_flag=True, help="Only add the new key, to verify with.")
def rotate_key(*, only_prepare: bool) -> None:
    """Sign with another key from now on; the old one only verifies, and its private half is forgotten.

    The new key is written to the file that DOSEGATE_SIGNING_KEYS names, and entered in the journal. Services
    that run read the file when they meet the new key: none has to be started again.

    Where several hosts have a copy of the file each: --prepare on one, copy the file to the others, and then
    type dosegate journal rotate-key on each.
    """
    file = settings().keys
    with opened() as records:
        if only_prepare:
            click.echo(f"{rotation.prepare(file)} is prepared: it verifies, and {records.keys.signer} signs")
            return
        old, new = records.keys.signer, rotation.rotate(file)
        records.keys.read_again()
        announce_key(records, act())
        click.echo(f"{new} signs from now on; {old} only verifies")
    click.echo(f"Keep a copy of {file} apart from the database and its backups.")
