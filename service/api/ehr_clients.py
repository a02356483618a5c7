"""For administrators: the EHRs whose calls are believed."""

from typing import Any

from flask import Flask, Response

from service.access.roles import Permission
from service.api.documentation import Answers, Section, takes
from service.api.ehr_client_schemas import EhrClientSchema, EhrClientsSchema, NewEhrClientSchema
from service.api.people_schemas import SignedSchema
from service.api.signed import SIGNED_PROBLEMS, signed_document
from service.ehr.clients import EhrClient, NoSuchEhrClient
from service.ehr.registering import NewEhrClient
from service.records.tables import moment_text
from service.web import problems
from service.web.parts import act, parts
from service.web.responses import as_json, as_problem

section = Section("ehr_clients", __doc__, "/api/v1")

_LISTS = ("tenants", "fhir_servers", "origins")


@section.endpoint(
    "/ehr-clients", Answers(200, "Every EHR, by name.", EhrClientsSchema), needs=Permission.EHR_MANAGE
)
def list_ehr_clients() -> Response:
    """List the EHRs that are registered, those revoked too."""
    return as_json({"ehr_clients": [_document(client) for client in parts().ehr_clients.all()]})


@section.endpoint(
    "/ehr-clients",
    Answers(201, "The EHR.", EhrClientSchema),
    needs=Permission.EHR_MANAGE,
    problems=SIGNED_PROBLEMS,
    method="POST",
    requestBody=takes(NewEhrClientSchema),
)
def add_ehr_client() -> Response:
    """Register an EHR: from now on calls of CDS Hooks that its keys sign are believed."""
    given = signed_document(NewEhrClientSchema())
    lists = {name: tuple(given[name]) for name in _LISTS if name in given}
    client = parts().ehr_clients.add(NewEhrClient(**{**given, **lists}), act())
    response = as_json(_document(client))
    response.status_code = 201
    return response


@section.endpoint(
    "/ehr-clients/<name>/revoke",
    Answers(204, "Revoked."),
    needs=Permission.EHR_MANAGE,
    problems=(*SIGNED_PROBLEMS, 404),
    method="POST",
    requestBody=takes(SignedSchema),
)
def revoke_ehr_client(name: str) -> Response:
    """Believe an EHR no more, for good: its next call is refused."""
    signed_document(SignedSchema())
    parts().ehr_clients.revoke(name, act())
    return Response(status=204)


def _document(client: EhrClient) -> dict[str, Any]:
    return {
        **client.document(),
        "jwks_url": client.jwks_url,
        "jwks": client.jwks,
        "created_at": moment_text(client.created_at),
        "revoked_at": moment_text(client.revoked_at) if client.revoked_at else None,
    }


def _no_such_ehr_client(_error: NoSuchEhrClient) -> Response:
    return as_problem(problems.document(problems.NO_EHR_CLIENT, "No EHR is registered under this name."))


def register_errors(app: Flask) -> None:
    """Answer each of these errors with a problem."""
    app.register_error_handler(NoSuchEhrClient, _no_such_ehr_client)
