"""`dosegate webhooks` and `dosegate deliver`: who is told of events, and telling them."""

import random
import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click

from service.app import now
from service.commands.opened import act, opened, settings
from service.intake.errors import BadInput
from service.intake.values import Refused, read_datetime
from service.outbound.http import Outbound
from service.terminal.console import standard_output
from service.terminal.failures import refuse
from service.terminal.webhooks import MINUTE, deliveries_table, endpoints_list, still_good
from service.terminal.words import counted
from service.webhooks.courier import Courier
from service.webhooks.deliveries import MOST, Deliveries, NoSuchDelivery
from service.webhooks.endpoints import Endpoints, EventType, NoSuchEndpoint
from service.webhooks.outbox import STATES
from service.webhooks.signing import OlderSecretGood

_EVENT = click.Choice([event.value for event in EventType])
_KEEP = "Keep this secret; it is not shown again. It signs every message."


@click.group(short_help="Say who is told of events.")
def webhooks() -> None:
    """Say which endpoints are told of which events by signed webhooks; see what arrived and send it again.

    `dosegate deliver` is what tells them.
    """


@webhooks.command("add", short_help="Add an endpoint.")
@click.argument("url")
@click.option("--event", "events", type=_EVENT, required=True, multiple=True, help="What of; repeat it.")
@click.option("--full", is_flag=True, help="Send results, reasons and outcomes too, not references alone.")
def add(url: str, *, events: tuple[str, ...], full: bool) -> None:
    """Tell the endpoint at URL of what happens from now on, and print its secret, this once."""
    with _endpoints() as known:
        endpoint, secret = known.add(url, events, full=full, act=act())
    click.echo(f"{endpoint.id} is told from now on. {_KEEP}", err=True)
    if settings().public_url is None:
        says = "so that links in messages are paths only: set it where `dosegate deliver` runs"
        click.echo(f"DOSEGATE_PUBLIC_URL is not set, {says}.", err=True)
    click.echo(secret)


@webhooks.command("list")
def list_endpoints() -> None:
    """List the endpoints, with how they fare."""
    with _endpoints() as known:
        found = known.all()
    standard_output().print(endpoints_list(found))


@webhooks.command("change", short_help="Change what an endpoint is told of.")
@click.argument("id", type=click.UUID)
@click.option("--event", "events", type=_EVENT, multiple=True, help="What of from now on; repeat it.")
@click.option("--full/--thin", default=None, help="With results, reasons and outcomes, or references alone.")
def change(id: uuid.UUID, *, events: tuple[str, ...], full: bool | None) -> None:
    """Change what the endpoint ID is told of; what is not given stays."""
    with _endpoints() as known:
        endpoint = known.change(str(id), act(), events=events or None, full=full)
    click.echo(f"{id} is told of {', '.join(endpoint.events)}{', in full' if endpoint.full else ''}.")


@webhooks.command("rotate", short_help="Give an endpoint another secret.")
@click.argument("id", type=click.UUID)
@click.option("--now", "at_once", is_flag=True, help="Where a secret has leaked: older ones stop at once.")
def rotate(id: uuid.UUID, *, at_once: bool) -> None:
    """Give the endpoint ID another secret, printed this once. For 24 hours the one before signs too."""
    with _endpoints() as known:
        endpoint, secret = known.rotate(str(id), act(), at_once=at_once)
    until = f"The one before signs too until {endpoint.older_until:{MINUTE}}." if endpoint.older_until else ""
    click.echo(f"{_KEEP} {until or 'The one before signs no more.'}", err=True)
    click.echo(secret)


@webhooks.command("pause")
@click.argument("id", type=click.UUID)
def pause(id: uuid.UUID) -> None:
    """Send the endpoint ID nothing until it is resumed; what happens meanwhile waits."""
    with _endpoints() as known:
        known.pause(str(id), act())
    click.echo(f"{id} is paused.")


