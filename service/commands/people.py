"""`dosegate users`: who may sign in, as what."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from service.access.account import BadAccount, NoSuchAccount
from service.access.accounts import Accounts
from service.access.roles import Role
from service.access.sessions import Sessions
from service.commands.opened import act, opened
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.people import accounts_table
from service.terminal.words import counted

Command = Callable[..., None]

_WORDS = {"full_name": "full name", "pin": "PIN", "external": "external name"}
_ROLE = click.Choice([role.value for role in Role])
_from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)


@click.group(short_help="Say who may sign in.")
def users() -> None:
    """Add, list and change the accounts of people. Every change is in the journal."""


@users.command("add", short_help="Add an account.")
@click.argument("name")
@click.option("--role", type=_ROLE, required=True, help="What the person is here: one role.")
@click.option("--full-name", help="As it is printed on what the person signs; NAME where it is left out.")
@click.option("--issuer", help="Whoever vouches for the person, where sign-in is with an identity provider.")
@click.option("--external", help="The issuer's own name for the person (sub).")
@_from_stdin
def add(name: str, role: str, full_name: str | None, *, password_stdin: bool, **vouched: Any) -> None:
    """Add the account NAME. The password is asked for twice; with --issuer and --external there is none.

    It is good for one thing: to sign in and choose another one, which only the person knows.
    """
    password = None if any(vouched.values()) else _asked("Password", "--password-stdin", password_stdin)
    with _accounts(name) as accounts:
        added = accounts.add(name, full_name or name, Role(role), password, act(), expired=True, **vouched)
    first = ", and has to choose another password then" if added.password_expired else ""
    click.echo(f"{added.name} may sign in as {added.role}{first}.")


@users.command("list")
def list_users() -> None:
    """List the accounts, the disabled ones too."""
    with opened(may_begin=True) as records:
        found = Accounts(records).all()
    standard_output().print(accounts_table(found))


@users.command("disable")
@click.argument("name")
def disable(name: str) -> None:
    """Let NAME in no longer, and end every session of theirs at once."""
    _change(name, "is disabled", disabled=True)


@users.command("enable")
@click.argument("name")
def enable(name: str) -> None:
    """Let NAME in again."""
    _change(name, "is enabled", disabled=False)


@users.command("role")
@click.argument("name")
@click.argument("role", type=_ROLE)
def change_role(name: str, role: str) -> None:
    """Make NAME a nurse, prescriber, pharmacist, auditor or admin; it counts at once."""
    _change(name, f"has the role {role}", role=Role(role))


@users.command("password")
@click.argument("name")
@_from_stdin
def change_password(name: str, *, password_stdin: bool) -> None:
    """Give NAME another password, asked for twice, and end every session of theirs.

    With it NAME can sign in and choose another one, and do nothing else.
    """
    password = _asked("Password", "--password-stdin", password_stdin)
    _change(name, "has another password", password=password, expired=True)


@users.command("pin")
@click.argument("name")
@click.option("--pin-stdin", is_flag=True, help="Read the PIN from the first line of standard input.")
def change_pin(name: str, *, pin_stdin: bool) -> None:
    """Give NAME another PIN, asked for twice: it unlocks and signs. Every session of theirs ends."""
    _change(name, "has another PIN", pin=_asked("PIN", "--pin-stdin", pin_stdin))


@users.command("link", short_help="Let an identity provider vouch for NAME.")
@click.argument("name")
@click.option("--issuer", required=True, help="Whoever vouches for the person: the provider's address.")
@click.option("--external", required=True, help="The issuer's own name for the person (sub).")
def link(name: str, issuer: str, external: str) -> None:
    """Let an identity provider vouch for NAME from now on; every session of theirs ends."""
    with _accounts(name) as accounts:
        accounts.link(name, issuer, external, act())
    click.echo(f"{name} may sign in with {issuer}.")


@users.command("unlink", short_help="Let no identity provider vouch for NAME.")
@click.argument("name")
def unlink(name: str) -> None:
    """Let no identity provider vouch for NAME any longer, who needs a password; every session ends."""
    with _accounts(name) as accounts:
        accounts.link(name, None, None, act())
    click.echo(f"{name} may sign in with the password alone.")


@users.command("sign-out-all", short_help="End every session at once.")
def sign_out_all() -> None:
    """End every session of everybody at once, as after a theft; who had one signs in again."""
    with opened() as records:
        ended = Sessions(records, Accounts(records)).end_all(act())
    click.echo(f"{counted(len(ended), 'person', 'people')} signed out.")


def _change(name: str, said: str, **changes: Any) -> None:
    with _accounts(name) as accounts:
        accounts.change(name, act(), **changes)
    click.echo(f"{name} {said}.")


@contextmanager
def _accounts(name: str) -> Iterator[Accounts]:
    with opened(may_begin=True) as records:
        try:
            yield Accounts(records)
        except NoSuchAccount:
            refuse([f"{name}: no account has this name; dosegate users list names those that there are"])
        except BadAccount as bad:
            refuse([f"{name}: the {_WORDS.get(bad.field, bad.field)} {bad.reason}"])


def _asked(what: str, option: str, from_stdin: bool) -> str:
    """A secret that was typed unseen and repeated, or came on standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        refuse([f"the {what if what == 'PIN' else what.lower()} is asked for on a terminal; or use {option}"])
    typed: str = click.prompt(what, hide_input=True, confirmation_prompt=True)
    return typed
