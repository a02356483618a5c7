"""The database: whether it answers, is of this version, is guarded, and tells the same time."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.engine import make_url

from service.commands.checks.finding import CannotTell, Finding, ok, warning, wrong
from service.commands.checks.installation import Installation
from service.records import migrate
from service.records.database import StoreUnavailable, is_missing
from service.records.standing import standing
from service.records.tables import chains
from service.settings import DATABASE, KEYS, OWNER

_APART, _FAR_APART = timedelta(seconds=5), timedelta(minutes=2)
_RIGHTS = 6  # as many of those that are missing are named
_SET = "timedatectl set-ntp true, on this machine and on that of the database"
_MAY = text("SELECT has_table_privilege(to_regclass(:table), :right)")  # null where there is no such table
_TABLES = text("SELECT to_regclass('journal')")
_TIME = text("SELECT clock_timestamp()")
_AGES = {
    migrate.Age.EMPTY: ("there are no tables yet", "dosegate db upgrade"),
    migrate.Age.OLDER: ("the tables are of an older version", "dosegate db upgrade"),
    migrate.Age.NEWER: ("the tables are of a newer version", "install that version of Dosegate"),
}


def answers(here: Installation) -> Iterator[Finding]:
    """Whether there is a database, and it answers."""
    url = here.value(DATABASE)
    if is_missing(url):
        yield _none(here)
        return
    try:
        database = here.database
    except StoreUnavailable as error:
        yield wrong(f"the database does not answer: {error}", _reach(url))
        return
    yield ok(f"{'SQLite' if database.is_sqlite else 'PostgreSQL'} answers")


def _none(here: Installation) -> Finding:
    if here.value(KEYS).exists():
        return wrong(
            "there is a signing key and no database: it was lost, or is on a disk that is not there",
            "put the database back in its place; where there never was one: dosegate db upgrade",
        )
    return warning("there is no database yet", "dosegate serve makes it; where there was one, look for it")


def _reach(url: str) -> str:
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return f"ls -l {parts.database}, as the user as whom the service runs"
    host, port = parts.host or parts.query.get("host") or "localhost", parts.port or 5432
    return f"pg_isready -h {host} -p {port}; then see that {DATABASE} has the right role and password"


def tables(here: Installation) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    found = migrate.state(here.database)
    if found.age in _AGES:
        says, mend = _AGES[found.age]
        yield wrong(
            f"{says}: revision {found.revision or 'none'}, and this version knows {found.newest}", mend
        )
    elif found.age is migrate.Age.AHEAD:
        yield warning(
            "the tables are of a newer version, and this one may go on until it is replaced",
            "install the newer version of Dosegate",
        )
    else:
        yield ok(f"the tables are of this version, revision {found.revision}")


def guards(here: Installation) -> Iterator[Finding]:
    """Whether what was written stays as it is, and the service's role cannot change that."""
    found = standing(here.database)
    if found.missing is None:
        raise CannotTell("the tables are not those of this version")
    if found.missing:
        yield wrong(
            f"guards of the journal were laid down: {', '.join(found.missing)}. Rows can be altered unseen",
            "dosegate verify says whether some were; then restore a backup (docs/upkeep.md)",
        )
    else:
        yield ok("what was written stays as it is")
    if found.owns_journal:
        yield warning(
            f"{found.role}, the service's role, owns the journal: it could lay down its guards",
            f"let another role own the tables: set {OWNER} to its URL and type dosegate db upgrade, on a new "
            "database",
        )


def rights(here: Installation) -> Iterator[Finding]:
    """Whether the service's role may do what the service does."""
    database = here.database
    if database.is_sqlite:
        yield ok("a SQLite file has no roles")
        return
    with database.reading() as connection:
        if connection.scalar(_TABLES) is None:
            raise CannotTell("there are no tables")
        lacking = [
            f"{right} on {table}"
            for table, granted in migrate.GRANTS.items()
            for right in granted.split(", ")
            if connection.scalar(_MAY, {"table": table, "right": right}) is False
        ]
    if lacking:
        more = f", and {len(lacking) - _RIGHTS} more" if len(lacking) > _RIGHTS else ""
        yield wrong(
            f"the service's role may not {', '.join(lacking[:_RIGHTS])}{more}",
            f"set {OWNER} to the URL of the role that owns the tables, and type dosegate db upgrade",
        )
    else:
        yield ok("the service's role may do what the service does")


def clock(here: Installation) -> Iterator[Finding]:
    """Whether this machine, the database and the journal agree about the time."""
    database, site = here.records.database, here.records.site
    with database.reading() as connection:
        last = connection.execute(select(chains.c.at).where(chains.c.site == site)).scalar_one()
        now = here.clock()
        there = now if database.is_sqlite else connection.execute(_TIME).scalar_one()
    apart = abs(there - now)
    if last - now > _APART:
        yield wrong(
            f"the last entry of the journal is of {last:%Y-%m-%d %H:%M:%S}Z, which is still to come here: a "
            "clock was wrong, or is",
            f"date -u, and where it is wrong: {_SET}",
        )
    if apart > _FAR_APART:
        yield wrong(f"the clocks of this machine and of the database are {_said(apart)} apart", _SET)
    elif apart > _APART:
        yield warning(f"the clocks of this machine and of the database are {_said(apart)} apart", _SET)
    else:
        yield ok("it is the same time here and in the database")


def _said(apart: timedelta) -> str:
    return f"{apart.total_seconds():.0f} seconds"
