"""The installation that is looked at. Nothing of it is changed: what is opened is opened to be read."""

import sqlite3
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import event

from service.commands.checks.finding import CannotTell
from service.records import migrate
from service.records.database import Database, StoreUnavailable, is_missing
from service.records.signing import BadKeyFile, Keys
from service.records.site import SiteRecords, sites_of
from service.setting_reading import Reading
from service.settings import DATABASE, KEYS, SITE


class _Unchanged(Database):
    """A database that is read and never written to, nor any file beside it that holds records."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        if not self.is_sqlite:
            event.listen(self.engine, "connect", _only_read)

    def _open_sqlite(self) -> sqlite3.Connection:
        # Without a log beside it nobody has it open, and without `immutable` SQLite would lay one down.
        how = "mode=ro" if Path(f"{self._file}-wal").exists() else "mode=ro&immutable=1"
        return sqlite3.connect(f"file:{quote(str(self._file))}?{how}", uri=True, check_same_thread=False)


def _only_read(connection: Any, _record: Any) -> None:
    connection.read_only = True


class Installation:
    """What the settings name, opened when it is first asked for; what cannot be is tried once.

    Whatever a check asks for here raises CannotTell where another check tells why it is not to be had.
    """

    def __init__(self, reading: Reading, clock: Callable[[], datetime]) -> None:
        self.reading, self.clock = reading, clock
        self._no_database: str | None = None

    def value(self, name: str) -> Any:
        """What a setting is."""
        if (found := self.reading.values[name]) is None and name in self.reading.given:
            raise CannotTell(f"{name} cannot be used")
        return found

    @property
    def database(self) -> Database:
        """The database. Raises StoreUnavailable when it is first asked for and does not answer."""
        if self._no_database:
            raise CannotTell(self._no_database)
        return self._answering

    @cached_property
    def _answering(self) -> Database:
        url = self.value(DATABASE)
        if is_missing(url):
            self._no_database = "there is no database"
            raise CannotTell(self._no_database)
        try:
            database = _Unchanged(url)
            with database.reading() as connection:
                connection.exec_driver_sql("SELECT 1")
        except StoreUnavailable:
            self._no_database = "the database does not answer"
            raise
        return database

    @cached_property
    def sites(self) -> list[str]:
        """The sites that have a journal here."""
        if not migrate.state(self.database).usable:
            raise CannotTell("the tables are not those of this version")
        return sites_of(self.database)

    @cached_property
    def records(self) -> SiteRecords:
        """The records of the site."""
        if (site := self.value(SITE)) not in self.sites:
            raise CannotTell(f"the site {site} has no journal")
        return SiteRecords(self.database, site, Keys({}))

    @cached_property
    def keys(self) -> Keys:
        """The signing keys."""
        try:
            return Keys.read(self.value(KEYS))
        except BadKeyFile:
            raise CannotTell("the signing keys cannot be read") from None

    def close(self) -> None:
        """Let go of what was opened."""
        if "_answering" in vars(self):
            self._answering.close()
