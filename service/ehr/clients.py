"""EHRs that are registered: whose signed calls are believed, and what else of theirs is used."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from service.access.principal import Principal
from service.access.roles import Permission
from service.ehr.registering import ISSUER, NAME, NewEhrClient, without_slash
from service.intake.errors import BadInput, FieldError
from service.outbound.http import Outbound
from service.records.journal import Act, Event
from service.records.site import SiteRecords
from service.records.tables import ehr_clients

PERMISSIONS = frozenset({Permission.CHECKLIST_MAKE, Permission.CHECKLIST_READ})


class NoSuchEhrClient(Exception):
    """No EHR is registered under this name."""


@dataclass(frozen=True)
class EhrClient:
    """An EHR as it is registered. Its keys are at `jwks_url`, or were given as `jwks`.

    Without `tenants` each one is believed. A token of its own is used for `fhir_servers` alone; pages of
    `origins` may read our answers.
    """

    id: str
    name: str
    issuer: str
    jwks_url: str | None
    jwks: Mapping[str, Any] | None
    tenants: tuple[str, ...]
    fhir_servers: tuple[str, ...]
    origins: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None

    @property
    def principal(self) -> Principal:
        """The EHR as one who asks."""
        return Principal(f"ehr:{self.name}", "client", self.name, PERMISSIONS)

    def uses_fhir_server(self, base: str) -> bool:
        """Whether the token that comes with a call may be sent to this FHIR server."""
        return without_slash(base) in self.fhir_servers

    def document(self) -> dict[str, Any]:
        """What is registered, as JSON: nothing of it is secret. What was not given is left out."""
        keys = {"jwks_url": self.jwks_url, "jwks": self.jwks}
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        own = {"name": self.name, "issuer": self.issuer}
        return {**own, **{name: value for name, value in keys.items() if value is not None}, **lists}


_LISTS = ("tenants", "fhir_servers", "origins")
_BELIEVED = ehr_clients.c.revoked_at.is_(None)
_COLUMNS = tuple(ehr_clients.c[name] for name in EhrClient.__dataclass_fields__)


class EhrClients:
    """The EHRs of one site."""

    def __init__(self, records: SiteRecords, outbound: Outbound) -> None:
        self._records, self._outbound = records, outbound

    def add(self, wanted: NewEhrClient, act: Act) -> EhrClient:
        """Register an EHR. Raises BadInput naming each bad field, StoreUnavailable."""
        fields = wanted.checked(self._outbound)
        client = EhrClient(id=str(uuid.uuid4()), **fields, created_at=act.at, revoked_at=None)
        with self._records.writing() as writing:
            writing.alone()
            self._check_new(writing.connection, client)
            row = {**client.document(), "id": client.id, "site": self._records.site, "created_at": act.at}
            writing.connection.execute(insert(ehr_clients).values(row))
            writing.enter(act, Event.EHR_CLIENT_ADDED, client.id, client.document())
        return client

    def _check_new(self, connection: Connection, client: EhrClient) -> None:
        """Return where nobody has this name, and nobody who is believed this issuer. Raises BadInput."""
        errors = []
        for other in self._found(connection):
            if other.name == client.name:
                errors.append(FieldError("name", "is or was that of another EHR; take another one"))
            if other.issuer == client.issuer and other.revoked_at is None:
                errors.append(FieldError("issuer", f"is registered as {other.name}: revoke that one first"))
        if errors:
            raise BadInput(errors)

    def revoke(self, name: str, act: Act) -> EhrClient:
        """Believe an EHR no more, for good.

        Raises NoSuchEhrClient, BadInput for one revoked before, StoreUnavailable.
        """
        if not NAME.fullmatch(name):
            raise NoSuchEhrClient
        mine = (ehr_clients.c.site == self._records.site, ehr_clients.c.name == name)
        with self._records.writing() as writing:
            writing.alone()
            row = writing.connection.execute(select(*_COLUMNS).where(*mine)).first()
            if row is None:
                raise NoSuchEhrClient
            if row.revoked_at is not None:
                raise BadInput([FieldError("name", f"{name} is revoked already")])
            writing.connection.execute(update(ehr_clients).where(*mine).values(revoked_at=act.at))
            writing.enter(act, Event.EHR_CLIENT_REVOKED, row.id, {"name": name})
        return EhrClient(**{**vars(_client(row)), "revoked_at": act.at})

    def all(self) -> list[EhrClient]:
        """Every EHR by name, those revoked too. Raises StoreUnavailable."""
        with self._records.reading() as connection:
            return self._found(connection)

    def by_issuer(self, issuer: str) -> EhrClient | None:
        """The EHR that calls itself so, if it is believed. Raises StoreUnavailable."""
        if not ISSUER.fullmatch(issuer):
            return None
        with self._records.reading() as connection:
            found = self._found(connection, ehr_clients.c.issuer == issuer, _BELIEVED)
        return found[0] if found else None

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of this origin are an EHR's that is believed. Raises StoreUnavailable."""
        with self._records.reading() as connection:
            believed = self._found(connection, _BELIEVED)
        return any(origin in each.origins for each in believed)

    def _found(self, connection: Connection, *where: Any) -> list[EhrClient]:
        wanted = select(*_COLUMNS).where(ehr_clients.c.site == self._records.site, *where)
        return [_client(row) for row in connection.execute(wanted.order_by(ehr_clients.c.name))]


def _client(row: Row[Any]) -> EhrClient:
    fields = {name: getattr(row, name) for name in EhrClient.__dataclass_fields__}
    return EhrClient(**{**fields, **{name: tuple(fields[name]) for name in _LISTS}})
