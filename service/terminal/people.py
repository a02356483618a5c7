"""Accounts, keys, and who may do what, as tables."""

from collections.abc import Iterable
from datetime import datetime

from service.access.account import Account
from service.access.keys import ApiKey
from service.access.roles import ROLES, SCOPES, Role
from service.terminal.console import Indented
from service.terminal.failures import clean
from service.terminal.tables import plain_table

_YES, _NO = "yes", "-"


def roles_table() -> Indented:
    """Every permission, and the roles that have it; the last column: whether a key can have it."""
    table = plain_table("May", *(role.value for role in Role), "API key")
    for permission, allowed in ROLES.items():
        cells = [role in allowed for role in Role] + [permission in SCOPES]
        table.add_row(permission.value, *(_YES if cell else _NO for cell in cells))
    return Indented(table)


def accounts_table(accounts: Iterable[Account]) -> Indented:
    """Every account, with how it signs in."""
    table = plain_table("Account", "Full name", "Role", "Signs in with", "PIN", "State")
    for each in accounts:
        table.add_row(
            each.name,
            clean(each.full_name),
            each.role.value,
            "password" if each.has_password else clean(each.issuer or _NO),
            _YES if each.has_pin else _NO,
            f"disabled {_day(each.disabled_at)}" if each.disabled_at else "enabled",
        )
    return Indented(table)


def keys_table(keys: Iterable[ApiKey]) -> Indented:
    """Every key, with what it may do and for how long."""
    table = plain_table("Prefix", "Name", "May", "Made", "Expires", "Last used", "State")
    for each in keys:
        table.add_row(
            each.prefix,
            clean(each.name),
            "\n".join(each.scopes),
            _day(each.created_at),
            _day(each.expires_at),
            _day(each.used_at),
            f"revoked {_day(each.revoked_at)}" if each.revoked_at else "",
        )
    return Indented(table)


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment else _NO
