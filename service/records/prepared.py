"""Statements of the busiest path: compiled once, and run by the driver itself.

SQLAlchemy's own way to run a statement takes longer than the statement.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """A statement that gives no rows; it is part of the transaction of the connection it runs on."""

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Sequence[str] | None, Mapping[str, Any]]] = {}

    def run(self, connection: Connection, row: Mapping[str, Any]) -> None:
        """Run it with these values. Raises DBAPIError."""
        sql, order, written = self._for(connection)
        values = {**row, **{name: write(row[name]) for name, write in written.items()}}
        with _named(connection):
            _driver(connection).execute(sql, values if order is None else [values[name] for name in order])

    def _for(self, connection: Connection) -> tuple[str, Sequence[str] | None, Mapping[str, Any]]:
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            made: Any = self._statement.compile(dialect=dialect)
            self._compiled[dialect.name] = (made.string, made.positiontup, made._bind_processors)
        return self._compiled[dialect.name]


@contextmanager
def at_once(connection: Connection) -> Iterator[None]:
    """Send the prepared statements in here without waiting for each. Raises DBAPIError, at the end at latest.

    A SQLite file is next to us, so that there is nothing to wait for. Not for what holds a chain: PostgreSQL
    does not see that such a connection is idle, until the next statement.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    with _named(connection), _driver(connection).pipeline():
        yield


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


@contextmanager
def _named(connection: Connection) -> Iterator[None]:
    """Raise the driver's errors as SQLAlchemy does, without statement and values."""
    base = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except base as error:
        raise DBAPIError.instance(None, None, error, base, dialect=connection.dialect) from None
