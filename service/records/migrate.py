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
from sqlalchemy import Connection, Label, literal_column, text

from service.records.database import Database, StoreUnavailable

_LOCK = 7306105018  # any number that nothing else in the database locks
# The revision of the tables, to be read along with something else.
REVISION: Label[str] = literal_column("(SELECT version_num FROM alembic_version)").label("revision")


class Age(StrEnum):
    """How the tables of a database compare with those that this version knows."""

    CURRENT = "current"
    EMPTY = "empty"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True)
class State:
    """The revision of a database, None for an empty one, and the newest one known here."""

    revision: str | None
    newest: str
    age: Age


def state(database: Database) -> State:
    """How far a database has been brought. Raises StoreUnavailable."""
    with database.reading() as connection:
        return _state(connection)


def upgrade(database: Database, service_role: str | None = None) -> State:
    """Bring the tables up to this version; two at once wait for each other. The state that was found.

    On PostgreSQL `service_role` is granted what the service needs and no more; None where it is the owner.
    Raises StoreUnavailable, also where a newer version has been here.
    """
    with database.writing() as connection, _alone(connection, sqlite=database.is_sqlite):
        found = _state(connection)
        if found.age is Age.NEWER:
            raise newer(found)
        if found.age is not Age.CURRENT:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        if service_role is not None:
            _grant(connection, service_role)
    return found


def newer(found: State) -> StoreUnavailable:
    """The error for tables that this version does not know."""
    return StoreUnavailable(
        f"the records were brought up to revision {found.revision} by a newer version of Dosegate; this one "
        f"knows {found.newest}. Install the newer version"
    )


def check(revision: str | None) -> None:
    """Return where tables of this revision are those that this version knows. Raises StoreUnavailable."""
    known = _known()
    if revision == known[0]:
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
    return State(revision, newest, Age.OLDER if revision in _known() else Age.NEWER)


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
