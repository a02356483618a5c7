"""`dosegate senders`: who may tell us of infusions by webhook."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from service.commands.opened import act, opened
from service.intake.errors import BadInput
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.infusions import senders_table
from service.terminal.webhooks import MINUTE, still_good
from service.webhooks.senders import NoSuchSender, Senders
from service.webhooks.signing import OlderSecretGood


@click.group(short_help="Say who may tell of infusions.")
def senders() -> None:
    """Add, list and revoke those who may tell us of infusions by signed webhooks; give them other secrets."""


@senders.command("add", short_help="Add a sender.")
@click.argument("name")
def add(name: str) -> None:
    """Take messages that NAME signs. Its secret is printed, this once, on standard output."""
    with _senders(name) as known:
        _, secret = known.add(name, act())
    click.echo("Keep this secret; it is not shown again. The sender signs with it.", err=True)
    click.echo(secret)


@senders.command("list")
def list_senders() -> None:
    """List the senders, those revoked too."""
    with opened(may_begin=True) as records:
        found = Senders(records).all()
    standard_output().print(senders_table(found))


@senders.command("rotate", short_help="Give a sender another secret.")
@click.argument("name")
@click.option("--now", "at_once", is_flag=True, help="Where a secret has leaked: older ones stop at once.")
def rotate(name: str, *, at_once: bool) -> None:
    """Give NAME another secret, printed this once on standard output. For 24 hours the one before is good."""
    with _senders(name) as known:
        sender, secret = known.rotate(name, act(), at_once=at_once)
    good = f"good until {sender.older_until:{MINUTE}}" if sender.older_until else "good no more"
    click.echo(f"Keep this secret; it is not shown again. The one before is {good}.", err=True)
    click.echo(secret)


@senders.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Take no more messages of NAME, for good."""
    with _senders(name) as known:
        known.revoke(name, act())
    click.echo(f"{name} is revoked.")


@contextmanager
def _senders(name: str) -> Iterator[Senders]:
    """The senders of the site; a name that cannot be ends the command."""
    with opened(may_begin=True) as records:
        try:
            yield Senders(records)
        except NoSuchSender:
            refuse([f"{name}: no sender has this name; `dosegate senders list` lists them"])
        except OlderSecretGood as older:
            refuse([f"{name}: {still_good(older)}"])
        except BadInput as bad:
            refuse([f"{name}: {each.path} {each.message}" for each in bad.errors])
