"""Signing in and out, unlocking, and one's own password and PIN."""

from datetime import timedelta

from flask import Response, g, request

from service.access.account import Account
from service.access.principal import NotSignedIn, PasswordExpired
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
from service.intake.errors import BadInput, FieldError
from service.records.journal import Act
from service.web.guard import COOKIE, EVEN_LOCKED, PUBLIC, session_token
from service.web.parts import act, parts, principal
from service.web.responses import as_json

section = Section("sessions", __doc__, "/api/v1")

DEVICE_COOKIE = "__Host-dosegate-device"
_DEVICE_SECONDS = 180 * 24 * 60 * 60
_SETS = {"Set-Cookie": {"schema": {"type": "string"}, "description": f"The session, as {COOKIE}."}}
_TAKEN = (400, 413, 415, 422)
JUST_NOW = timedelta(minutes=5)


class SignInAgain(Exception):
    """Who has no password to type signs in with the identity provider first."""


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
    _set(response, DEVICE_COOKIE, entered.device, _DEVICE_SECONDS)
    return response


@section.endpoint("/session", Answers(200, "Who is signed in.", SessionSchema), needs=Permission.OWN_ACCOUNT)
def read_session() -> Response:
    """Tell who is signed in, and what they may do."""
    return _session(_own_account())


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
    response = _session(_own_account())
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
    typed, accounts, account = document_received(NewPasswordSchema()), parts().accounts, _own_account()
    accounts.confirm(principal(), typed["present"], act())
    if accounts.knows_password(account, typed["password"]):
        raise BadInput([FieldError("password", "must be another one than the present one")])
    accounts.change(account.name, act(), password=typed["password"])
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
    if principal().password_expired:  # whoever has set it could set a PIN that outlives it
        raise PasswordExpired
    typed = document_received(NewPinSchema())
    _check_shown_again(typed.get("present"))
    parts().accounts.change(_own_account().name, act(), pin=typed["pin"])
    return Response(status=204)


def set_session(response: Response, token: str) -> None:
    """Give the browser the token of its session, until it is closed."""
    _set(response, COOKIE, token, None)


def _check_shown_again(password: str | None) -> None:
    """Return where somebody typed their password again, or, having none, signed in just now.

    Raises WrongSecret, SignInAgain, BadInput, and what they raise.
    """
    now = parts().clock()
    if not _own_account().has_password:
        if not timedelta(0) <= now - parts().sessions.session(session_token(), now).created_at < JUST_NOW:
            raise SignInAgain
    elif password is None:
        raise BadInput([FieldError("present", "is required")])
    else:
        parts().accounts.confirm(principal(), password, act())


def _own_account() -> Account:
    id = principal().account
    if id is None:
        raise NotSignedIn
    return parts().accounts.by_id(id)


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
    _set(response, COOKIE, "", 0)
    return response


def _set(response: Response, name: str, value: str, seconds: int | None) -> None:
    """A cookie that only this site's own pages send, over TLS, and that no script reads."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Strict")
