"""For administrators: the accounts of people, and the keys of machine clients. Each change is signed."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.account import Account
from service.access.keys import ApiKey, NoSuchKey
from service.access.roles import SCOPES, Permission, Role
from service.pages.navigation import ROLE_WORDS
from service.pages.presenters.people import PERMISSION_WORDS, AccountRow, KeyRow, account_row, key_row
from service.pages.presenters.refusals import NOTHING, REFUSALS, Refused, not_given, refused
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.web.parts import act, parts, principal
from service.web.people import change_account

section = Section()
Done = TypeVar("Done")
Answer = Response | Redirect


@section.page("/accounts", needs=Permission.ACCOUNTS_MANAGE)
def accounts() -> Response:
    """Every account, and a form for a new one."""
    return _accounts(NOTHING)


@section.page("/accounts", needs=Permission.ACCOUNTS_MANAGE, method="POST")
def add_account() -> Answer:
    """Add an account. Its owner has to choose another password, and sets the PIN."""
    form = request.form

    def add() -> Account:
        return parts().accounts.add(
            form["name"],
            form["full_name"],
            Role(form["role"]),
            form.get("password") or None,
            act(),
            issuer=form.get("issuer") or None,
            external=form.get("external") or None,
            expired=True,
        )

    added = _signed(add, "name", "full_name", "role")
    if isinstance(added, Refused):
        return _accounts(added)
    return redirect(url_for("pages.account", name=added.name, done="added"), 303)


def _accounts(fault: Refused) -> Response:
    listed = [_row(account) for account in parts().accounts.all()]
    return page(
        "administration/accounts.html",
        code=fault.code,
        rows=listed,
        refused=fault,
        typed=request.form,
        role_choices=_roles(),
    )


@section.page("/accounts/<name>", needs=Permission.ACCOUNTS_MANAGE)
def account(name: str) -> Response:
    """One account, and what can be changed of it."""
    return _account(name, NOTHING, "", request.args.get("done"))


# The changes that there is a form for: what each needs beside the signature, and what it gives.
_CHANGES: dict[str, tuple[tuple[str, ...], Callable[[], dict[str, object]]]] = {
    "full_name": (("full_name",), lambda: {"full_name": request.form["full_name"]}),
    "role": (("role",), lambda: {"role": Role(request.form["role"])}),
    "password": (("password",), lambda: {"password": request.form["password"]}),
    "disable": ((), lambda: {"disabled": True}),
    "enable": ((), lambda: {"disabled": False}),
}


@section.page("/accounts/<name>", needs=Permission.ACCOUNTS_MANAGE, method="POST")
def change_of_account(name: str) -> Answer:
    """Change an account: one thing at a time, each signed."""
    change = request.form.get("change", "")
    if change not in _CHANGES:
        return redirect(url_for("pages.account", name=name), 303)
    needed, given = _CHANGES[change]
    changed = _signed(lambda: change_account(name, given()), *needed)
    if isinstance(changed, Refused):
        return _account(name, changed, change, None)
    return redirect(url_for("pages.account", name=name, done="changed"), 303)


def _account(name: str, fault: Refused, change: str, done: str | None) -> Response:
    """Raises NoSuchAccount."""
    said = {
        "added": gettext("Added. Its owner signs in, chooses another password and sets a PIN."),
        "changed": gettext("Changed."),
    }
    return page(
        "administration/account.html",
        code=fault.code,
        row=_row(parts().accounts.by_name(name)),
        refused=fault,
        change=change,
        done=said.get(done or ""),
        role_choices=_roles(),
        nothing=NOTHING,
    )


@section.page("/keys", needs=Permission.KEYS_MANAGE)
def api_keys() -> Response:
    """Every key, and a form for a new one."""
    return _keys(NOTHING)


@section.page("/keys", needs=Permission.KEYS_MANAGE, method="POST")
def make_api_key() -> Response:
    """Make a key; its token is shown this once."""
    form = request.form

    def make() -> tuple[ApiKey, str]:
        scopes = [Permission(scope) for scope in form.getlist("scopes") if scope in SCOPES]
        return parts().keys.make(form["name"], scopes, _days(form["days"]), act())

    made = _signed(make, "name", "days", "scopes")
    if isinstance(made, Refused):
        return _keys(made)
    key, token = made
    return page("administration/key_made.html", row=_key(key), token=token)


def _days(typed: str) -> timedelta:
    """How long a key is to be valid; what is no number of days is none, and is refused like that."""
    is_number = re.fullmatch("[0-9]{1,4}", typed.strip())
    return timedelta(days=int(typed) if is_number else 0)


def _keys(fault: Refused) -> Response:
    listed = [_key(key) for key in parts().keys.all()]
    scopes = [(each.value, str(words)) for each, words in PERMISSION_WORDS.items() if each in SCOPES]
    chosen = request.form.getlist("scopes")
    return page(
        "administration/keys.html",
        code=fault.code,
        rows=listed,
        refused=fault,
        typed=request.form,
        scopes=scopes,
        chosen=chosen,
    )


@section.page("/keys/<prefix>", needs=Permission.KEYS_MANAGE)
def api_key(prefix: str) -> Response:
    """One key, and the form that revokes it."""
    return _one_key(prefix, NOTHING)


@section.page("/keys/<prefix>/revoke", needs=Permission.KEYS_MANAGE, method="POST")
def revoke_api_key(prefix: str) -> Answer:
    """Revoke a key, for good."""
    revoked = _signed(lambda: parts().keys.revoke(prefix, act()))
    if isinstance(revoked, Refused):
        return _one_key(prefix, revoked)
    return redirect(url_for("pages.api_key", prefix=prefix), 303)


def _one_key(prefix: str, fault: Refused) -> Response:
    """Raises NoSuchKey."""
    found = [key for key in parts().keys.all() if key.prefix == prefix]
    if not found:
        raise NoSuchKey
    return page("administration/key.html", code=fault.code, row=_key(found[0]), refused=fault)


def _signed(change: Callable[[], Done], *needed: str) -> Done | Refused:
    """Do what somebody has signed by PIN or password, or say why not."""
    if (empty := not_given(request.form, *needed, "secret")) is not None:
        return empty
    if request.form.get("role", Role.NURSE) not in set(Role):
        return Refused({"role": gettext("Choose a role")})
    try:
        parts().accounts.sign(principal(), request.form["secret"], act())
        return change()
    except REFUSALS as error:
        return refused(error)


def _roles() -> list[tuple[str, str]]:
    return [(role.value, str(ROLE_WORDS[role])) for role in Role]


def _row(account: Account) -> AccountRow:
    return account_row(account, parts().time_zone, account.id == principal().account)


def _key(key: ApiKey) -> KeyRow:
    return key_row(key, parts().time_zone, parts().clock())
