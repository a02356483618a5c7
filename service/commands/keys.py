"""`dosegate keys` and `dosegate roles`: what machine clients may do, and what people may."""

import json
from datetime import timedelta

import click

from service.access.keys import LONGEST, ApiKeys, BadKey
from service.access.roles import ROLES, SCOPES, Permission
from service.commands.opened import act, opened
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.people import keys_table, roles_table

_SCOPE = click.Choice(sorted(scope.value for scope in SCOPES))


@click.group(short_help="Let machine clients in.")
def keys() -> None:
    """Make, list and revoke the API keys of machine clients."""


@keys.command("add", short_help="Make a key.")
@click.argument("name")
@click.option(
    "--scope", "scopes", type=_SCOPE, required=True, multiple=True, help="What it may do; repeat it."
)
@click.option("--days", type=click.IntRange(1, LONGEST.days), default=365, show_default=True)
def add(name: str, *, scopes: tuple[str, ...], days: int) -> None:
    """Make a key for the machine client NAME, and print its token, this once, on standard output."""
    with opened(may_begin=True) as records:
        wanted = [Permission(scope) for scope in scopes]
        try:
            key, token = ApiKeys(records).make(name, wanted, timedelta(days=days), act())
        except BadKey as bad:
            refuse([f"{name}: {bad}"])
    click.echo(
        f"Keep this token; it is not shown again. It is good until {key.expires_at:%Y-%m-%d}.", err=True
    )
    click.echo(token)


@keys.command("list")
def list_keys() -> None:
    """List the keys, those that expired or were revoked too."""
    with opened(may_begin=True) as records:
        found = ApiKeys(records).all()
    standard_output().print(keys_table(found))


@keys.command("revoke")
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Take the key back that has this PREFIX, for good."""
    with opened(may_begin=True) as records:
        try:
            key = ApiKeys(records).revoke(prefix, act())
        except BadKey as bad:
            refuse([str(bad)])
    click.echo(f"{key.prefix} ({key.name}) is revoked.")


@click.command(short_help="Print who may do what.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def roles(*, as_json: bool) -> None:
    """Print which role may do what, and which of it an API key can be made for. All else is refused."""
    if as_json:
        table = {
            permission.value: {"roles": sorted(allowed), "key": permission in SCOPES}
            for permission, allowed in ROLES.items()
        }
        click.echo(json.dumps(table, indent=2))
        return
    standard_output().print(roles_table())
