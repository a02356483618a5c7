"""Signing in and out, locking and unlocking, and the language of the pages."""

from datetime import datetime

from flask import Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.account import Account
from service.access.accounts import WrongSecret
from service.access.principal import NotSignedIn
from service.access.roles import Permission
from service.access.sessions import MOST_WRONG, Session
from service.access.sign_in import NOBODY, Attempt, SignInFailed
from service.access.throttle import TooManyFailures
from service.pages import kept_forms
from service.pages.kept_forms import KeptForm
from service.pages.language import LANGUAGES, keep
from service.pages.navigation import beginning_of
from service.pages.presenters.refusals import waiting
from service.pages.rendering import page, whole_page
from service.pages.section import Section
from service.pages.texts import gettext, ngettext
from service.records.journal import Act
from service.web.cookies import DEVICE_COOKIE, drop_session, set_device, set_session
from service.web.guard import COOKIE, EVEN_LOCKED, PUBLIC, session_token
from service.web.parts import act, parts, principal

section = Section()

_NEXT = "next"
Answer = Response | Redirect


@section.page("/", needs=Permission.OWN_ACCOUNT)
def start() -> Redirect:
    """Lead each to where they begin."""
    return redirect(_start_of(principal().password_expired), 303)


def _start_of(password_expired: bool) -> str:
    return url_for("pages.own_account" if password_expired else beginning_of(principal()))


@section.page("/sign-in", needs=PUBLIC)
def sign_in() -> Response:
    """Ask for name and password."""
    return sign_in_page(next_page=kept_forms.own_page(request.args.get(_NEXT)))


@section.page("/sign-in", needs=PUBLIC, method="POST")
def enter() -> Answer:
    """Let somebody in, and lead them to where they wanted to go, or to where they begin."""
    kept, next_page = kept_forms.sent_back(_now()), kept_forms.own_page(request.form.get(_NEXT))
    attempt = Attempt(
        name=request.form.get("name", ""),
        password=request.form.get("password", ""),
        address=request.remote_addr or NOBODY,
        device=request.cookies.get(DEVICE_COOKIE),
        session=request.cookies.get(COOKIE),
    )
    try:
        entered = parts().sign_in.by_password(attempt, Act("service", "service", g.request_id, _now()))
    except SignInFailed:
        error = gettext("Name or password is wrong, or the account is disabled. Try again.")
        return sign_in_page(401, error=error, next_page=next_page, kept=kept, name=attempt.name)
    except TooManyFailures as failures:
        error = waiting(failures.retry_after)
        shown = sign_in_page(429, error=error, next_page=next_page, kept=kept, name=attempt.name)
        shown.headers["Retry-After"] = str(failures.retry_after)
        return shown
    response = _entered(entered.account, entered.token, next_page, kept)
    set_session(response, entered.token)
    set_device(response, entered.device)
    return response


def _entered(account: Account, token: str, next_page: str, kept: KeptForm | None) -> Answer:
    """Where somebody goes who has signed in: what another person typed is not theirs to send."""
    g.principal, g.form_key = account.principal, parts().sessions.session(token, _now()).form_key
    if account.password_expired:
        return redirect(url_for("pages.own_account"), 303)
    if kept is not None and kept.owner == account.id:
        return _come_back(kept)
    return redirect("/" if kept is not None else next_page, 303)


def sign_in_page(
    code: int = 200,
    *,
    error: str | None = None,
    next_page: str = "/",
    kept: KeptForm | None = None,
    name: str = "",
    done: str | None = None,
) -> Response:
    """The page that asks for name and password, and keeps what somebody typed until they are back."""
    return whole_page(
        page(
            "sessions/sign_in.html",
            code=code,
            person=None,
            places=(),
            error=error,
            done=done,
            next_page=next_page,
            kept=kept.sealed(_now()) if kept is not None else None,
            name=name,
            provider="/api/v1/session/oidc" if parts().external_sign_in is not None else None,
        )
    )


