"""The door: every request shows who asks, and is let in to what its route says it needs, or refused."""

import hmac
from collections.abc import Callable, Mapping
from enum import Enum

from flask import Flask, Request, g, request
from werkzeug.exceptions import UnsupportedMediaType

from service.access.principal import MayNot, NotSignedIn, PasswordExpired, Principal
from service.access.roles import Permission
from service.access.sessions import Session
from service.ehr.tokens import NotTrusted
from service.web.parts import act, parts
from service.web.responses import JSON
from service.webhooks.signing import BadSignature

COOKIE = "__Host-dosegate"
_BEARER = "bearer "
_CHANGES_NOTHING = ("GET", "HEAD", "OPTIONS")
# Endpoints whose names begin so are pages: they take forms, each with the key of the session's forms.
FORMS = "pages"
FORM_KEY = "form_key"


class Open(Enum):
    """What a route needs that asks for no permission of a person or a key.

    Nothing at all; a session, even a locked one; or what a door of its own asks for.
    """

    TO_ALL = "public"
    TO_A_SESSION = "session"
    TO_AN_EHR = "ehr"
    TO_A_SENDER = "sender"


PUBLIC = Open.TO_ALL
EVEN_LOCKED = Open.TO_A_SESSION
AN_EHR = Open.TO_AN_EHR
A_SENDER = Open.TO_A_SENDER
Needs = Permission | Open
Door = Callable[[], Principal]  # who asks in the present request; raises an error of its own for nobody


class ForeignSite(Exception):
    """A browser sent what changes something here, and not from a page of ours."""


class StaleForm(ForeignSite):
    """A form without the key of this session's forms: it was filled in before somebody signed in anew."""


def register(
    app: Flask,
    needs: Mapping[str, Needs],
    public_url: str | None,
    doors: Mapping[Open, Door],
    count_refused: Callable[[], None],
) -> None:
    """Let people in to each endpoint as `needs` says; one that it does not name is shut.

    Where a `public_url` is given, pages of ours are those at that address, whatever a proxy calls it. What
    has one of the `doors` is entered by that alone. `count_refused` is called for who is nobody known, or may
    not do what was asked.
    """

    def admit_or_count() -> None:
        try:
            admit()
        except (NotSignedIn, NotTrusted, BadSignature, MayNot):
            count_refused()
            raise

    def admit() -> None:
        if request.endpoint is None:  # no such address, or not with this method: nothing is behind it
            return
        needed = needs.get(request.endpoint)
        if isinstance(needed, Open) and needed not in (PUBLIC, EVEN_LOCKED):
            g.principal = doors[needed]()  # no cookie opens it, so no page of somebody else's can
            return
        _check_site(request, public_url)
        if needed is PUBLIC:
            return
        if isinstance(needed, Open):  # a session, even a locked one
            _enter(parts().sessions.session(session_token(), parts().clock()))
            return
        if (key := _bearer(request)) is not None and request.blueprint != FORMS:
            g.principal = parts().keys.principal(key, parts().clock())
        else:
            _enter(parts().sessions.use(session_token(), parts().clock()))
        if g.principal.password_expired and needed is not Permission.OWN_ACCOUNT:
            raise PasswordExpired
        check_may(needed)

    app.before_request(admit_or_count)


def check_may(needed: Permission | None) -> None:
    """Return where whoever asks has this permission; None is a door that nobody opened. Raises MayNot."""
    if needed is None or not g.principal.may(needed):
        wanted = needed.value if needed else "nothing"
        endpoint = str(request.endpoint)
        parts().refusals.enter(g.principal, wanted, endpoint, act())
        raise MayNot(needed or Permission.OWN_ACCOUNT)


def session_token() -> str:
    """The token of the session that a browser sends. Raises NotSignedIn."""
    token = request.cookies.get(COOKIE)
    if token is None or "Authorization" in request.headers:  # one or the other: never a choice between two
        raise NotSignedIn
    return token


def _enter(session: Session) -> None:
    """Let in whose session it is. Raises StaleForm for a form that is none of this session's."""
    g.principal, g.form_key = session.account.principal, session.form_key
    if request.blueprint == FORMS and request.method not in _CHANGES_NOTHING:
        given = request.form.get(FORM_KEY, "")
        if not hmac.compare_digest(given.encode(), session.form_key.encode()):
            raise StaleForm


def _bearer(asked: Request) -> str | None:
    given = asked.headers.get("Authorization", "")
    return given[len(_BEARER) :].strip() if given[: len(_BEARER)].casefold() == _BEARER else None


def _check_site(asked: Request, public_url: str | None) -> None:
    """Return where a request changes nothing, shows a key, or comes from a page of ours.

    A browser adds the session's cookie by itself, so with one it must also say where the request comes from;
    all browsers of today do. Raises ForeignSite, UnsupportedMediaType for a body that a form could send.
    """
    if asked.method in _CHANGES_NOTHING or _bearer(asked) is not None:
        return
    site, origin = asked.headers.get("Sec-Fetch-Site"), asked.headers.get("Origin")
    if site not in (None, "same-origin") or (origin is not None and not _is_own(origin, asked, public_url)):
        raise ForeignSite
    if COOKIE in asked.cookies and site is None and origin is None:
        raise ForeignSite
    if asked.blueprint == FORMS:  # the key of its forms is asked for instead
        return
    has_body = bool(asked.content_length) or "Transfer-Encoding" in asked.headers
    if COOKIE in asked.cookies and has_body and asked.mimetype != JSON:
        raise UnsupportedMediaType


def _is_own(origin: str, asked: Request, public_url: str | None) -> bool:
    """Whether an origin is ours: the address that is set, else the one asked, as the browser may know it."""
    if public_url is not None:
        return origin.casefold() == public_url.casefold()
    # A proxy may speak TLS to the browser, and not to us.
    return origin.casefold() in (f"https://{asked.host}".casefold(), asked.host_url.rstrip("/").casefold())
