"""The OpenAPI document, and the page that shows it. Everything the page loads is served from here."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app
from flask_smorest import Api  # type: ignore[import-untyped]
from flask_smorest import Blueprint as DocumentedBlueprint
from marshmallow import Schema

from service.access.roles import SCOPES
from service.api.schemas import ProblemSchema
from service.records.canonical import canonical
from service.records.site import DEMONSTRATION
from service.web import problems
from service.web.guard import A_SENDER, AN_EHR, COOKIE, EVEN_LOCKED, PUBLIC, Needs, Open
from service.web.parts import parts
from service.web.rates import UNCOUNTED
from service.web.responses import JSON
from service.webhooks.signing import SIGNATURE

_SAYS = """Answers every check of a drug's pre-infusion checklist with pass, warn or block, each one cited.

* Unknown never passes: absent, null and "unknown" all mean unknown.
* Enumerations are written out (yes, no). JSON booleans, numbers in quotes and quantities without a unit
  are refused.
* Every error is a problem details document (RFC 9457, application/problem+json); what EHRs call by CDS
  Hooks answers with a FHIR OperationOutcome instead.
* Every endpoint says under x-needs what whoever asks must be allowed; `dosegate roles` prints who is.
* With a session, what changes something must come from a page of this service: a browser says so in
  Sec-Fetch-Site or Origin. Programs send an API key instead.
* Every response carries X-Request-Id, an id of ours to quote when something failed.
"""
_EHR = (
    "The client JWT of CDS Hooks 2.0, signed with RS384 or ES384 by an EHR that is registered. Its aud is "
    "the exact public address that is called; it is good for an hour at most (exp, iat), and once only (jti)."
)
_SENDER = (
    "The signature of Standard Webhooks 1.0.0, with the secret of a sender that is registered. It is over "
    "webhook-id, webhook-timestamp and the body."
)
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_MARK = f"{DEMONSTRATION}: every patient here is made up; enter nothing of a real one"
_KEPT = "private, max-age=3600"
_SECTIONS = "dosegate.sections"
WAITS = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
View = TypeVar("View", bound=Callable[..., Response])

page = Blueprint("documentation", __name__, static_folder="static", static_url_path="/api/v1/static")


class _Documented(Api):  # type: ignore[misc]
    """Errors are documented endpoint by endpoint; the library's own shape of them is used nowhere."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_ERROR_RESPONSE_NAME = None


@dataclass(frozen=True)
class Answers:
    """One way in which an endpoint answers, as it is documented; without a schema it has no body."""

    status: int
    says: str
    schema: type[Schema] | Mapping[str, Any] | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = JSON


def takes(schema: type[Schema] | Mapping[str, Any]) -> dict[str, Any]:
    """The body that is asked for, as it is documented."""
    return {"required": True, "content": {JSON: {"schema": schema}}}


