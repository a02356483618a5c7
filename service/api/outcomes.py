"""Every error of CDS Hooks as a FHIR OperationOutcome, whatever raised it. Nothing of a patient is in one."""

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import structlog
from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException, TooManyRequests

from service.api import ehr_door
from service.ehr.hooks import SERVICE
from service.ehr.troubles import CannotKnow
from service.fhir.chart import BadBundle, OtherPatient
from service.intake.errors import BadInput, FieldError
from service.records.database import StoreUnavailable
from service.web.errors import NotJson
from service.web.rates import retry_after
from service.web.responses import JSON

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")

NOT_FOUND = f"There is no service with this id; /cds-services lists {SERVICE}."
_HTTP = {
    400: ("structure", "The request is not well formed."),
    404: ("not-found", NOT_FOUND),
    413: ("too-long", "The body is larger than 4 MiB."),
    415: ("not-supported", "The body must be sent as application/json."),
}
_MISSING = "is missing"
_PLACE = re.compile(r"\.(\d+)(?=\.|$)")  # of a list, which FHIRPath has in brackets


def outcome(status: int, issues: Iterable[tuple[str, str, str]]) -> Response:
    """An error; each issue is its code, the place in the body (or nothing), and what is wrong there."""
    document = {"resourceType": "OperationOutcome", "issue": [_issue(*issue) for issue in issues]}
    return Response(json.dumps(document), status, mimetype=JSON)


def _issue(code: str, path: str, says: str) -> dict[str, Any]:
    path = _PLACE.sub(r"[\1]", path)
    said = f"{path} {says}" if path else says
    place = {"expression": [path]} if path else {}
    return {"severity": "error", "code": code, "details": {"text": said}, **place}


def _of_fields(errors: Iterable[FieldError]) -> list[tuple[str, str, str]]:
    return [
        ("required" if each.message == _MISSING else "invalid", each.path, each.message) for each in errors
    ]


def _bad_input(error: BadInput) -> Response:
    return outcome(400, _of_fields(error.errors))


def not_about_cards(error: BadInput) -> Response:
    """Feedback on what is no card of whoever sends it."""
    return outcome(422, [("not-found", each.path, each.message) for each in error.errors])


def _not_json(error: NotJson) -> Response:
    return outcome(400, [("structure", each.path, each.message) for each in error.reason.errors])


def _bad_bundle(error: BadBundle) -> Response:
    return outcome(400, [("invalid", path, said) for path, said in error.errors])


def _other_patient(error: OtherPatient) -> Response:
    issues = [("business-rule", path, said) for path, said in error.errors]
    return outcome(
        422, [*issues, ("business-rule", "", "Nothing was checked or kept; the refusal is recorded.")]
    )


def _cannot_know(error: CannotKnow) -> Response:
    return outcome(412, [("required", gap.path, gap.says) for gap in error.gaps])


def _store_unavailable(error: StoreUnavailable) -> Response:
    log.error("store_failed", reason=str(error))
    says = "The records cannot be read or written now, so nothing is answered: work by hand, or try again."
    response = outcome(HTTPStatus.SERVICE_UNAVAILABLE, [("transient", "", says)])
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _too_many(_error: TooManyRequests) -> Response:
    says = f"Too much was asked within a minute; nothing was checked. Ask again in {retry_after()} s."
    response = outcome(HTTPStatus.TOO_MANY_REQUESTS, [("throttled", "", says)])
    response.headers["Retry-After"] = str(retry_after())
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    code, says = _HTTP.get(status, ("processing", f"{HTTPStatus(status).phrase}."))
    return outcome(status, [(code, "", says)])


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen", error=type(error).__name__)
    says = "The service failed; nothing was answered. Work by hand, and report the request id."
    return outcome(500, [("exception", "", says)])


def register(section: Blueprint) -> None:
    """Answer every error of these endpoints so."""
    ehr_door.register_errors(section)
    section.register_error_handler(BadInput, _bad_input)
    section.register_error_handler(NotJson, _not_json)
    section.register_error_handler(BadBundle, _bad_bundle)
    section.register_error_handler(OtherPatient, _other_patient)
    section.register_error_handler(CannotKnow, _cannot_know)
    section.register_error_handler(StoreUnavailable, _store_unavailable)
    section.register_error_handler(TooManyRequests, _too_many)
    section.register_error_handler(HTTPException, _http)
    section.register_error_handler(Exception, _unforeseen)