@webhooks.command("resume")
@click.argument("id", type=click.UUID)
def resume(id: uuid.UUID) -> None:
    """Send the endpoint ID what has waited, however it came to be paused."""
    with _endpoints() as known:
        known.resume(str(id), act())
    click.echo(f"{id} is told again.")


@webhooks.command("remove")
@click.argument("id", type=click.UUID)
def remove(id: uuid.UUID) -> None:
    """Send the endpoint ID nothing more; what has waited for it is deleted."""
    with _endpoints() as known:
        known.remove(str(id), act())
    click.echo(f"{id} is removed.")


@webhooks.command("deliveries", short_help="List what was delivered and what was not.")
@click.option("--state", type=click.Choice(STATES), help="Only these; dead is what was given up.")
@click.option("--endpoint", type=click.UUID, help="Only those for this endpoint.")
@click.option("--after", help="Where the page before ended, as it was printed.")
def list_deliveries(state: str | None, endpoint: uuid.UUID | None, after: str | None) -> None:
    """List deliveries in the order of their events, page by page. None names a patient."""
    given = {"state": state, "endpoint": str(endpoint) if endpoint else None}
    wanted = {name: value for name, value in given.items() if value is not None}
    with opened() as records, _refusing():
        page = Deliveries(records).page(wanted, after, MOST)
    standard_output().print(deliveries_table(page.deliveries))
    if page.after is not None:
        click.echo(f"There are more: --after {page.after}", err=True)


@webhooks.command("replay", short_help="Send messages again.")
@click.argument("message", type=click.UUID, required=False)
@click.option(
    "--since", metavar="TIME", help="All that were given up then or later; with an offset from UTC."
)
@click.option("--endpoint", type=click.UUID, help="With --since: only those for this endpoint.")
def replay(message: uuid.UUID | None, since: str | None, endpoint: uuid.UUID | None) -> None:
    """Send MESSAGE again, or now where it waits, or all that were given up --since a time.

    They keep their ids and their order.
    """
    if (message is None) == (since is None) or (message is not None and endpoint is not None):
        refuse(["give either a MESSAGE, or --since and perhaps --endpoint"])
    with opened() as records, _refusing():
        found = Deliveries(records)
        if message is not None:
            count = found.replay(str(message), act())
        else:
            count = found.replay_dead(_moment(since or ""), act(), str(endpoint) if endpoint else None)
    click.echo(f"{counted(count, 'delivery', 'deliveries')} due now.")


@click.command(short_help="Tell endpoints of events.")
@click.option("--once", is_flag=True, help="Send what is due now, and end.")
def deliver(*, once: bool) -> None:
    """Send events to the endpoints that `dosegate webhooks` names, until told to stop (SIGTERM).

    What does not arrive is sent again for 72 hours. Several of these can run at once, on several machines.
    """
    here, stop = settings(), threading.Event()
    with opened() as records:
        outbound = Outbound(here.private_hosts)
        courier = Courier(records, outbound, here.public_url, now, random.random)
        if once:
            courier.drain()
        else:
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, lambda *_: stop.set())
            click.echo(f"Delivering for the site {records.site}.")
            courier.run(stop)
    click.echo(f"{courier.delivered} arrived, {courier.failed} did not.")


@contextmanager
def _endpoints() -> Iterator[Endpoints]:
    """The endpoints of the site; what is wrong ends the command, with one line for each thing."""
    with opened() as records, _refusing():
        yield Endpoints(records, Outbound(settings().private_hosts))


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except NoSuchEndpoint:
        refuse(["no endpoint has this id; `dosegate webhooks list` lists them"])
    except OlderSecretGood as older:
        refuse([still_good(older)])
    except NoSuchDelivery:
        refuse(["no such message waits, arrived or was given up; `dosegate webhooks deliveries` lists them"])
    except BadInput as bad:
        refuse([f"{each.path}: {each.message}" for each in bad.errors])


def _moment(given: str) -> datetime:
    try:
        return read_datetime(given)
    except Refused as refused:
        refuse([f"--since {refused.message}"])
