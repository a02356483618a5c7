"""Signing in and out, unlocking, and one's own password and PIN."""

from flask import Response, g, request

from service.access.account import Account
from service.access.roles import Permission, permissions_of
from service.access.sessions import IDLE, LIFETIME
from service.access.sign_in import NOBODY, Attempt
from service.api.bodies import document_received
from service.api.documentation import Answers, Section, takes
from service.api.people_schemas import (
    NewPasswordSchema,
    NewPinSchema,
    SessionSchema,
    SignInSchema,
    UnlockSchema,
)
from service.records.journal import Act
from service.web import own_account
from service.web.cookies import DEVICE_COOKIE, drop_session, set_device, set_session
from service.web.guard import COOKIE, EVEN_LOCKED, PUBLIC, session_token
from service.web.parts import act, parts
from service.web.responses import as_json

section = Section("sessions", __doc__, "/api/v1")

_SETS = {"Set-Cookie": {"schema": {"type": "string"}, "description": f"The session, as {COOKIE}."}}
_TAKEN = (400, 413, 415, 422)


@section.endpoint(
    "/session",
    Answers(201, "Signed in.", SessionSchema, _SETS),
    needs=PUBLIC,
    problems=(*_TAKEN, 401, 403, 429, 503),
    method="POST",
    requestBody=takes(SignInSchema),
)
def sign_in() -> Response:
    """Sign in with the name and the password of an account.

    An unknown name, a wrong password and a disabled account are answered alike. After several failures it is
    429, and Retry-After says for how many seconds. The session locks when it is idle, and ends with its
    lifetime or with the browser. Whose password somebody else has set can do nothing (403,
    password-must-be-changed) but choose another one, read the session and sign out.
    """
    typed = document_received(SignInSchema())
    attempt = Attempt(
        **typed,
        address=request.remote_addr or NOBODY,
        device=request.cookies.get(DEVICE_COOKIE),
        session=request.cookies.get(COOKIE),
    )
    entered = parts().sign_in.by_password(attempt, Act("service", "service", g.request_id, parts().clock()))
    response = _session(entered.account, 201)
    set_session(response, entered.token)
    set_device(response, entered.device)
    return response


@section.endpoint("/session", Answers(200, "Who is signed in.", SessionSchema), needs=Permission.OWN_ACCOUNT)
def read_session() -> Response:
    """Tell who is signed in, and what they may do."""
    return _session(own_account.own_account())


@section.endpoint(
    "/session",
    Answers(204, "Signed out."),
    needs=EVEN_LOCKED,
    method="DELETE",
)
def sign_out() -> Response:
    """Sign out, from a locked session too."""
    parts().sessions.end(session_token(), act())
    return _without_session()


@section.endpoint(
    "/session/unlock",
    Answers(200, "Unlocked; the session has a new token.", SessionSchema, _SETS),
    needs=EVEN_LOCKED,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(UnlockSchema),
)
def unlock() -> Response:
    """Go on with a session that locked, by PIN or password. The fifth wrong one ends it."""
    typed = document_received(UnlockSchema())
    token = parts().sessions.unlock(session_token(), typed["secret"], act())
    response = _session(own_account.own_account())
    set_session(response, token)
    return response


@section.endpoint(
    "/account/password",
    Answers(204, "Changed. All sessions of the account have ended, this one too."),
    needs=Permission.OWN_ACCOUNT,
    problems=(*_TAKEN, 429),
    method="POST",
    requestBody=takes(NewPasswordSchema),
)
def change_password() -> Response:
    """Change one's own password; then sign in with it. It must be another one than the present one."""
    typed = document_received(NewPasswordSchema())
    own_account.change_password(typed["present"], typed["password"])
    return _without_session()


@section.endpoint(
    "/account/pin",
    Answers(204, "Changed."),
    needs=Permission.OWN_ACCOUNT,
    problems=(*_TAKEN, 429),
    method="POST",
    requestBody=takes(NewPinSchema),
)
def change_pin() -> Response:
    """Set or change one's own PIN, which unlocks a session and signs.

    An account without a password has signed in with the identity provider instead, in the last 5 minutes.
    """
    typed = document_received(NewPinSchema())
    own_account.change_pin(typed.get("present"), typed["pin"])
    return Response(status=204)


def _session(account: Account, status: int = 200) -> Response:
    document = {
        "name": account.name,
        "full_name": account.full_name,
        "role": account.role.value,
        "has_password": account.has_password,
        "has_pin": account.has_pin,
        "password_expired": account.password_expired,
        "permissions": sorted(permissions_of(account.role)),
        "locks_after_seconds": int(IDLE.total_seconds()),
        "ends_after_seconds": int(LIFETIME.total_seconds()),
    }
    response = as_json(document)
    response.status_code = status
    return response


def _without_session() -> Response:
    response = Response(status=204)
    drop_session(response)
    return response
