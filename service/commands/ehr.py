"""`dosegate ehr`: which EHRs are believed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import click

from service.commands.opened import act, opened, settings
from service.ehr.clients import EhrClients, NoSuchEhrClient
from service.ehr.registering import NewEhrClient
from service.intake.errors import BadInput
from service.outbound.http import Outbound
from service.terminal.console import standard_output
from service.terminal.ehr import ehr_clients_list
from service.terminal.failures import refuse

_MOST_BYTES = 256 * 1024


@click.group(short_help="Let EHRs call.")
def ehr() -> None:
    """Register EHRs, so that their signed calls of CDS Hooks are believed; list and revoke them."""


@ehr.command("add", short_help="Register an EHR.")
@click.argument("name")
@click.option("--issuer", required=True, help="The iss of its tokens, exactly.")
@click.option("--jwks-url", metavar="URL", help="Where its public keys are, by https.")
@click.option(
    "--jwks", metavar="FILE", type=click.File("rb"), help="Its public keys, where they have no address."
)
@click.option("--tenant", "tenants", multiple=True, help="A tenant to believe; repeat it. None: all.")
@click.option(
    "--fhir-server", "fhir_servers", metavar="URL", multiple=True, help="Where its tokens are used."
)
@click.option("--origin", "origins", multiple=True, help="An origin of its pages in a browser; repeat it.")
def add(name: str, jwks: BinaryIO | None, **given: Any) -> None:
    """Believe the calls that the EHR NAME signs. Its keys are at --jwks-url, or in the file --jwks."""
    if (jwks is None) == (given["jwks_url"] is None):
        refuse(["give --jwks-url, where its public keys are, or --jwks, a file of them, and not both"])
    wanted = NewEhrClient(name=name, jwks=_document(jwks) if jwks else None, **given)
    with _clients() as clients:
        client = clients.add(wanted, act())
    click.echo(f"{client.principal.actor} is believed from now on.")


@ehr.command("list")
def list_clients() -> None:
    """List the EHRs, those revoked too."""
    with _clients() as clients:
        found = clients.all()
    standard_output().print(ehr_clients_list(found))


@ehr.command("revoke")
@click.argument("name")
def revoke(name: str) -> None:
    """Believe the EHR NAME no more, for good."""
    with _clients() as clients:
        try:
            clients.revoke(name, act())
        except NoSuchEhrClient:
            refuse([f"{name}: no EHR is registered under this name; `dosegate ehr list` lists them"])
    click.echo(f"{name} is revoked.")


@contextmanager
def _clients() -> Iterator[EhrClients]:
    """The EHRs of the site; what is wrong with a field ends the command, with one line for each."""
    with opened(may_begin=True) as records:
        try:
            yield EhrClients(records, Outbound(settings().private_hosts))
        except BadInput as bad:
            refuse([f"{each.path} {each.message}" for each in bad.errors])


def _document(file: BinaryIO) -> Any:
    """What a file holds as JSON; what is none is refused as no JWK set."""
    try:
        return json.loads(file.read(_MOST_BYTES))
    except (ValueError, RecursionError):
        refuse(["--jwks: what it names is not JSON"])
