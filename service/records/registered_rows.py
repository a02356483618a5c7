"""All who are let in, believed or told, as they are kept, so far as the journal tells of them.

Of a secret there is its digest alone.
"""

from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, case, cast, select

from service.records.raw import parsed, raw
from service.records.registered import (
    ACCOUNT,
    EHR_CLIENT,
    ENDPOINT,
    KEY,
    SENDER,
    origin_of,
    secret_digest,
    url_digest,
)
from service.records.tables import accounts, api_keys, ehr_clients, endpoints, senders

Document = dict[str, Any]


def registered(connection: Connection, site: str) -> dict[str, list[Document]]:
    """The rows of a site, by what they are of, each with its id: of an account that is its name."""
    return {
        ACCOUNT: _accounts(connection, site),
        KEY: _api_keys(connection, site),
        EHR_CLIENT: _ehr_clients(connection, site),
        ENDPOINT: _endpoints(connection, site),
        SENDER: _senders(connection, site),
    }


def _accounts(connection: Connection, site: str) -> list[Document]:
    told = (accounts.c[name] for name in ("full_name", "role", "issuer", "external"))
    state = _state(accounts.c.disabled_at, "disabled", otherwise="enabled")
    wanted = select(accounts.c.name.label("id"), *told, state).where(accounts.c.site == site)
    return [{**row._mapping} for row in connection.execute(wanted.order_by(accounts.c.name))]


def _api_keys(connection: Connection, site: str) -> list[Document]:
    state = _state(api_keys.c.revoked_at, "revoked")
    rows = _rows(connection, site, api_keys, ("prefix", "name", "scopes"), state)
    return [{**row, "scopes": parsed(row["scopes"])} for row in rows]


def _ehr_clients(connection: Connection, site: str) -> list[Document]:
    documents = ("jwks", "tenants", "fhir_servers", "origins")
    state = _state(ehr_clients.c.revoked_at, "revoked")
    rows = _rows(connection, site, ehr_clients, ("name", "issuer", "jwks_url", *documents), state)
    return [{**row, **{name: parsed(row[name]) for name in documents}} for row in rows]


def _endpoints(connection: Connection, site: str) -> list[Document]:
    paused = (endpoints.c.paused_at.is_not(None), "paused")
    state = case((endpoints.c.removed_at.is_not(None), "removed"), paused, else_="active").label("state")
    full = (cast(endpoints.c.full, Integer) != 0).label("full")
    names = ("url", "events", "secret", "older_secret", "older_until")
    because = endpoints.c.paused_because.label("because")
    return [
        {**_without_secrets(row), "events": parsed(row["events"]), **_address(row)}
        for row in _rows(connection, site, endpoints, names, because, full, state)
    ]


def _address(row: Document) -> Document:
    secret, url = str(row["secret"]), str(row["url"])
    return {"origin": origin_of(url), "url_digest": url_digest(secret, url) if secret else None}


def _senders(connection: Connection, site: str) -> list[Document]:
    names = ("name", "secret", "older_secret", "older_until")
    state = _state(senders.c.revoked_at, "revoked")
    return [_without_secrets(row) for row in _rows(connection, site, senders, names, state)]


def _without_secrets(row: Document) -> Document:
    """A row with digests in place of its secrets, an empty older one too: it would be as good as any.

    Without an older one it does not matter until when.
    """
    secret, older = str(row["secret"]), row["older_secret"]
    rest = {name: each for name, each in row.items() if name not in ("url", "secret", "older_secret")}
    return {
        **rest,
        "secret_digest": secret_digest(secret) if secret else None,
        "older_digest": None if older is None else secret_digest(str(older)),
        "older_until": None if older is None else row["older_until"],
    }


def _state(since: Column[Any], then: str, otherwise: str = "valid") -> Any:
    return case((since.is_(None), otherwise), else_=then).label("state")


def _rows(
    connection: Connection, site: str, table: Table, names: tuple[str, ...], *more: Any
) -> list[Document]:
    """These columns of a site's rows, by their ids."""
    wanted = select(*(raw(table.c[name]) for name in ("id", *names)), *more).where(table.c.site == site)
    return [{**row._mapping} for row in connection.execute(wanted.order_by(table.c.id))]
