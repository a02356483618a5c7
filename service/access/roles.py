"""The one table that says which role may do what. What is not in it is refused."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is here. A machine client has no role; its key has scopes."""

    NURSE = "nurse"
    PRESCRIBER = "prescriber"
    PHARMACIST = "pharmacist"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """What may be allowed; also the scopes of an API key. The words are stored: never rename one."""

    KNOWLEDGE_READ = "knowledge:read"
    CHECKLIST_MAKE = "checklist:make"
    CHECKLIST_READ = "checklist:read"
    CHECKLIST_SEARCH = "checklist:search"
    TRACE_READ = "trace:read"
    CHECKLIST_REPLAY = "checklist:replay"
    WARN_ACKNOWLEDGE = "warn:acknowledge"
    BLOCK_OVERRIDE = "block:override"
    DOUBLE_CHECK = "checklist:double_check"
    ATTEST_PERFORMED = "attest:performed"
    ATTEST_REVIEWED = "attest:reviewed"
    OUTCOME_RECORD = "outcome:record"
    DRAFT_KEEP = "draft:keep"
    QUALITY_READ = "quality:read"
    JOURNAL_READ = "journal:read"
    JOURNAL_EXPORT = "journal:export"
    CHECKLIST_EXPORT = "checklist:export"
    ACCOUNTS_MANAGE = "accounts:manage"
    KEYS_MANAGE = "keys:manage"
    METRICS_READ = "metrics:read"
    OWN_ACCOUNT = "account:own"
    EHR_MANAGE = "ehr:manage"
    WEBHOOKS_MANAGE = "webhooks:manage"
    INFUSION_READ = "infusion:read"


_EVERYONE = frozenset(Role)
_CLINICAL = frozenset({Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST})
_READERS = _CLINICAL | {Role.AUDITOR}

ROLES: Mapping[Permission, frozenset[Role]] = {
    Permission.KNOWLEDGE_READ: _EVERYONE,
    Permission.CHECKLIST_MAKE: _CLINICAL,
    Permission.CHECKLIST_READ: _READERS,
    Permission.CHECKLIST_SEARCH: _READERS,
    Permission.TRACE_READ: _READERS,
    Permission.CHECKLIST_REPLAY: frozenset({Role.PHARMACIST, Role.AUDITOR}),
    Permission.WARN_ACKNOWLEDGE: _CLINICAL,
    Permission.BLOCK_OVERRIDE: frozenset({Role.PRESCRIBER}),
    Permission.DOUBLE_CHECK: _CLINICAL,
    Permission.ATTEST_PERFORMED: frozenset({Role.NURSE, Role.PRESCRIBER}),
    Permission.ATTEST_REVIEWED: frozenset({Role.PRESCRIBER, Role.PHARMACIST}),
    Permission.OUTCOME_RECORD: frozenset({Role.NURSE, Role.PRESCRIBER}),
    Permission.DRAFT_KEEP: _CLINICAL,
    Permission.QUALITY_READ: frozenset({Role.PHARMACIST, Role.AUDITOR}),
    Permission.JOURNAL_READ: frozenset({Role.AUDITOR}),
    Permission.JOURNAL_EXPORT: frozenset({Role.AUDITOR}),
    Permission.CHECKLIST_EXPORT: frozenset({Role.AUDITOR}),
    Permission.ACCOUNTS_MANAGE: frozenset({Role.ADMIN}),
    Permission.KEYS_MANAGE: frozenset({Role.ADMIN}),
    Permission.METRICS_READ: frozenset({Role.ADMIN}),
    Permission.OWN_ACCOUNT: _EVERYONE,
    Permission.EHR_MANAGE: frozenset({Role.ADMIN}),
    Permission.WEBHOOKS_MANAGE: frozenset({Role.ADMIN}),
    Permission.INFUSION_READ: _READERS,
}

# What a machine client can never do, whatever its key says: a person signs, and a person looks after people.
FOR_PEOPLE_ONLY = frozenset(
    {
        Permission.WARN_ACKNOWLEDGE,
        Permission.BLOCK_OVERRIDE,
        Permission.DOUBLE_CHECK,
        Permission.ATTEST_PERFORMED,
        Permission.ATTEST_REVIEWED,
        Permission.ACCOUNTS_MANAGE,
        Permission.KEYS_MANAGE,
        Permission.OWN_ACCOUNT,
        Permission.EHR_MANAGE,
    }
)
SCOPES = frozenset(Permission) - FOR_PEOPLE_ONLY


def permissions_of(role: Role) -> frozenset[Permission]:
    """All that a role may do."""
    return frozenset(permission for permission, roles in ROLES.items() if role in roles)
