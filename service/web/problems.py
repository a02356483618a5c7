"""The shape of every error: problem details (RFC 9457). Nothing of a patient is ever in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from service.intake.errors import FieldError

MEDIA_TYPE = "application/problem+json"
_OWN = "urn:dosegate:problem:"


@dataclass(frozen=True)
class Kind:
    """One sort of problem: its type (the same for ever), its status and its title."""

    type: str
    status: int
    title: str


BAD_JSON = Kind(f"{_OWN}bad-json", 400, "Not JSON")
BAD_INPUT = Kind(f"{_OWN}bad-input", 422, "Bad input")
KEY_REUSED = Kind(f"{_OWN}key-reused", 422, "Idempotency key used before")
NO_CHECKLIST = Kind(f"{_OWN}no-such-checklist", 404, "No such checklist")
NO_DRUG = Kind(f"{_OWN}no-such-drug", 404, "No such drug")
CANNOT_REPLAY = Kind(f"{_OWN}cannot-replay", 409, "Cannot be replayed")
CANNOT_ACT = Kind(f"{_OWN}cannot-be-done", 409, "Cannot be done")
NO_DRAFT = Kind(f"{_OWN}no-such-draft", 404, "No such draft")
NOT_SIGNED_IN = Kind(f"{_OWN}not-signed-in", 401, "Not signed in")
SESSION_LOCKED = Kind(f"{_OWN}session-locked", 401, "Session locked")
SIGN_IN_FAILED = Kind(f"{_OWN}sign-in-failed", 401, "Not let in")
TOO_MANY_FAILURES = Kind(f"{_OWN}too-many-failures", 429, "Too many failures")
TOO_MANY_REQUESTS = Kind(f"{_OWN}too-many-requests", 429, "Too many requests")
NO_PROVIDER = Kind(f"{_OWN}no-identity-provider", 404, "No identity provider")
PROVIDER_UNAVAILABLE = Kind(f"{_OWN}identity-provider-unavailable", 503, "Identity provider not available")
SIGN_IN_AGAIN = Kind(f"{_OWN}sign-in-again", 403, "Sign in again first")
WRONG_SECRET = Kind(f"{_OWN}wrong-secret", 403, "Wrong PIN or password")
FOREIGN_SITE = Kind(f"{_OWN}foreign-site", 403, "From another site")
PASSWORD_EXPIRED = Kind(f"{_OWN}password-must-be-changed", 403, "Password must be changed")
OWN_ACCOUNT = Kind(f"{_OWN}own-account", 409, "One's own account")
NO_ACCOUNT = Kind(f"{_OWN}no-such-account", 404, "No such account")
LAST_ADMIN = Kind(f"{_OWN}last-admin", 409, "The last administrator")
NO_EHR_CLIENT = Kind(f"{_OWN}no-such-ehr-client", 404, "No such EHR")
NO_SENDER = Kind(f"{_OWN}no-such-sender", 404, "No such sender")
NO_ENDPOINT = Kind(f"{_OWN}no-such-endpoint", 404, "No such endpoint")
NO_DELIVERY = Kind(f"{_OWN}no-such-delivery", 404, "No such delivery")
MESSAGE_REUSED = Kind(f"{_OWN}message-reused", 422, "Message id used before")
NO_PDF = Kind(f"{_OWN}no-pdf", 503, "No PDF can be made here")
NO_KEY = Kind(f"{_OWN}no-such-key", 404, "No such key")
MAY_NOT = Kind(f"{_OWN}may-not", 403, "Not allowed")
PATIENT_ERASED = Kind(f"{_OWN}patient-erased", 410, "Erased")
STORE_UNAVAILABLE = Kind(f"{_OWN}store-unavailable", 503, "The records are not available")

# What is said of an error that HTTP itself names; the request's own words are never repeated.
_DETAILS = {
    400: "The request is not well formed.",
    404: "There is nothing at this address.",
    405: "This address does not take this method; the header Allow names those it takes.",
    408: "The request did not arrive in time: its head within 10 seconds, and all of it within 60.",
    413: "The body is larger than is taken here: 256 KiB, and 4 MiB of a request with a FHIR bundle.",
    415: "The body must be sent as application/json.",
    500: "The service failed. Nothing was recorded or answered; report the request id.",
}


def document(kind: Kind, detail: str, errors: Sequence[FieldError] = ()) -> dict[str, Any]:
    """The problem as a document; `errors` name each bad field."""
    problem: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    if errors:
        problem["errors"] = [{"path": each.path, "message": each.message} for each in errors]
    return problem


def http_problem(status: int) -> dict[str, Any]:
    """The problem for a plain HTTP status."""
    phrase = HTTPStatus(status).phrase
    return document(Kind("about:blank", status, phrase), _DETAILS.get(status, f"{phrase}."))
