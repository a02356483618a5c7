"""Errors as pages: the same problem that a program is told of, in words for a person, and the way out."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.principal import NotSignedIn, Principal
from service.pages import kept_forms
from service.pages.kept_forms import KeptForm
from service.pages.presenters.problems import ProblemView, problem_view, stale_view, what_is_kept
from service.pages.rendering import is_fragment, page, whole_page
from service.pages.sessions import lock_page, sign_in_page
from service.pages.texts import gettext
from service.web import problems
from service.web.guard import COOKIE, FORMS, StaleForm, session_token
from service.web.parts import parts

_FOR_PROGRAMS = ("/api/", "/cds-services", "/healthz", "/readyz", "/metrics", "/webhooks")
_SHOWN_AS = (problems.MEDIA_TYPE, "text/html")  # the first, where whoever asks takes either
_WORTH_ANOTHER_TRY = (429, 500, 503)
_WAYS_BACK_IN = (f"{FORMS}.enter", f"{FORMS}.unlock")


def register(app: Flask) -> None:
    """Show the errors of pages as pages."""
    app.after_request(_as_page)
    app.register_error_handler(StaleForm, _stale)


def _as_page(response: Response) -> Response | Redirect:
    if response.mimetype != problems.MEDIA_TYPE or not _is_for_a_person():
        return response
    problem = response.get_json()
    if (way_in := _WAYS_IN.get(problem["type"])) is not None:
        return way_in()
    waited = response.headers.get("Retry-After", "")
    seconds = int(waited) if waited.isdecimal() else None
    if problem["type"] == problems.TOO_MANY_REQUESTS.type and request.endpoint in _WAYS_BACK_IN:
        return _paused(problem, seconds)
    person: Principal | None = g.get("principal")
    again = problem["status"] in _WORTH_ANOTHER_TRY and person is not None
    kept = kept_forms.of_request(person.account) if again and person is not None else None
    shown = _show(problem["status"], problem_view(problem, seconds), kept)
    for name in ("Retry-After", "Allow"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown


def _paused(problem: Mapping[str, Any], seconds: int | None) -> Response:
    """The page that lets people in, again: what somebody typed before waits in it, and goes on waiting."""
    kept, next_page = kept_forms.sent_back(parts().clock()), kept_forms.own_page(request.form.get("next"))
    view = problem_view(problem, seconds)
    error = " ".join(filter(None, (view.title + ".", view.wait)))
    if request.endpoint == f"{FORMS}.enter":
        shown = sign_in_page(429, error=error, next_page=next_page, kept=kept)
    else:
        session = parts().sessions.session(session_token(), parts().clock())
        shown = lock_page(session, next_page, kept, error, 429)
    shown.headers["Retry-After"] = str(seconds)
    return shown


def _is_for_a_person() -> bool:
    if request.endpoint is not None:
        opened = request.headers.get("Sec-Fetch-Dest") == "document"  # on the way to the provider and back
        return request.blueprint == FORMS or (opened and request.blueprint == "identity provider")
    wanted = request.accept_mimetypes.best_match(_SHOWN_AS)  # a program takes anything, a browser says what
    return wanted == "text/html" and not request.path.startswith(_FOR_PROGRAMS)


def _show(code: int, view: ProblemView, kept: KeptForm | None) -> Response:
    said: dict[str, Any] = {"problem": view, "answers_kept": what_is_kept(), "id": g.request_id}
    said["roles"] = code == HTTPStatus.FORBIDDEN and g.get("principal") is not None
    return whole_page(page("problem.html", code=code, kept=kept, **said))


def _stale(_error: StaleForm) -> Response:
    """A form from before: whoever filled it in may send it again; another person's is shown to nobody."""
    kept = kept_forms.of_request(g.principal.account)
    return _show(403, stale_view(), kept)


def _not_signed_in() -> Response | Redirect:
    if request.method == "POST":
        kept = kept_forms.of_request(None) or kept_forms.sent_back(parts().clock())
        error = gettext("You are not signed in any more. Sign in again; nothing was recorded.")
        return sign_in_page(401, error=error, next_page=kept_forms.page_of_request(), kept=kept)
    if _came_without_its_cookie():
        return page("sessions/go_on.html", person=None, places=(), address=_asked())
    return _led("pages.sign_in")


def _locked() -> Response | Redirect:
    if request.method != "POST":
        return _led("pages.locked")
    try:
        session = parts().sessions.session(session_token(), parts().clock())
    except NotSignedIn:
        return _not_signed_in()
    kept = kept_forms.of_request(session.account.id)
    return lock_page(session, kept_forms.page_of_request(), kept, code=401)


def _own_account() -> Redirect:
    """Somebody else has set the password: nothing else can be done but choosing another one."""
    return _elsewhere(url_for("pages.own_account"))


_WAYS_IN: Mapping[str, Callable[[], Response | Redirect]] = {
    problems.NOT_SIGNED_IN.type: _not_signed_in,
    problems.SESSION_LOCKED.type: _locked,
    problems.PASSWORD_EXPIRED.type: _own_account,
}


def _came_without_its_cookie() -> bool:
    """Whether somebody follows a link of another site: the browser keeps the session's cookie to itself then.

    What our own page goes on to comes from here, and with the cookie.
    """
    return COOKIE not in request.cookies and request.headers.get("Sec-Fetch-Site") == "cross-site"


def _led(endpoint: str) -> Response | Redirect:
    """On to a page that lets people in, and back from there to what was asked for."""
    wanted = kept_forms.page_of_request() if is_fragment() else kept_forms.own_page(_asked())
    return _elsewhere(url_for(endpoint, next=wanted if wanted != "/" else None))


def _elsewhere(address: str) -> Response | Redirect:
    if is_fragment():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _asked() -> str:
    return request.full_path.rstrip("?")