@section.page("/unlock", needs=EVEN_LOCKED)
def locked() -> Answer:
    """Ask for the PIN, where the session is locked."""
    session, next_page = _session(), kept_forms.own_page(request.args.get(_NEXT))
    return lock_page(session, next_page) if session.is_locked(_now()) else redirect(next_page, 303)


@section.page("/unlock", needs=EVEN_LOCKED, method="POST")
def unlock() -> Answer:
    """Go on with a locked session, by PIN or password."""
    kept, next_page = kept_forms.sent_back(_now()), kept_forms.own_page(request.form.get(_NEXT))
    session = _session()
    if not request.form.get("secret"):
        return lock_page(session, next_page, kept, gettext("Enter the PIN or the password."), 422)
    try:
        token = parts().sessions.unlock(session_token(), request.form.get("secret", ""), act())
    except WrongSecret:
        left = MOST_WRONG - session.wrong_pins - 1
        error = ngettext(
            "This is not right. One more wrong try ends the session.",
            "This is not right. %(num)s more wrong tries end the session.",
            left,
        )
        return lock_page(session, next_page, kept, error, 403)
    except NotSignedIn:
        error = gettext("Five wrong tries have ended the session. Sign in with name and password.")
        ended = sign_in_page(401, error=error, next_page=next_page, kept=kept)
        drop_session(ended)
        return ended
    mine = kept is not None and kept.owner == principal().account
    response = _come_back(kept) if mine and kept is not None else redirect(next_page, 303)
    set_session(response, token)
    return response


def lock_page(
    session: Session,
    next_page: str = "/",
    kept: KeptForm | None = None,
    error: str | None = None,
    code: int = 200,
) -> Response:
    """The page of a locked session: nothing of a patient is on it."""
    g.form_key = session.form_key
    return whole_page(
        page(
            "sessions/locked.html",
            code=code,
            person=None,
            places=(),
            account=session.account,
            error=error,
            next_page=next_page,
            kept=kept.sealed(_now()) if kept is not None else None,
        )
    )


def _come_back(kept: KeptForm) -> Response:
    """Offer to send what somebody had typed, or bring it back to where it was typed."""
    return page("sessions/come_back.html", kept=kept)


@section.page("/lock", needs=EVEN_LOCKED, method="POST")
def lock() -> Answer:
    """Lock one's own session at once. What was half typed comes with it, and is kept."""
    next_page = kept_forms.own_page(request.form.get(_NEXT))
    session = _session()
    parts().sessions.lock(session_token(), act())
    kept = kept_forms.half_typed(session.account.id, next_page)
    if kept is None:
        return redirect(url_for("pages.locked", next=next_page), 303)
    return lock_page(session, next_page, kept)


@section.page("/awake", needs=Permission.OWN_ACCOUNT)
def awake() -> Response:
    """Somebody is at the page: the session counts as used."""
    return Response(status=204)


@section.page("/sign-out", needs=EVEN_LOCKED, method="POST")
def sign_out() -> Redirect:
    """Sign out, from a locked session too."""
    parts().sessions.end(session_token(), act())
    response = redirect(url_for("pages.sign_in"), 303)
    drop_session(response)
    return response


@section.page("/language", needs=PUBLIC, method="POST")
def choose_language() -> Redirect:
    """Keep the language that was chosen, on this device."""
    response = redirect(_same_or_own_page(), 303)
    if (chosen := request.form.get("language", "")) in LANGUAGES:
        keep(response, chosen)
    return response


def _same_or_own_page() -> str:
    """Where the language was chosen; the pages of signing in count too."""
    asked = request.form.get(_NEXT, "")
    ours = (url_for("pages.sign_in"), url_for("pages.locked"))
    return asked if asked in ours else kept_forms.own_page(asked)


def _session() -> Session:
    return parts().sessions.session(session_token(), _now())


def _now() -> datetime:
    return parts().clock()
