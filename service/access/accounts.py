"""The accounts of people: who may sign in, as what, and with which password and PIN."""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, func, insert, select, update

from service.access.account import (
    COLUMNS,
    NAME,
    Account,
    BadAccount,
    NoSuchAccount,
    account_of,
    changed,
    checked,
    vouched,
)
from service.access.passwords import hashed, outdated, pin_fault, verified
from service.access.principal import NotSignedIn, Principal
from service.access.roles import Role
from service.access.throttle import Throttle
from service.records.journal import Act, Event
from service.records.site import SiteRecords, Writing
from service.records.tables import accounts, sessions

_WRONG_SIGNATURES = 5


class WrongSecret(Exception):
    """Neither the PIN nor the password of the account."""


class LastAdmin(Exception):
    """There would be no administrator left who could sign in."""


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
        expired: bool = False,
    ) -> Account:
        """A new account; without a password, only its issuer lets it in, who calls the person `external`.

        With an `expired` password its owner can only choose another one. Raises BadAccount, StoreUnavailable.
        """
        if not NAME.fullmatch(name):
            raise BadAccount("name", "must be 2 to 64 small letters, digits, dots, dashes, underscores and @")
        if (issuer is None) != (external is None) or (password is None and issuer is None):
            raise BadAccount("password", "is needed, or an issuer together with its name for the person")
        row: dict[str, Any] = {"name": name, **checked(name, full_name, password, pin)}
        row |= {"id": str(uuid.uuid4()), "site": self._records.site, "role": role.value}
        row |= {**vouched(issuer, external), "created_at": act.at}
        row["password_expired"] = expired and password is not None
        with self._records.writing() as writing:
            writing.alone()
            if self._row(writing.connection, accounts.c.name == name) is not None:
                raise BadAccount("name", "is taken")
            self._check_free(writing.connection, issuer, external)
            writing.connection.execute(insert(accounts).values(row))
            told = ("name", "full_name", "role", "issuer", "external")
            details = {field: row[field] for field in told if row[field] is not None}
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
        expired: bool = False,
        keep_an_admin: bool = False,
    ) -> Account:
        """Change what is given; a password may be `expired` at once.

        A new password, a PIN that somebody else sets, and disabling end all sessions of the account.

        Raises NoSuchAccount, BadAccount, StoreUnavailable, and LastAdmin where one is to be kept.
        """
        values: dict[str, Any] = checked(name, full_name, password, pin)
        if role is not None:
            values["role"] = role.value
        if password is not None:
            values["password_expired"] = expired
        with self._records.writing() as writing:
            writing.alone()
            before = self._named(writing.connection, name)
            if disabled is not None and disabled != (before.disabled_at is not None):
                values["disabled_at"] = act.at if disabled else None
            shut = "password" in values or values.get("disabled_at") is not None
            shut = shut or ("pin" in values and act.actor != before.actor)
            self._write(writing, before, values, act, shut=shut)
            if keep_an_admin:
                self._check_admin_left(writing.connection, before)
        return self.by_id(before.id)

    def link(self, name: str, issuer: str | None, external: str | None, act: Act) -> Account:
        """Let an issuer vouch for somebody from now on, or with None nobody; all their sessions end.

        Raises NoSuchAccount, BadAccount, StoreUnavailable.
        """
        values = vouched(issuer, external)
        with self._records.writing() as writing:
            writing.alone()
            before = self._named(writing.connection, name)
            if issuer is None and not before.has_password:
                raise BadAccount(
                    "password", "is needed first: without it, only the issuer lets the account in"
                )
            if (issuer, external) != (before.issuer, before.external):
                self._check_free(writing.connection, issuer, external)
            self._write(writing, before, values, act, shut=True)
        return self.by_id(before.id)

    def _write(
        self, writing: Writing, before: Account, values: dict[str, Any], act: Act, *, shut: bool
    ) -> None:
        """Change an account and enter it; `shut` ends its sessions."""
        told = changed(before, values)
        if not told:
            writing.wrote_nothing = True
            return
        mine = (self._mine, accounts.c.id == before.id)
        writing.connection.execute(update(accounts).where(*mine).values(values))
        if shut:
            writing.connection.execute(delete(sessions).where(sessions.c.account == before.id))
        writing.enter(act, Event.ACCOUNT_CHANGED, before.actor, told)

    def _check_free(self, connection: Connection, issuer: str | None, external: str | None) -> None:
        if issuer is None:
            return
        if (
            self._row(connection, (accounts.c.issuer == issuer) & (accounts.c.external == external))
            is not None
        ):
            raise BadAccount("external", "is another account's")

    def all(self) -> list[Account]:
        """Every account, by name. Raises StoreUnavailable."""
        wanted = select(*COLUMNS).where(self._mine).order_by(accounts.c.name)
        with self._records.reading() as connection:
            return [account_of(row) for row in connection.execute(wanted)]

    def by_name(self, name: str) -> Account:
        """The account of this name. Raises NoSuchAccount, StoreUnavailable."""
        with self._records.reading() as connection:
            return self._named(connection, name)

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

    def _named(self, connection: Connection, name: str) -> Account:
        if not NAME.fullmatch(name):  # none can have it; and not every database takes every text
            raise NoSuchAccount
        return account_of(self._existing(connection, accounts.c.name == name))

    def _existing(self, connection: Connection, wanted: ColumnElement[bool]) -> Any:
        row = self._row(connection, wanted)
        if row is None:
            raise NoSuchAccount
        return row

    def _row(self, connection: Connection, wanted: ColumnElement[bool]) -> Any:
        return connection.execute(select(*COLUMNS).where(self._mine, wanted)).first()