def parameter(name: str, schema: Mapping[str, Any], says: str) -> Mapping[str, Any]:
    """What may be asked for behind the question mark, as it is documented."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": says}


def parameters_of(schema: Schema, *names: str) -> tuple[Mapping[str, Any], ...]:
    """The same of some fields of a schema, by what they say of themselves."""
    told = {field.data_key or name: field.metadata for name, field in schema.fields.items()}
    keys = ("type", "format", "maxLength")
    return tuple(
        parameter(
            name, {key: told[name][key] for key in keys if key in told[name]}, told[name]["description"]
        )
        for name in names
    )


class Section:
    """Endpoints that belong together, documented where they are routed."""

    def __init__(self, name: str, says: str | None, prefix: str = "") -> None:
        self.needs: dict[str, Needs] = {}
        self.blueprint: Any = DocumentedBlueprint(name, __name__, url_prefix=prefix, description=says)

    def endpoint(
        self,
        rule: str,
        *answers: Answers,
        needs: Needs,
        problems: tuple[int, ...] = (),
        method: str = "GET",
        parameters: tuple[Mapping[str, Any], ...] = (),
        **documented: Any,
    ) -> Callable[[View], View]:
        """Route and document a view: who may use it, how it answers, and with which problems."""

        def decorate(view: View) -> View:
            name = f"{self.blueprint.name}.{view.__name__}"
            refused = [_problem(status) for status in sorted({*problems, *_refusals(name, needs, method)})]
            if _has_door(needs):
                refused.append(Answers(401, "Not let in; it is not said why."))
            described: Any = self.blueprint.doc(**_trusted(needs), **documented)(view)
            for each in (*answers, *refused):
                described = self.blueprint.alt_response(
                    each.status,
                    schema=each.schema,
                    content_type=each.content_type,
                    description=each.says,
                    headers=dict(each.headers),
                )(described)
            self.blueprint.route(rule, methods=[method], parameters=list(parameters))(described)
            self.needs[name] = needs
            return view

        return decorate


def _has_door(needs: Needs) -> bool:
    """Whether it is entered by neither a session nor a key."""
    return isinstance(needs, Open) and needs not in (PUBLIC, EVEN_LOCKED)


def _refusals(name: str, needs: Needs, method: str) -> tuple[int, ...]:
    """The problems that whoever guards an endpoint answers with."""
    if needs is AN_EHR:  # EHRs get errors of another shape, which say so themselves
        return ()
    counted = () if name in UNCOUNTED else (429,)
    if needs is PUBLIC:
        return counted
    if _has_door(needs):
        return (*counted, 503)
    return (401, 403, *counted, 503) if method == "GET" else (401, 403, 415, *counted, 503)


def _trusted(needs: Needs) -> dict[str, Any]:
    """How an endpoint is told who asks, and what it needs, in the words of `dosegate roles`."""
    if needs is PUBLIC:
        return {"x-needs": needs.value}
    if _has_door(needs):
        return {"security": [{needs.value: []}], "x-needs": needs.value}
    ways: list[dict[str, list[str]]] = [{"session": []}]
    if needs in SCOPES:
        ways.append({"key": []})
    return {"security": ways, "x-needs": needs.value}


def _problem(status: int) -> Answers:
    phrase, headers = HTTPStatus(status).phrase, WAITS if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return Answers(status, phrase, ProblemSchema, headers, problems.MEDIA_TYPE)


@page.get("/api/v1/docs")
def read_page() -> Response:
    """The page."""
    response = _marked_page() if parts().store.records.demonstration else page.send_static_file("docs.html")
    response.headers["Content-Security-Policy"] = _PAGE_POLICY
    return response


def _marked_page() -> Response:
    with page.open_resource("static/docs.html", encoding="utf-8", mode="rt") as file:
        text: str = file.read()
    return Response(
        text.replace("<body>", f"<body>\n  <h1><mark>{_MARK}</mark></h1>", 1), mimetype="text/html"
    )


@page.after_request
def _keep(response: Response) -> Response:
    """The files of the page are no answers about a patient: they may be kept for a while."""
    if response.status_code == HTTPStatus.OK:
        response.headers["Cache-Control"] = _KEPT
    return response


@page.get("/api/v1/openapi.json")
def openapi_json() -> Response:
    """The document of the interface."""
    records = parts().store.records
    return Response(_document(_sections(current_app), records.demonstration), mimetype=JSON)


@functools.cache
def _document(sections: tuple[Section, ...], demonstration: bool) -> bytes:
    """The OpenAPI document, made when it is first asked for: it takes longer than all the rest of a start."""
    scratch = Flask("service", static_folder=None)
    scratch.config.update(
        API_TITLE=f"Dosegate {DEMONSTRATION}" if demonstration else "Dosegate",
        API_VERSION=version("dosegate"),
        OPENAPI_VERSION="3.1.0",
    )
    api = _Documented(scratch, spec_kwargs={"info": {"description": _SAYS}})
    api.spec.components.security_scheme("key", {"type": "http", "scheme": "bearer"})
    ehr = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _EHR}
    api.spec.components.security_scheme(AN_EHR.value, ehr)
    sender = {"type": "apiKey", "in": "header", "name": SIGNATURE, "description": _SENDER}
    api.spec.components.security_scheme(A_SENDER.value, sender)
    api.spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": COOKIE})
    for section in sections:
        api.register_blueprint(section.blueprint)
    return canonical(api.spec.to_dict())


def _sections(app: Flask) -> tuple[Section, ...]:
    found: tuple[Section, ...] = app.extensions[_SECTIONS]
    return found


def register(app: Flask, sections: tuple[Section, ...]) -> dict[str, Needs]:
    """Serve these endpoints, their OpenAPI document and its page; what each endpoint needs."""
    app.extensions[_SECTIONS] = sections
    app.register_blueprint(page)
    # The description of the interface and its page hold nothing of a site.
    open_to_all = ("documentation.openapi_json", "documentation.read_page", "documentation.static")
    needs: dict[str, Needs] = dict.fromkeys(open_to_all, PUBLIC)
    for section in sections:
        app.register_blueprint(section.blueprint)
        needs.update(section.needs)
    return needs
