"""What every command on the records stands on: the records opened, and who types the command."""

import getpass
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

from service import logs
from service.app import now, records_of
from service.records import migrate
from service.records.database import Database, StoreUnavailable, is_missing
from service.records.journal import Act
from service.records.signing import BadKeyFile
from service.records.site import SiteRecords, sites_of
from service.settings import SITE, BadSetting, Settings
from service.terminal.failures import refuse


def settings() -> Settings:
    """The settings of this process; a bad one ends the command."""
    try:
        found = Settings.from_environment()
    except BadSetting as bad:
        refuse(list(bad.problems))
    logs.configure(found.log_level)
    return found


@contextmanager
def opened(*, may_begin: bool = False) -> Iterator[SiteRecords]:
    """The records of the site; a failure of theirs ends the command with one line.

    Only what `may_begin` begins the journal of a site that has none: a name that was mistyped begins nothing.
    """
    here = settings()
    try:
        if not may_begin:
            _check_begun(here)
        records = records_of(here, now())
        try:
            yield records
        finally:
            records.close()
    except (StoreUnavailable, BadKeyFile) as error:
        refuse([str(error)])


@contextmanager
def existing(here: Settings) -> Iterator[Database]:
    """The database, where there is one; else the command ends, and none is made. Raises StoreUnavailable."""
    if is_missing(here.database):
        refuse([f"{here.database}: there is no such database"])
    with closing(Database(here.database)) as database:
        yield database


def check_site(here: Settings, database: Database) -> None:
    """Return where the site has a journal; else the command ends. Raises StoreUnavailable."""
    if here.site not in (sites := sites_of(database)):
        there = f"there is {', '.join(sites)}" if sites else "nor of any other"
        refuse([f"{SITE}: there is no journal of the site {here.site} here, {there}"])


def _check_begun(here: Settings) -> None:
    with existing(here) as database:
        state = migrate.state(database)
        if state.age is migrate.Age.EMPTY:
            refuse(["the database is empty: `dosegate serve` and `dosegate users add` begin its records"])
        if state.usable:  # else opening says what to do
            check_site(here, database)


def act() -> Act:
    """Who types a command, as the journal has it: the operating system's name of them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Act(f"cli:{name}", "operator", f"cli-{uuid.uuid4().hex}", now())
