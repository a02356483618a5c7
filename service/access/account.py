"""One account: what is kept of a person, what may be kept, and how the journal tells of a change."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.access.passwords import hashed, password_fault, pin_fault
from service.access.principal import Principal
from service.access.roles import Role, permissions_of
from service.records.tables import accounts

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_VOUCHED = re.compile(r"[ -~]{1,255}")  # as OpenID Connect has the names of people
_LONGEST_FULL_NAME = 200


class NoSuchAccount(Exception):
    """No account here has this name or id."""


@dataclass(eq=False)
class BadAccount(Exception):
    """An account cannot be as it was asked for: the field, and what is wrong with it."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field} {self.reason}"


@dataclass(frozen=True)
class Account:
    """An account as others see it: never its secrets. `disabled_at` is None where it may sign in.

    `issuer` and `external` are who vouches for the person, and as whom, where sign-in is with them.
    `password_expired` is true where somebody else has set the password: its owner must choose another one.
    """

    id: str
    name: str
    full_name: str
    role: Role
    has_password: bool
    has_pin: bool
    password_expired: bool
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
        may = permissions_of(self.role)
        return Principal(self.actor, self.role.value, self.full_name, may, self.id, self.password_expired)


_MARKS = (
    accounts.c.password.is_not(None).label("has_password"),
    accounts.c.pin.is_not(None).label("has_pin"),
)
COLUMNS = (
    *(accounts.c[name] for name in ("id", "name", "full_name", "role", "issuer", "external")),
    *(accounts.c[name] for name in ("password_expired", "created_at", "disabled_at")),
    *_MARKS,
)


def account_of(row: Any) -> Account:
    """The account of a row that has COLUMNS."""
    fields = {name: getattr(row, name) for name in Account.__dataclass_fields__}
    flags = {"has_password": bool(row.has_password), "has_pin": bool(row.has_pin)}
    return Account(**{**fields, **flags, "role": Role(row.role)})


def checked(name: str, full_name: str | None, password: str | None, pin: str | None) -> dict[str, str]:
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


def vouched(issuer: str | None, external: str | None) -> dict[str, str | None]:
    """Who vouches for somebody, as it is kept. Raises BadAccount."""
    if (issuer is None) != (external is None):
        raise BadAccount("external", "and the issuer are given together")
    values = {"issuer": issuer, "external": external}
    for field, value in values.items():
        if value is not None and not _VOUCHED.fullmatch(value):
            raise BadAccount(field, "must be 1 to 255 printable ASCII characters")
    return values


def changed(before: Account, values: Mapping[str, Any]) -> dict[str, Any]:
    """What a change changes, as the journal tells it: of a secret, that it is another one."""
    told: dict[str, Any] = {secret: "changed" for secret in ("password", "pin") if secret in values}
    if "disabled_at" in values:
        told["disabled"] = values["disabled_at"] is not None
    for field in ("full_name", "role", "issuer", "external"):
        was = getattr(before, field)
        if field in values and values[field] != was:
            both = {"from": was, "to": values[field]}
            told[field] = {key: value for key, value in both.items() if value is not None}
    return told
