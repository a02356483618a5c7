"""Migrations: the tables of a database brought up to this version, under a lock, by Alembic."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Label, literal_column, select, text, update

from service.records.database import Database, StoreUnavailable
from service.records.tables import compatibility

_LOCK = 7306105018  # any number that nothing else in the database locks
# The revision of the tables, and the oldest one whose service may go on with them: read along with the rest.
REVISION: Label[str] = literal_column("(SELECT version_num FROM alembic_version)").label("revision")
OLDEST: Label[str] = literal_column("(SELECT oldest FROM compatibility)").label("oldest")


class Age(StrEnum):
    """How the tables of a database compare with those that this version knows."""

    CURRENT = "current"
    EMPTY = "empty"
    OLDER = "older"
    AHEAD = "ahead"  # newer, and this version may go on with them until it is replaced
    NEWER = "newer"


@dataclass(frozen=True)
class State:
    """The revision of a database, None for an empty one, and the newest one known here."""

    revision: str | None
    newest: str
    age: Age

    @property
    def usable(self) -> bool:
        """Whether this version may work with the tables as they are."""
        return self.age in (Age.CURRENT, Age.AHEAD)


def state(database: Database) -> State:
    """How far a database has been brought. Raises StoreUnavailable."""
    with database.reading() as connection:
        return _state(connection)


def upgrade(database: Database, service_role: str | None = None) -> State:
    """Bring the tables up to this version; two at once wait for each other. The state that was found.

    On PostgreSQL `service_role` is granted what the service needs and no more; None where it is the owner.
    Tables that are ahead stay as they are. Raises StoreUnavailable, also where a newer version has been here
    that this one cannot go on with.
    """
    with database.writing() as connection, _alone(connection, sqlite=database.is_sqlite):
        found = _state(connection)
        if found.age is Age.NEWER:
            raise newer(found)
        if found.age is Age.AHEAD:  # what is granted there is the newer version's to say
            return found
        if found.age is not Age.CURRENT:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _leave_behind(connection, found.revision)
        if service_role is not None:
            _grant(connection, service_role)
    return found


def newer(found: State) -> StoreUnavailable:
    """The error for tables that this version does not know."""
    return StoreUnavailable(
        f"the records were brought up to revision {found.revision} by a newer version of Dosegate; this one "
        f"knows {found.newest}. Install the newer version"
    )


def check(revision: str | None, oldest: str | None) -> None:
    """Return where this version may work with tables of this revision. Raises StoreUnavailable.

    `oldest` is the oldest revision whose service may go on with them.
    """
    known = _known()
    if revision == known[0] or (revision not in known and oldest in known):
        return
    if revision in known:
        raise StoreUnavailable(f"the records are of revision {revision}; type dosegate db upgrade")
    raise newer(State(revision, known[0], Age.NEWER))


@functools.cache
def _known() -> tuple[str, ...]:
    """Every revision that this version knows, the newest first."""
    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _state(connection: Connection) -> State:
    newest = _known()[0]
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return State(None, newest, Age.EMPTY)
    if revision == newest:
        return State(revision, newest, Age.CURRENT)
    if revision in _known():
        return State(revision, newest, Age.OLDER)
    oldest = connection.execute(select(compatibility.c.oldest)).scalar_one_or_none()
    return State(revision, newest, Age.AHEAD if oldest in _known() else Age.NEWER)


def _leave_behind(connection: Connection, before: str | None) -> None:
    """Say which services may go on: those that each migration just made names, or none that is older.

    Revisions are numbers of four digits, so that their order is that of their texts.
    """
    made = ScriptDirectory.from_config(_config()).iterate_revisions("head", before or "base")
    named = max(getattr(script.module, "oldest", script.revision) for script in made)
    connection.execute(update(compatibility).where(compatibility.c.oldest < named).values(oldest=named))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "service.records:migrations")
    return config


@contextmanager
def _alone(connection: Connection, *, sqlite: bool) -> Iterator[None]:
    """SQLite's writer is alone already."""
    if not sqlite:
        connection.execute(text("SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    yield


# Rows of the first are written once; those of the others are erased with a patient, and never changed.
_WRITTEN_ONCE = (
    "journal",
    "checkpoints",
    "knowledge",
    "policies",
    "checklists",
    "flagged",
    "cards",
    "card_feedback",
)
_ERASABLE = ("contents", "remarks")


def guards(*, sqlite: bool) -> frozenset[str]:
    """The names of the triggers that the migrations have made, without which rows could be altered."""
    if sqlite:
        updates = {f"{table}_no_update" for table in (*_WRITTEN_ONCE, *_ERASABLE)}
        deletes = {f"{table}_no_delete" for table in (*_WRITTEN_ONCE, "chains")}
        return frozenset(updates | deletes | {"chains_grow"})
    each = [(f"{table}_refuse", f"{table}_no_truncate") for table in (*_WRITTEN_ONCE, *_ERASABLE, "chains")]
    return frozenset(name for both in each for name in both) | {"chains_grow"}


# What the service may do with each table where it does not own them. Nothing leaves the journal.
GRANTS = {
    "alembic_version": "SELECT",
    "chains": "SELECT, INSERT, UPDATE",
    "journal": "SELECT, INSERT",
    "checkpoints": "SELECT, INSERT",
    "knowledge": "SELECT, INSERT",
    "policies": "SELECT, INSERT",
    "checklists": "SELECT, INSERT",
    "contents": "SELECT, INSERT, DELETE",
    "remarks": "SELECT, INSERT, DELETE",
    "flagged": "SELECT, INSERT",
    "idempotency": "SELECT, INSERT, DELETE",
    "accounts": "SELECT, INSERT, UPDATE",
    "sessions": "SELECT, INSERT, UPDATE, DELETE",
    "failures": "SELECT, INSERT, DELETE",
    "api_keys": "SELECT, INSERT, UPDATE",
    "drafts": "SELECT, INSERT, UPDATE, DELETE",
    "ehr_clients": "SELECT, INSERT, UPDATE",
    "used_tokens": "SELECT, INSERT, DELETE",
    "cards": "SELECT, INSERT",
    "card_feedback": "SELECT, INSERT",
    "endpoints": "SELECT, INSERT, UPDATE",
    "deliveries": "SELECT, INSERT, UPDATE, DELETE",
    "senders": "SELECT, INSERT, UPDATE",
    "messages": "SELECT, INSERT, DELETE",
    "infusions": "SELECT, INSERT, UPDATE, DELETE",
    "compatibility": "SELECT",
    "couriers": "SELECT, INSERT, UPDATE, DELETE",
    "rates": "SELECT, INSERT, UPDATE, DELETE",
}


def _grant(connection: Connection, role: str) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    for table, rights in GRANTS.items():
        connection.execute(text(f"GRANT {rights} ON {table} TO {quoted}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}"))
