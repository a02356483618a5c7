"""Every error as problem details, whatever raised it; the log gets our own ids and the error's class only."""

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from service.access.principal import MayNot, NotSignedIn, SessionLocked
from service.intake.errors import BadInput, FieldError
from service.records.database import StoreUnavailable
from service.records.drafts import NoSuchDraft
from service.records.record import CannotAct
from service.records.replay import CannotReplay
from service.records.store import CannotSupersede, KeyReused, NoSuchChecklist, PatientErased
from service.web import problems
from service.web.responses import as_problem, as_unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")
KEY_HEADER = "Idempotency-Key"


class NotJson(Exception):
    """The body is no JSON at all."""

    def __init__(self, reason: BadInput) -> None:
        self.reason = reason
        super().__init__()


class NoSuchDrug(Exception):
    """No pack has this id."""


def from_http(error: HTTPException) -> Response:
    """The problem for an error of HTTP itself; headers such as Allow stay."""
    response = as_problem(problems.http_problem(error.code or 500))
    for name, value in error.get_headers():
        if name.casefold() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _bad_input(error: BadInput) -> Response:
    fields = "1 field is" if len(error.errors) == 1 else f"{len(error.errors)} fields are"
    return as_problem(
        problems.document(problems.BAD_INPUT, f"{fields} refused; nothing was recorded.", error.errors)
    )


def _not_json(error: NotJson) -> Response:
    detail = "The body is not JSON; nothing was recorded."
    return as_problem(problems.document(problems.BAD_JSON, detail, error.reason.errors))


def _key_reused(_error: KeyReused) -> Response:
    detail = "This idempotency key came before with another body. Send a new key with a new request."
    errors = [FieldError(KEY_HEADER, "came before with another body")]
    return as_problem(problems.document(problems.KEY_REUSED, detail, errors))


def _no_such_checklist(_error: NoSuchChecklist) -> Response:
    return as_problem(problems.document(problems.NO_CHECKLIST, "No checklist with this id is recorded here."))


def _no_such_drug(_error: NoSuchDrug) -> Response:
    detail = "No drug with this id has rules here; /api/v1/drugs lists those that have."
    return as_problem(problems.document(problems.NO_DRUG, detail))


def _cannot_replay(error: CannotReplay) -> Response:
    log.error("cannot_replay", reason=str(error))
    return as_problem(
        problems.document(problems.CANNOT_REPLAY, f"This checklist cannot be replayed: {error}.")
    )


def _store_unavailable(error: StoreUnavailable) -> Response:
    log.error("store_failed", reason=str(error))
    says = "The records cannot be read or written now, so nothing is answered."
    return as_unavailable(says, error.retry_after)


def _not_signed_in(_error: NotSignedIn) -> Response:
    detail = "Sign in, or send an API key: Authorization: Bearer dosegate_... An administrator makes both."
    response = as_problem(problems.document(problems.NOT_SIGNED_IN, detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _session_locked(_error: SessionLocked) -> Response:
    detail = "The session was idle and is locked; nothing is lost. Unlock it with the PIN or the password."
    response = as_problem(problems.document(problems.SESSION_LOCKED, detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _may_not(error: MayNot) -> Response:
    detail = f"This account or key may not do this: it lacks {error.permission}. The refusal is recorded."
    return as_problem(problems.document(problems.MAY_NOT, detail))


def _patient_erased(_error: PatientErased) -> Response:
    detail = (
        "What this checklist held has been erased, as the law allows; the journal shows when and by whom."
    )
    return as_problem(problems.document(problems.PATIENT_ERASED, detail))


def _cannot_supersede(error: CannotSupersede) -> Response:
    return _bad_input(BadInput([FieldError("supersedes.id", error.reason)]))


def _cannot_act(error: CannotAct) -> Response:
    return as_problem(problems.document(problems.CANNOT_ACT, error.reason))


def _no_such_draft(_error: NoSuchDraft) -> Response:
    return as_problem(problems.document(problems.NO_DRAFT, "No draft with this id is kept here."))


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen", error=type(error).__name__)
    return as_problem(problems.http_problem(500))


def register(app: Flask) -> None:
    """Answer every error of this application with a problem."""
    app.register_error_handler(BadInput, _bad_input)
    app.register_error_handler(NotJson, _not_json)
    app.register_error_handler(KeyReused, _key_reused)
    app.register_error_handler(NoSuchChecklist, _no_such_checklist)
    app.register_error_handler(NoSuchDrug, _no_such_drug)
    app.register_error_handler(CannotReplay, _cannot_replay)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(NotSignedIn, _not_signed_in)
    app.register_error_handler(SessionLocked, _session_locked)
    app.register_error_handler(MayNot, _may_not)
    app.register_error_handler(PatientErased, _patient_erased)
    app.register_error_handler(CannotSupersede, _cannot_supersede)
    app.register_error_handler(CannotAct, _cannot_act)
    app.register_error_handler(NoSuchDraft, _no_such_draft)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(Exception, _unforeseen)
