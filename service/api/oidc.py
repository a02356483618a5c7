"""Signing in with the site's identity provider (OpenID Connect), where there is one."""

import structlog
from flask import Flask, Response, g, request

from service.access.external import ExternalSignIn
from service.access.oidc import LASTS, Refusal, SignInRefused
from service.access.principal import NotSignedIn
from service.access.provider import LEFT_ALONE_FOR, ProviderUnavailable
from service.access.sign_in import NOBODY
from service.api.documentation import Answers, Section
from service.records.journal import Act
from service.web import problems
from service.web.cookies import set_session
from service.web.guard import COOKIE, PUBLIC
from service.web.parts import parts
from service.web.responses import as_problem

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")
START = "/api/v1/session/oidc"
CALLBACK = f"{START}/callback"
UNDER_WAY = "__Host-dosegate-oidc"
section = Section("identity provider", __doc__, START)

_TEXT = {"type": "string"}
_PROBLEMS = (401, 404, 503)
# Not a redirect: what the provider's page began would still come from another site, and a browser would keep
# the new session's cookie to itself. What this page begins comes from here.
_GO_ON = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Dosegate</title>'
    '<meta http-equiv="refresh" content="0; url=/"><p>You are signed in. <a href="/">Go on</a></p></html>'
)
_BEGIN_AGAIN = (Refusal.STATE, Refusal.STALE, Refusal.CODE)


class NoIdentityProvider(Exception):
    """This site has none."""


@section.endpoint(
    "",
    Answers(302, "On to the identity provider.", headers={"Location": {"schema": _TEXT}}),
    needs=PUBLIC,
    problems=_PROBLEMS,
)
def start_at_provider() -> Response:
    """Sign in with the site's identity provider. A session that this browser had ends."""
    url, secret = _door().start(request.remote_addr or NOBODY, _act())
    _leave()
    response = Response(status=302)
    response.headers["Location"] = url
    _keep(response, secret, int(LASTS.total_seconds()))
    return response


@section.endpoint(
    "/callback",
    Answers(200, "Signed in; the page goes on to /.", _TEXT, content_type="text/html"),
    needs=PUBLIC,
    problems=_PROBLEMS,
    parameters=tuple(
        {"name": name, "in": "query", "required": False, "schema": _TEXT}
        for name in ("code", "state", "iss", "error")
    ),
)
def finish_at_provider() -> Response:
    """Come back from the identity provider. The account must be here already, with its issuer and subject."""
    token = _door().finish(
        request.args.to_dict(), request.cookies.get(UNDER_WAY), request.remote_addr or NOBODY, _act()
    )
    response = Response(_GO_ON, mimetype="text/html")
    set_session(response, token)
    _keep(response, "", 0)
    return response


def register_errors(app: Flask) -> None:
    """Answer each of the errors here with a problem."""
    app.register_error_handler(NoIdentityProvider, _no_identity_provider)
    app.register_error_handler(SignInRefused, _refused)
    app.register_error_handler(ProviderUnavailable, _unavailable)


def _door() -> ExternalSignIn:
    door = parts().external_sign_in
    if door is None:
        raise NoIdentityProvider
    return door


def _act() -> Act:
    return Act("service", "service", g.request_id, parts().clock())


def _leave() -> None:
    """End the session that this browser has. Coming back from the provider it will not show it."""
    if (token := request.cookies.get(COOKIE)) is None:
        return
    try:
        left = parts().sessions.session(token, parts().clock()).account
        parts().sessions.end(token, left.principal.act(g.request_id, parts().clock()))
    except NotSignedIn:
        return


def _keep(response: Response, secret: str, seconds: int) -> None:
    """The secret of a sign-in under way; Lax, since it must be sent when the provider sends people back."""
    response.set_cookie(
        UNDER_WAY, secret, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax"
    )


def _no_identity_provider(_error: NoIdentityProvider) -> Response:
    detail = "This site has no identity provider; sign in with a name and a password."
    return as_problem(problems.document(problems.NO_PROVIDER, detail))


def _refused(error: SignInRefused) -> Response:
    if error.refusal in _BEGIN_AGAIN:
        detail = f"This sign-in is over, or was begun in another browser. Begin again at {START}."
    elif error.refusal is Refusal.BY_PROVIDER:
        detail = f"The identity provider let nobody in. Begin again at {START}."
    elif error.refusal is Refusal.ACCOUNT:
        detail = "No enabled account here belongs to who signed in there. Ask an administrator."
    else:
        detail = (
            "What the identity provider sent cannot be relied on; nobody is signed in. It is recorded why."
        )
    response = as_problem(problems.document(problems.SIGN_IN_FAILED, detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    _keep(response, "", 0)
    return response


def _unavailable(error: ProviderUnavailable) -> Response:
    log.error("identity_provider_unusable", reason=str(error))
    detail = "The identity provider cannot be used now; nobody is signed in. Begin again in a moment."
    seconds = int(LEFT_ALONE_FOR.total_seconds())
    response = as_problem(problems.document(problems.PROVIDER_UNAVAILABLE, detail), seconds)
    _keep(response, "", 0)
    return response
