"""`dosegate db`: the state of the tables, and bringing them up to date."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from service.app import now
from service.commands.backup import backup, restore
from service.commands.opened import opened, settings
from service.records import migrate, retention
from service.records.database import Database, StoreUnavailable
from service.records.opening import bring_up
from service.records.standing import Standing, standing
from service.settings import OWNER
from service.terminal.failures import refuse

_AGES = {
    migrate.Age.CURRENT: "current",
    migrate.Age.EMPTY: "there are none yet: type dosegate db upgrade",
    migrate.Age.OLDER: "of an older version: type dosegate db upgrade",
    migrate.Age.AHEAD: "of a newer version, and this one may go on with them until it is replaced",
    migrate.Age.NEWER: "of a newer version of Dosegate: install that one",
}
_DONE = {
    migrate.Age.CURRENT: "was current already",
    migrate.Age.AHEAD: "is of a newer version already, and stays as it is",
}
_NOT_AS_IT_SHOULD_BE = 4


@click.group(short_help="Look after the database.")
def db() -> None:
    """Look after the database that DOSEGATE_DATABASE_URL names: its tables, its backups."""


db.add_command(backup)
db.add_command(restore)


@db.command(short_help="Bring the tables up to this version.")
def upgrade() -> None:
    """Bring the tables up to this version; those that are current stay as they are.

    Where DOSEGATE_DATABASE_OWNER_URL is set, that role owns the tables, and the service's role is granted
    what it needs and no more. Exit status: 0 done, 2 where it cannot be done.
    """
    with _database() as database:
        found = bring_up(database, settings().owner)
    click.echo(f"{_place(database)} {_DONE.get(found.age) or f'is at revision {found.newest} now'}")


@db.command(short_help="Delete what is kept for a time only.")
def sweep() -> None:
    """Delete what has been kept for long enough, as `dosegate deliver` does every hour; no record is touched.

    Those are ended sessions, failed sign-ins, used tokens, messages, deliveries, plans, keys of requests and
    drafts that nobody has gone on with.
    """
    with opened() as records:
        swept = retention.sweep(records, now())
    for table, rows in sorted(swept.items()):
        click.echo(f"{table:<12}  {rows}")


@db.command(short_help="Say what state the tables are in.")
def status() -> None:
    """Say which database this is, what state its tables are in, and whether its journal is guarded.

    Exit status: 0 all is as it should be, 4 something is not, 2 where the database cannot be asked.
    """
    with _database() as database:
        found = standing(database)
    click.echo(f"database  {_place(database)}")
    click.echo(f"tables    {_AGES[found.state.age]}")
    click.echo(f"revision  {found.state.revision or 'none'} (this version knows {found.state.newest})")
    for line in _guarding(found):
        click.echo(line)
    if not found.sound:
        raise SystemExit(_NOT_AS_IT_SHOULD_BE)


def _guarding(found: Standing) -> Iterator[str]:
    if found.missing is None:
        return
    gone = ", ".join(found.missing)
    yield "guards    " + (f"MISSING: {gone}" if gone else "in place: what was written stays as it is")
    if found.owns_journal:
        yield (
            f"warning   {found.role}, the service's role, owns the journal: it could lay down its guards.\n"
            f"          Let another role own the tables of a new database: set {OWNER}\n"
            "          to the URL of that role, and type dosegate db upgrade"
        )
    elif found.role is not None:
        yield f"role      {found.role} does not own the journal, and may only read it and add to it"


@contextmanager
def _database() -> Iterator[Database]:
    try:
        database = Database(settings().database)
        try:
            yield database
        finally:
            database.close()
    except StoreUnavailable as error:
        refuse([str(error)])


def _place(database: Database) -> str:
    """Which database it is, without a password."""
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    return f"{kind}, {database.url.render_as_string(hide_password=True)}"
