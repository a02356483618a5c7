"""Accounts, keys and roles, as an administrator reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.access.account import Account
from service.access.keys import ApiKey
from service.access.roles import ROLES, SCOPES, Permission, Role
from service.pages.texts import Later, gettext, lazy_gettext

PERMISSION_WORDS: Mapping[Permission, Later] = {
    Permission.KNOWLEDGE_READ: lazy_gettext("Read the rules of the drugs"),
    Permission.CHECKLIST_MAKE: lazy_gettext("Make a checklist"),
    Permission.CHECKLIST_READ: lazy_gettext("Read a checklist"),
    Permission.CHECKLIST_SEARCH: lazy_gettext("Search for checklists"),
    Permission.TRACE_READ: lazy_gettext("Read how each rule was decided"),
    Permission.CHECKLIST_REPLAY: lazy_gettext("Replay a checklist"),
    Permission.WARN_ACKNOWLEDGE: lazy_gettext("Acknowledge a warning"),
    Permission.BLOCK_OVERRIDE: lazy_gettext("Override a block"),
    Permission.DOUBLE_CHECK: lazy_gettext("Double-check independently"),
    Permission.ATTEST_PERFORMED: lazy_gettext("Sign that a checklist was performed"),
    Permission.ATTEST_REVIEWED: lazy_gettext("Sign that a checklist was reviewed"),
    Permission.OUTCOME_RECORD: lazy_gettext("Record what became of an infusion"),
    Permission.DRAFT_KEEP: lazy_gettext("Fill in a checklist"),
    Permission.QUALITY_READ: lazy_gettext("Read the quality of alerts"),
    Permission.JOURNAL_READ: lazy_gettext("Read the journal"),
    Permission.JOURNAL_EXPORT: lazy_gettext("Export the journal"),
    Permission.CHECKLIST_EXPORT: lazy_gettext("Export checklists"),
    Permission.ACCOUNTS_MANAGE: lazy_gettext("Look after accounts"),
    Permission.KEYS_MANAGE: lazy_gettext("Look after API keys"),
    Permission.METRICS_READ: lazy_gettext("Read the counters of the service"),
    Permission.OWN_ACCOUNT: lazy_gettext("Change the own password and PIN"),
    Permission.EHR_MANAGE: lazy_gettext("Say which EHR is trusted"),
    Permission.WEBHOOKS_MANAGE: lazy_gettext("Look after webhooks"),
    Permission.INFUSION_READ: lazy_gettext("See which infusions are planned"),
}


@dataclass(frozen=True)
class RoleRow:
    """What may be done, by which roles in their order, and whether a key may."""

    text: str
    word: str
    roles: Sequence[bool]
    key: bool


def role_rows() -> list[RoleRow]:
    """The table of who may do what."""
    return [
        RoleRow(
            str(PERMISSION_WORDS[permission]),
            permission.value,
            [role in ROLES[permission] for role in Role],
            permission in SCOPES,
        )
        for permission in Permission
    ]


@dataclass(frozen=True)
class AccountRow:
    """An account as it is listed."""

    name: str
    full_name: str
    role: str
    signs_in: str
    secrets: str
    created: str
    disabled: str | None
    own: bool


def account_row(account: Account, zone: ZoneInfo, own: bool) -> AccountRow:
    """An account; `own` says that it is the account of whoever looks."""
    ways = [gettext("password")] if account.has_password else []
    ways += [account.issuer] if account.issuer is not None else []
    secrets = gettext("PIN set") if account.has_pin else gettext("no PIN yet")
    if account.password_expired:
        secrets += ", " + gettext("has to choose a password")
    disabled = _day(account.disabled_at, zone) if account.disabled_at is not None else None
    created = _day(account.created_at, zone)
    return AccountRow(
        account.name, account.full_name, account.role, ", ".join(ways), secrets, created, disabled, own
    )


@dataclass(frozen=True)
class KeyRow:
    """A key as it is listed; `state` says whether it still lets anybody in."""

    prefix: str
    name: str
    scopes: Sequence[str]
    expires: str
    used: str
    state: str
    good: bool


def key_row(key: ApiKey, zone: ZoneInfo, now: datetime) -> KeyRow:
    """A key."""
    good = key.revoked_at is None and key.expires_at > now
    if key.revoked_at is not None:
        state = gettext("Revoked on %(day)s", day=_day(key.revoked_at, zone))
    else:
        state = gettext("Valid") if good else gettext("Expired")
    used = _day(key.used_at, zone) if key.used_at is not None else gettext("never")
    words = [str(PERMISSION_WORDS[Permission(scope)]) for scope in key.scopes]
    return KeyRow(key.prefix, key.name, words, _day(key.expires_at, zone), used, state, good)


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d")
