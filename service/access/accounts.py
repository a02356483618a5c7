"""The accounts of people: who may sign in, as what, and with which password and PIN."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, func, insert, select, update

from service.access.passwords import hashed, outdated, password_fault, pin_fault, verified
from service.access.principal import NotSignedIn, Principal
from service.access.roles import Role, permissions_of
from service.access.throttle import Throttle
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import accounts, sessions

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_LONGEST_FULL_NAME = 200
_WRONG_SIGNATURES = 5


class NoSuchAccount(Exception):
    """No account here has this name or id."""


@dataclass(eq=False)
class BadAccount(Exception):
    """An account cannot be as it was asked for: the field, and what is wrong with it."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


class WrongSecret(Exception):
    """Neither the PIN nor the password of the account."""


class LastAdmin(Exception):
    """There would be no administrator left who could sign in."""


@dataclass(frozen=True)
class Account:
    """An account as others see it: never its secrets. `disabled_at` is None where it may sign in.

    `issuer` and `external` are who vouches for the person, and as whom, where sign-in is with them.
    """

    id: str
    name: str
    full_name: str
    role: Role
    has_password: bool
    has_pin: bool
    issuer: str | None
    external: str | None
    created_at: datetime
    disabled_at: datetime | None

    @property
    def actor(self) -> str:
        """The person as the journal names them."""
        return f"user:{self.name}"

    @property
    def principal(self) -> Principal:
        """The person, signed in."""
        return Principal(self.actor, self.role.value, self.full_name, permissions_of(self.role), self.id)


_MARKS = (
    accounts.c.password.is_not(None).label("has_password"),
    accounts.c.pin.is_not(None).label("has_pin"),
)
COLUMNS = (
    *(accounts.c[name] for name in ("id", "name", "full_name", "role", "issuer", "external")),
    *(accounts.c[name] for name in ("created_at", "disabled_at")),
    *_MARKS,
)


