"""How a database stands: its revision, its guards, and who could lay them down."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from service.records import migrate
from service.records.database import Database

_SQLITE = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
_POSTGRESQL = (
    "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
)
# Whoever is a member of the owning role, or a superuser, could do what the owner can.
_OWNER = (
    "SELECT pg_has_role(current_user, relowner, 'MEMBER') AS owns, current_user AS role"
    " FROM pg_class WHERE oid = to_regclass('journal')"
)


@dataclass(frozen=True)
class Standing:
    """What was found. `missing` names guards that are not there, and is None where there are no tables.

    `role` is the service's role on PostgreSQL, and `owns_journal` whether it could alter the journal's table.
    """

    state: migrate.State
    missing: tuple[str, ...] | None = None
    role: str | None = None
    owns_journal: bool = False

    @property
    def sound(self) -> bool:
        """Whether the tables can be used and are guarded; a role that owns the journal is a warning only."""
        return self.state.usable and not self.missing


def standing(database: Database) -> Standing:
    """How a database stands now. Raises StoreUnavailable."""
    state = migrate.state(database)
    if not state.usable:
        return Standing(state)
    with database.reading() as connection:
        missing = _missing(connection, sqlite=database.is_sqlite)
        if database.is_sqlite:
            return Standing(state, missing)
        owner = connection.execute(text(_OWNER)).one()
    return Standing(state, missing, owner.role, owner.owns)


def owns_tables(database: Database) -> bool:
    """Whether the service's role may change the tables themselves. Raises StoreUnavailable."""
    if database.is_sqlite:
        return True
    with database.reading() as connection:
        return bool(connection.execute(text(_OWNER)).one().owns)


def _missing(connection: Connection, *, sqlite: bool) -> tuple[str, ...]:
    found = {name for name, _ in connection.execute(text(_SQLITE if sqlite else _POSTGRESQL))}
    return tuple(sorted(migrate.guards(sqlite=sqlite) - found))
