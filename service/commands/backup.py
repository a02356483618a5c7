"""`dosegate db backup` and `dosegate db restore`."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.engine import URL, make_url

from service.app import now
from service.commands.opened import existing, settings
from service.records import backup as backups
from service.records.backup import InUse, Looked, NoBackup
from service.records.database import StoreUnavailable
from service.records.signing import BadKeyFile, Keys
from service.settings import DATABASE, Settings
from service.terminal.failures import clean, reason, refuse
from service.terminal.words import counted

_FAULTS = 4
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Write all records to a file.")
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Write all records of a SQLite database to FILE, while the service runs, and verify what was written.

    It holds patient data: it is for its owner only. The signing key is not in it: keep a copy of that apart.
    Of records on PostgreSQL it says how to back them up, and does nothing.

    Exit status: 0 written and verified, 4 written, and its journal is at fault, 2 not written.
    """
    here = settings()
    if _url(here).get_backend_name() != "sqlite":
        refuse(
            [
                "the records are on PostgreSQL: back them up with its own tools, as the owner of the tables:",
                f"pg_dump --format=custom --file={shlex.quote(str(file))} {_for_tools(here)}",
            ]
        )
    if file.exists():
        refuse([f"{file}: is there already; name a new file"])
    with _told(file), existing(here) as database:
        found = backups.back_up(database, file, here.site, Keys.read(here.keys), now())
    click.echo(f"{file} is a backup of {_place(here)}, of revision {found.revision}")
    _say(found)
    click.echo(f"It does not hold the signing key: keep a copy of {here.keys} apart from it.")


@click.command(short_help="Put a backup in the place of the database.")
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Put aside the database that is there.")
def restore(file: Path, *, replace: bool) -> None:
    """Put a copy of FILE, a backup, where the SQLite database belongs, verified and brought up to date.

    Stop the service and `dosegate deliver` first. What is there is kept beside it under another name.
    Of records on PostgreSQL it says how to restore them, and does nothing.

    Exit status: 0 restored, 4 the journal in FILE is at fault, 2 it cannot be restored; with 4 and 2 nothing
    has changed.
    """
    here = settings()
    if _url(here).get_backend_name() != "sqlite":
        refuse(_restoring_postgresql(here, file))
    place = _place(here)
    if (there := backups.in_the_way(place)) and not replace:
        refuse([f"{there[0]}: is there already; with --replace it is put aside, and kept"])
    with _told(file):
        found, aside = backups.restore(file, place, here.site, Keys.read(here.keys), now())
    if found.journal.faults:
        click.echo(f"{file} is not put in the place of {place}: its journal is at fault")
    else:
        click.echo(f"{place} is what {file} held, of revision {found.revision}")
    _say(found)
    if aside is not None:
        click.echo(f"What was there is kept as {aside}")
    click.echo("Whether entries are missing behind the last one tells a checkpoint that was kept elsewhere:")
    click.echo("dosegate verify --checkpoint FILE")


def _say(found: Looked) -> None:
    report = found.journal
    for fault in report.faults[:10]:
        click.echo(clean(str(fault)))
    if report.faults:
        faults = counted(len(report.faults) + report.unlisted, "fault")
        click.echo(f"site {report.site}: {faults}; nothing is at fault up to entry {report.verified}")
        raise SystemExit(_FAULTS)
    entries = counted(report.entries, "entry", "entries")
    click.echo(f"site {report.site}: {entries} verified; the last is {report.last}, {report.digest}")


def _restoring_postgresql(here: Settings, file: Path) -> list[str]:
    return [
        "the records are on PostgreSQL: restore them with its own tools, as the owner of the tables, into a "
        "new database:",
        f"pg_restore --exit-on-error --no-owner --no-privileges --dbname={_for_tools(here, 'NEW')} "
        f"{shlex.quote(str(file))}",
        f"then let {DATABASE} name it, and type dosegate db upgrade, dosegate db status, dosegate verify",
    ]


def _for_tools(here: Settings, database: str | None = None) -> str:
    """A URL for PostgreSQL's own tools; they ask for the password, or read it from their own file."""
    url = make_url(here.owner or here.database)
    role, name = url.username if here.owner else "OWNER", database or url.database
    named = URL.create("postgresql", role, None, url.host, url.port, name, url.query)
    return shlex.quote(named.render_as_string())


def _url(here: Settings) -> URL:
    return make_url(here.database)


def _place(here: Settings) -> Path:
    return Path(_url(here).database or "").absolute()


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What goes wrong ends the command with one line."""
    try:
        yield
    except NoBackup as error:
        refuse([f"{file}: {error}"])
    except InUse:
        refuse(
            ["the database is in use: stop dosegate serve and dosegate deliver, and whoever else reads it"]
        )
    except (StoreUnavailable, BadKeyFile) as error:
        refuse([str(error)])
    except OSError as error:
        refuse([f"{error.filename or file}: {reason(error).lower()}"])
