"""Backups of a SQLite database: one whole file, read back and verified before it counts.

PostgreSQL has tools of its own for this (docs/upkeep.md).
"""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from service.records import migrate
from service.records.chain import documents
from service.records.database import Database
from service.records.signing import Keys
from service.records.site import sites_of
from service.records.tables import moment_text
from service.records.verify import Report, verify

# Where SQLite's readers and writers lock a file (sqlite.org/fileformat2.html, the lock-byte page).
_SHARED_BYTES, _SHARED_FROM = 510, 0x40000002


class NoBackup(Exception):
    """A file that is no backup, or cannot become one; the message says why."""


class InUse(Exception):
    """Somebody has the database open."""


@dataclass(frozen=True)
class Looked:
    """What was found in a file: the revision of its tables, and its journal verified."""

    revision: str | None
    journal: Report


def back_up(database: Database, out: Path, site: str, keys: Keys, now: datetime) -> Looked:
    """Write all that the database holds at one moment to a new file, and look whether it is good.

    Others may write meanwhile. What was erased is not in it. A journal that is at fault is kept as it is.
    Raises NoBackup, StoreUnavailable, OSError.
    """
    with _beside(out) as copy:
        copy.touch(mode=0o600)
        with database.apart() as connection:
            connection.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})
        looked_at = copy
        if not migrate.state(database).usable:  # it stays of use to the version that wrote it
            looked_at = shutil.copyfile(copy, copy.with_suffix(".looked_at"))
        found = _looked_at(looked_at, site, keys, now)
        if out.exists():
            raise NoBackup("is there already")
        _name(copy, out)
    return found


def restore(backup: Path, place: Path, site: str, keys: Keys, now: datetime) -> tuple[Looked, Path | None]:
    """Put a copy of a backup where the database belongs, brought up to this version; what was there is kept.

    Also answers where that is kept. Where the journal is at fault, or this raises NoBackup, InUse,
    StoreUnavailable or OSError, nothing has changed.
    """
    if any(Path(f"{backup}{each}").exists() for each in ("-wal", "-shm", "-journal")):
        raise NoBackup("is in use, or was: a -wal, -shm or -journal file is beside it")
    with _beside(place) as copy:
        shutil.copyfile(backup, copy)
        copy.chmod(0o600)
        if os.geteuid() == 0:  # it is the service's, whoever puts it there
            owner = (place if place.exists() else place.parent).stat()
            os.chown(copy, owner.st_uid, owner.st_gid)
        found = _looked_at(copy, site, keys, now)
        if found.journal.faults:
            return found, None
        with _to_itself(place):
            aside = _put_aside(place, now)
            _name(copy, place)
    return found, aside


def in_the_way(place: Path) -> list[Path]:
    """What is where a database belongs: the file, and what SQLite keeps beside it."""
    return [each for each in (place, Path(f"{place}-wal"), Path(f"{place}-shm")) if each.exists()]


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A place for a copy on the same disk, for its owner only; nothing of it is left behind."""
    with TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as folder:
        yield Path(folder) / file.name


def _looked_at(copy: Path, site: str, keys: Keys, now: datetime) -> Looked:
    """Look at a copy, and bring its tables up. Raises NoBackup, StoreUnavailable."""
    with closing(Database(f"sqlite:///{copy}")) as database:
        with database.reading() as connection:
            damage = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        if damage != "ok":
            raise NoBackup("SQLite's own check finds it damaged")
        found = migrate.state(database)
        if found.age is migrate.Age.EMPTY:
            raise NoBackup("it holds no records of Dosegate")
        if not found.usable:
            migrate.upgrade(database)
        if site not in sites_of(database):
            raise NoBackup(f"it holds no journal of the site {site}")
        with database.snapshot() as connection:
            report = verify(documents(connection, site, moment_text(now)), keys)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # one file, that can be read wherever it lies
    return Looked(found.revision, report)


@contextmanager
def _to_itself(place: Path) -> Iterator[None]:
    """Nobody has the database open, nor opens it meanwhile. Raises InUse."""
    if not place.exists():
        yield
        return
    with place.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_BYTES, _SHARED_FROM)
        except OSError:
            raise InUse from None
        yield


def _put_aside(place: Path, now: datetime) -> Path | None:
    """Take what is there out of the way; the log too, which SQLite would write into another database."""
    found = in_the_way(place)
    aside = place.with_name(f"{place.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
    for each in reversed(found):  # the database last: a failure before leaves it in its place
        each.rename(f"{aside}{str(each).removeprefix(str(place))}")
    return aside if found else None


def _name(copy: Path, out: Path) -> None:
    """Give a copy its name, when it is on disk."""
    _flush(copy)
    copy.rename(out)
    _flush(out.parent)


def _flush(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
