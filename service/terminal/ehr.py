"""The EHRs that are registered, as a list: their addresses are too long for a table."""

from collections.abc import Iterable

from rich.console import Group
from rich.text import Text

from service.ehr.clients import EhrClient
from service.terminal.console import Indented
from service.terminal.failures import clean
from service.terminal.tables import plain_table


def ehr_clients_list(clients: Iterable[EhrClient]) -> Group:
    """Every EHR, with what is believed and used of it."""
    return Group(*(part for client in clients for part in _client(client)))


def _client(client: EhrClient) -> tuple[Text, Indented]:
    state = f"revoked {client.revoked_at:%Y-%m-%d}" if client.revoked_at else "believed"
    heading = Text(f"{clean(client.name)}: {state}, added {client.created_at:%Y-%m-%d}", "bold")
    table = plain_table()
    for name, value in (
        ("issuer", client.issuer),
        ("keys", client.jwks_url or _kids(client)),
        ("tenants", "\n".join(client.tenants) or "all"),
        ("FHIR servers", "\n".join(client.fhir_servers) or "none"),
        ("origins", "\n".join(client.origins) or "none"),
    ):
        table.add_row(name, "\n".join(map(clean, value.split("\n"))))
    return heading, Indented(table, 2)


def _kids(client: EhrClient) -> str:
    keys = (client.jwks or {}).get("keys", ())
    return "\n".join(f"{key['kid']} ({key['alg']}), given by hand" for key in keys)