class Accounts:
    """The accounts of one site."""

    def __init__(self, records: SiteRecords) -> None:
        self._records, self._throttle = records, Throttle(records)
        self._mine = accounts.c.site == records.site

    def add(
        self,
        name: str,
        full_name: str,
        role: Role,
        password: str | None,
        act: Act,
        *,
        issuer: str | None = None,
        external: str | None = None,
        pin: str | None = None,
    ) -> Account:
        """A new account; without a password, only its issuer lets it in, who calls the person `external`.

        Raises BadAccount, StoreUnavailable.
        """
        if not _NAME.fullmatch(name):
            raise BadAccount("name", "must be 2 to 64 small letters, digits, dots, dashes, underscores and @")
        if (issuer is None) != (external is None) or (password is None and issuer is None):
            raise BadAccount("password", "is needed, or an issuer together with its name for the person")
        row: dict[str, Any] = {"name": name, **_fields(name, full_name, password, pin)}
        row |= {"id": str(uuid.uuid4()), "site": self._records.site, "role": role.value}
        row |= {"issuer": issuer, "external": external, "created_at": act.at}
        with self._records.writing() as writing:
            writing.alone()
            if self._row(writing.connection, accounts.c.name == name) is not None:
                raise BadAccount("name", "is taken")
            vouched = (accounts.c.issuer == issuer) & (accounts.c.external == external)
            if issuer is not None and self._row(writing.connection, vouched) is not None:
                raise BadAccount("external", "is another account's")
            writing.connection.execute(insert(accounts).values(row))
            details = {"name": name, "full_name": full_name, "role": role.value}
            writing.enter(act, Event.ACCOUNT_ADDED, f"user:{name}", details)
        return self.by_id(row["id"])

    def change(
        self,
        name: str,
        act: Act,
        *,
        full_name: str | None = None,
        role: Role | None = None,
        password: str | None = None,
        pin: str | None = None,
        disabled: bool | None = None,
        keep_an_admin: bool = False,
    ) -> Account:
        """Change what is given. A new password, and disabling, end all sessions of the account.

        Raises NoSuchAccount, BadAccount, StoreUnavailable, and LastAdmin where one is to be kept.
        """
        values: dict[str, Any] = _fields(name, full_name, password, pin)
        if role is not None:
            values["role"] = role.value
        with self._records.writing() as writing:
            writing.alone()
            before = account_of(self._existing(writing.connection, accounts.c.name == name))
            if disabled is not None and disabled != (before.disabled_at is not None):
                values["disabled_at"] = act.at if disabled else None
            changed = _changed(before, values)
            if not changed:
                writing.wrote_nothing = True
                return before
            found = (self._mine, accounts.c.id == before.id)
            writing.connection.execute(update(accounts).where(*found).values(values))
            if keep_an_admin:
                self._check_admin_left(writing.connection, before)
            if "password" in values or values.get("disabled_at") is not None:
                writing.connection.execute(delete(sessions).where(sessions.c.account == before.id))
            writing.enter(act, Event.ACCOUNT_CHANGED, before.actor, changed)
        return self.by_id(before.id)

    def all(self) -> list[Account]:
        """Every account, by name. Raises StoreUnavailable."""
        wanted = select(*COLUMNS).where(self._mine).order_by(accounts.c.name)
        with self._records.reading() as connection:
            return [account_of(row) for row in connection.execute(wanted)]

    def by_name(self, name: str) -> Account:
        """The account of this name. Raises NoSuchAccount, StoreUnavailable."""
        return self._one(accounts.c.name == name)

    def by_id(self, id: str) -> Account:
        """The account with this id. Raises NoSuchAccount, StoreUnavailable."""
        return self._one(accounts.c.id == id)

    def by_external(self, issuer: str, external: str) -> Account:
        """The account of somebody as an issuer names them. Raises NoSuchAccount, StoreUnavailable."""
        return self._one((accounts.c.issuer == issuer) & (accounts.c.external == external))

    def knows_password(self, account: Account | None, password: str) -> bool:
        """Whether this is the password; the same work where there is no account. Raises StoreUnavailable."""
        return self._knows(account, accounts.c.password, password)

    def knows_secret(self, account: Account, secret: str) -> bool:
        """Whether this is the PIN or the password. Raises StoreUnavailable."""
        could_be_pin = pin_fault(secret) is None
        if could_be_pin and self._knows(account, accounts.c.pin, secret):
            return True
        return self.knows_password(account, secret)

    def sign(self, principal: Principal, secret: str, act: Act) -> None:
        """Return where somebody signed in shows again who they are, by PIN or password.

        Raises WrongSecret, TooManyFailures, NotSignedIn for one who is no person, StoreUnavailable.
        """
        self._shown_again(principal, secret, act, self.knows_secret)

    def confirm(self, principal: Principal, password: str, act: Act) -> None:
        """The same, by password alone. Raises what `sign` raises."""
        self._shown_again(principal, password, act, self.knows_password)

    def _shown_again(
        self, principal: Principal, secret: str, act: Act, knows: Callable[[Account, str], bool]
    ) -> None:
        if principal.account is None:
            raise NotSignedIn
        buckets = [self._throttle.bucket(_WRONG_SIGNATURES, "signature", principal.account)]
        with self._records.reading() as connection:
            self._throttle.check(connection, buckets, act.at)
        known = knows(self.by_id(principal.account), secret)
        with self._records.writing() as writing:
            writing.alone()
            self._throttle.check(writing.connection, buckets, act.at)  # others may have failed meanwhile
            if known:
                self._throttle.succeeded(writing.connection, buckets)
                writing.wrote_nothing = True  # what is signed is entered by whoever asked
                return
            self._throttle.failed(writing.connection, buckets, act.at)
            writing.enter(act, Event.SIGNATURE_FAILED, principal.actor)
        raise WrongSecret

    def _check_admin_left(self, connection: Connection, before: Account) -> None:
        enabled = (accounts.c.role == Role.ADMIN.value, accounts.c.disabled_at.is_(None))
        left = connection.execute(select(func.count()).where(self._mine, *enabled)).scalar_one()
        if before.role is Role.ADMIN and before.disabled_at is None and not left:
            raise LastAdmin

    def _knows(self, account: Account | None, column: Column[str | None], secret: str) -> bool:
        """Whether this is what is kept there; made anew where it was hashed with other parameters."""
        mine = (self._mine, accounts.c.id == (account.id if account is not None else ""))
        with self._records.reading() as connection:
            kept = connection.execute(select(column).where(*mine)).scalar_one_or_none()
        if not verified(kept, secret) or kept is None:
            return False
        if outdated(kept):
            with self._records.noting() as connection:
                renewed = update(accounts).where(*mine, column == kept)
                connection.execute(renewed.values({column: hashed(secret)}))
        return True

    def _one(self, wanted: ColumnElement[bool]) -> Account:
        with self._records.reading() as connection:
            return account_of(self._existing(connection, wanted))

    def _existing(self, connection: Connection, wanted: ColumnElement[bool]) -> Any:
        row = self._row(connection, wanted)
        if row is None:
            raise NoSuchAccount
        return row

    def _row(self, connection: Connection, wanted: ColumnElement[bool]) -> Any:
        return connection.execute(select(*COLUMNS).where(self._mine, wanted)).first()


def account_of(row: Any) -> Account:
    """The account of a row that has COLUMNS."""
    fields = {name: getattr(row, name) for name in Account.__dataclass_fields__}
    flags = {"has_password": bool(row.has_password), "has_pin": bool(row.has_pin)}
    return Account(**{**fields, **flags, "role": Role(row.role)})


def _fields(name: str, full_name: str | None, password: str | None, pin: str | None) -> dict[str, str]:
    """What is given, as it is kept. Raises BadAccount."""
    values = {}
    if full_name is not None:
        if not full_name.strip() or len(full_name) > _LONGEST_FULL_NAME or not full_name.isprintable():
            raise BadAccount("full_name", f"must be 1 to {_LONGEST_FULL_NAME} printable characters")
        values["full_name"] = full_name
    if password is not None:
        if fault := password_fault(password, name):
            raise BadAccount("password", fault)
        values["password"] = hashed(password)
    if pin is not None:
        if fault := pin_fault(pin):
            raise BadAccount("pin", fault)
        values["pin"] = hashed(pin)
    return values


def _changed(before: Account, values: dict[str, Any]) -> dict[str, Any]:
    """What a change changes, as the journal tells it: of a secret, that it is another one."""
    changed: dict[str, Any] = {secret: "changed" for secret in ("password", "pin") if secret in values}
    if "disabled_at" in values:
        changed["disabled"] = values["disabled_at"] is not None
    for field, was in (("full_name", before.full_name), ("role", before.role.value)):
        if field in values and values[field] != was:
            changed[field] = {"from": was, "to": values[field]}
    return changed
