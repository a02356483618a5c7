"""Opening the records of a site: its database brought up to date, its chain begun, its keys at hand."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from service.knowledge.library import Library
from service.records import migrate
from service.records.database import Database, StoreUnavailable, is_missing
from service.records.journal import Act, Event
from service.records.signing import BadKeyFile, Keys
from service.records.site import SiteRecords, open_chain, sites_of
from service.records.standing import owns_tables
from service.records.stored import Basis
from service.records.tables import journal


def open_records(url: str, owner: str | None, site: str, keys: Path, now: datetime) -> SiteRecords:
    """The records of a site, made where there is neither a database nor a signing key.

    `owner` is the URL of the role that owns the tables on PostgreSQL, where it is not that of `url`. Raises
    StoreUnavailable, BadKeyFile.
    """
    if keys.exists() and is_missing(url):
        # It was lost, or is on a mount that is not there: a new journal would begin, and nobody would notice.
        raise StoreUnavailable(
            f"there is a signing key ({keys}) and no database. Put the database back in its place; where "
            "there never was one, make it with dosegate db upgrade"
        )
    database = Database(url)  # before the key: where there is a key, there is a database
    try:
        found = Keys.read(keys) if keys.exists() else None
        if found is not None:
            found.signer  # noqa: B018  one that cannot sign is found now
        bring_up(database, owner)
        signing = found or _first_key(database, site, keys)
        open_chain(database, site, signing, now)
    except BadKeyFile:
        database.close()
        raise
    except StoreUnavailable as error:
        database.close()
        reason = f"the database cannot be opened: {error}"
        raise StoreUnavailable(reason, error.retry_after) from None
    return SiteRecords(database, site, signing)


def _first_key(database: Database, site: str, keys: Path) -> Keys:
    """The key of a site whose journal begins now. Raises StoreUnavailable, BadKeyFile."""
    if site in sites_of(database) and not keys.exists():  # in this order: the key was made first
        raise BadKeyFile(f"{keys.absolute()} is gone, and the journal is signed with its key: put it back")
    return Keys.made(keys)


def bring_up(database: Database, owner: str | None) -> migrate.State:
    """Bring the tables up to date, as their owner; the state that was found. Raises StoreUnavailable."""
    if owner is None:
        found = migrate.state(database)
        if found.usable:
            return found
        if found.age is migrate.Age.OLDER and not owns_tables(database):
            raise StoreUnavailable(
                f"the records are of revision {found.revision}, and this version needs {found.newest}: let "
                "the owner of the tables type dosegate db upgrade"
            )
        return migrate.upgrade(database)
    owned = Database(owner)
    try:
        return migrate.upgrade(owned, database.url.username)
    finally:
        owned.close()


def announce(records: SiteRecords, library: Library, act: Act) -> None:
    """Enter what is in use from now on, where it is not what was entered last. Raises StoreUnavailable."""
    used = [_key_of(records), (Event.POLICY_CHANGED, "policy", {"digest": library.policy.digest})]
    for pack in library.packs.values():
        digests = {"digest": pack.digest, "knowledge": Basis.of(library, pack).knowledge}
        used.append((Event.PACK_LOADED, pack.id, {"version": pack.version, **digests}))
    _enter_new(records, used, act)


def announce_key(records: SiteRecords, act: Act) -> None:
    """Enter which key signs from now on, where it is not what was entered last. Raises StoreUnavailable."""
    _enter_new(records, [_key_of(records)], act)


def _key_of(records: SiteRecords) -> tuple[Event, str, dict[str, str]]:
    return Event.SIGNING_KEY_USED, records.keys.signer, {}


def _enter_new(records: SiteRecords, used: list[tuple[Event, str, dict[str, str]]], act: Act) -> None:
    with records.reading() as connection:
        if all(_last(connection, records.site, *each[:2]) == each[2] for each in used):
            return
    with records.writing() as writing:
        writing.alone()
        new = [each for each in used if _last(writing.connection, records.site, *each[:2]) != each[2]]
        writing.wrote_nothing = not new  # another worker was first
        for event, subject, details in new:
            writing.enter(act, event, subject, details)


def _last(connection: Connection, site: str, event: Event, subject: str) -> dict[str, str] | None:
    wanted = (
        select(journal.c.details)
        .where(journal.c.site == site, journal.c.event == event.value, journal.c.subject == subject)
        .order_by(journal.c.sequence.desc())
        .limit(1)
    )
    found: dict[str, str] | None = connection.execute(wanted).scalar_one_or_none()
    return found
