"""For administrators: the accounts of people, and the keys of machine clients."""

from datetime import timedelta
from typing import Any

from flask import Response

from service.access.account import Account
from service.access.keys import ApiKey
from service.access.roles import Permission, Role
from service.api.documentation import Answers, Section, takes
from service.api.people_schemas import (
    AccountChangeSchema,
    AccountSchema,
    AccountsSchema,
    KeyMadeSchema,
    KeysSchema,
    NewAccountSchema,
    NewKeySchema,
    SignedSchema,
)
from service.api.signed import SIGNED_PROBLEMS, signed_document
from service.records.tables import moment_text
from service.web import people
from service.web.parts import act, parts
from service.web.responses import as_json

section = Section("people", __doc__, "/api/v1")


@section.endpoint(
    "/accounts", Answers(200, "Every account, by name.", AccountsSchema), needs=Permission.ACCOUNTS_MANAGE
)
def list_accounts() -> Response:
    """List the accounts, the disabled ones too."""
    return as_json({"accounts": [_account(account) for account in parts().accounts.all()]})


@section.endpoint(
    "/accounts",
    Answers(201, "The account.", AccountSchema),
    needs=Permission.ACCOUNTS_MANAGE,
    problems=SIGNED_PROBLEMS,
    method="POST",
    requestBody=takes(NewAccountSchema),
)
def add_account() -> Response:
    """Add an account of one role. Its owner sets the PIN, after signing in."""
    given = signed_document(NewAccountSchema())
    given = {"password": None, **given, "role": Role(given["role"])}
    return _answer(_account(parts().accounts.add(**given, expired=True, act=act())), 201)


@section.endpoint(
    "/accounts/<name>",
    Answers(200, "The account as it is now.", AccountSchema),
    needs=Permission.ACCOUNTS_MANAGE,
    problems=(*SIGNED_PROBLEMS, 404, 409),
    method="PATCH",
    requestBody=takes(AccountChangeSchema),
)
def change_account(name: str) -> Response:
    """Change an account: its role, full name or password; disable it, or enable it again.

    A new password, and disabling, end all its sessions. Of one's own account only the full name is changed
    here. The last administrator who can sign in stays one.
    """
    given = signed_document(AccountChangeSchema())
    if "role" in given:
        given["role"] = Role(given["role"])
    return as_json(_account(people.change_account(name, given)))


@section.endpoint(
    "/keys", Answers(200, "Every key, never its secret.", KeysSchema), needs=Permission.KEYS_MANAGE
)
def list_keys() -> Response:
    """List the API keys, those that expired or were revoked too."""
    return as_json({"keys": [_key(key) for key in parts().keys.all()]})


@section.endpoint(
    "/keys",
    Answers(201, "The key, and its token, shown this once.", KeyMadeSchema),
    needs=Permission.KEYS_MANAGE,
    problems=SIGNED_PROBLEMS,
    method="POST",
    requestBody=takes(NewKeySchema),
)
def make_key() -> Response:
    """Make a key for a machine client.

    Any scope may be given, also one that reads patient data, which an administrator may not: whoever makes a
    key vouches for the machine that gets it. The journal says who made which key, and what is done with it.
    """
    given = signed_document(NewKeySchema())
    scopes = [Permission(scope) for scope in given["scopes"]]
    key, token = parts().keys.make(given["name"], scopes, timedelta(days=given["days"]), act())
    return _answer({**_key(key), "token": token}, 201)


@section.endpoint(
    "/keys/<prefix>/revoke",
    Answers(204, "Revoked."),
    needs=Permission.KEYS_MANAGE,
    problems=(*SIGNED_PROBLEMS, 404),
    method="POST",
    requestBody=takes(SignedSchema),
)
def revoke_key(prefix: str) -> Response:
    """Revoke a key, for good."""
    signed_document(SignedSchema())
    parts().keys.revoke(prefix, act())
    return Response(status=204)


def _answer(document: dict[str, Any], status: int) -> Response:
    response = as_json(document)
    response.status_code = status
    return response


def _account(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "full_name": account.full_name,
        "role": account.role.value,
        "has_password": account.has_password,
        "has_pin": account.has_pin,
        "issuer": account.issuer,
        "external": account.external,
        "created_at": moment_text(account.created_at),
        "disabled_at": moment_text(account.disabled_at) if account.disabled_at else None,
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": moment_text(key.created_at),
        "expires_at": moment_text(key.expires_at),
        "used_at": moment_text(key.used_at) if key.used_at else None,
        "revoked_at": moment_text(key.revoked_at) if key.revoked_at else None,
    }
