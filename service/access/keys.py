"""API keys of machine clients: 256 random bits, kept as a digest; the prefix tells keys apart."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, insert, select, update

from service.access.principal import NotSignedIn, Principal
from service.access.roles import SCOPES, Permission
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import api_keys

SECRET_BYTES = 32
_PREFIX = re.compile(r"[0-9a-f]{12}")
_SHAPE = re.compile(r"dosegate_([0-9a-f]{12})_([0-9a-f]{64})")
_NOTED_EVERY = timedelta(minutes=1)
LONGEST = timedelta(days=3660)
_LONGEST_NAME = 200


class BadKey(Exception):
    """A key cannot be made or revoked as asked; the message says why."""


class NoSuchKey(BadKey):
    """No key has this prefix."""


@dataclass(frozen=True)
class ApiKey:
    """A key as it is kept: never its secret."""

    id: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


_COLUMNS = tuple(api_keys.c[name] for name in ApiKey.__dataclass_fields__)


class ApiKeys:
    """The keys of one site."""

    def __init__(self, records: SiteRecords) -> None:
        self._records = records

    def make(
        self, name: str, scopes: Iterable[Permission], valid_for: timedelta, act: Act
    ) -> tuple[ApiKey, str]:
        """A new key, and the token that is shown this once. Raises BadKey, StoreUnavailable."""
        wanted = frozenset(scopes)
        if not wanted or not wanted <= SCOPES:
            raise BadKey("a key needs one or more of the scopes " + ", ".join(sorted(SCOPES)))
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise BadKey(f"the name of a key is 1 to {_LONGEST_NAME} printable characters")
        if not timedelta(0) < valid_for <= LONGEST:
            raise BadKey(f"a key is valid for 1 to {LONGEST.days} days")
        prefix, secret = secrets.token_hex(6), secrets.token_hex(SECRET_BYTES)
        token = f"dosegate_{prefix}_{secret}"
        listed = tuple(sorted(scope.value for scope in wanted))
        key = ApiKey(str(uuid.uuid4()), prefix, name, listed, act.at, act.at + valid_for, None, None)
        with self._records.writing() as writing:
            row = {**vars(key), "scopes": list(listed), "site": self._records.site, "digest": _digest(token)}
            writing.connection.execute(insert(api_keys).values(row))
            details = {"prefix": prefix, "name": name, "scopes": list(listed)}
            writing.enter(act, Event.KEY_MADE, key.id, details)
        return key, token

    def revoke(self, prefix: str, act: Act) -> ApiKey:
        """Take a key back, for good. Raises NoSuchKey, BadKey for one revoked before, StoreUnavailable."""
        if not _PREFIX.fullmatch(prefix):
            raise NoSuchKey("a key has a prefix of 12 of the characters 0 to 9 and a to f")
        with self._records.writing() as writing:
            writing.alone()
            mine = (api_keys.c.site == self._records.site, api_keys.c.prefix == prefix)
            row = writing.connection.execute(select(*_COLUMNS).where(*mine)).first()
            if row is None:
                raise NoSuchKey(f"no key has the prefix {prefix}")
            if row.revoked_at is not None:
                raise BadKey(f"the key {prefix} is revoked already")
            writing.connection.execute(update(api_keys).where(*mine).values(revoked_at=act.at))
            writing.enter(act, Event.KEY_REVOKED, row.id, {"prefix": prefix})
        return ApiKey(**{**vars(_key(row)), "revoked_at": act.at})

    def all(self) -> list[ApiKey]:
        """Every key, the newest first. Raises StoreUnavailable."""
        wanted = select(*_COLUMNS).where(api_keys.c.site == self._records.site)
        with self._records.reading() as connection:
            rows = connection.execute(wanted.order_by(api_keys.c.created_at.desc(), api_keys.c.id)).all()
        return [_key(row) for row in rows]

    def principal(self, token: str, now: datetime) -> Principal:
        """Who holds this token. Raises NotSignedIn, StoreUnavailable."""
        shaped = _SHAPE.fullmatch(token)
        if shaped is None:
            raise NotSignedIn
        mine = (api_keys.c.site == self._records.site, api_keys.c.digest == _digest(token))
        with self._records.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(*mine)).first()
        if row is None or row.revoked_at is not None or row.expires_at <= now:
            raise NotSignedIn
        key = _key(row)
        if key.used_at is None or now - key.used_at >= _NOTED_EVERY:
            with self._records.noting() as connection:
                connection.execute(update(api_keys).where(*mine).values(used_at=now))
        permissions = frozenset(Permission(scope) for scope in key.scopes) & SCOPES
        return Principal(f"key:{key.prefix}", "client", key.name, permissions)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    fields = {name: getattr(row, name) for name in ApiKey.__dataclass_fields__}
    return ApiKey(**{**fields, "scopes": tuple(row.scopes)})
