"""One's own account: password and PIN; and who may do what."""

from collections.abc import Callable

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from service.access.roles import Permission, Role
from service.pages.presenters.people import role_rows
from service.pages.presenters.refusals import NOTHING, REFUSALS, Refused, not_given, refused
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.sessions import sign_in_page
from service.pages.texts import gettext
from service.web import own_account as own
from service.web.cookies import drop_session

section = Section()


@section.page("/account", needs=Permission.OWN_ACCOUNT)
def own_account() -> Response:
    """One's own account."""
    return _account(done=gettext("The PIN is set.") if request.args.get("done") == "pin" else None)


@section.page("/account/password", needs=Permission.OWN_ACCOUNT, method="POST")
def change_own_password() -> Response:
    """Change one's own password; all sessions end, this one too."""
    present, password = request.form.get("present", ""), request.form.get("password", "")
    if (fault := _changed("password", lambda: own.change_password(present, password))) is not None:
        return _account(password_refused=fault)
    response = sign_in_page(done=gettext("The password is changed. Sign in with it."))
    drop_session(response)
    return response


@section.page("/account/pin", needs=Permission.OWN_ACCOUNT, method="POST")
def change_own_pin() -> Response | Redirect:
    """Set or change one's own PIN."""
    present, pin = request.form.get("present"), request.form.get("pin", "")
    if (fault := _changed("pin", lambda: own.change_pin(present, pin))) is not None:
        return _account(pin_refused=fault)
    return redirect(url_for("pages.own_account", done="pin"), 303)


def _changed(name: str, change: Callable[[], None]) -> Refused | None:
    """Change a secret that was typed twice; what is refused, if it is not changed."""
    present = ("present",) if own.own_account().has_password else ()
    if (empty := not_given(request.form, *present, name)) is not None:
        return empty
    if request.form[name] != request.form.get(f"{name}_again"):
        return Refused({f"{name}_again": gettext("This is not the same as above")})
    try:
        change()
    except REFUSALS as error:
        return refused(error, "present")
    return None


def _account(
    password_refused: Refused = NOTHING, pin_refused: Refused = NOTHING, done: str | None = None
) -> Response:
    return page(
        "sessions/account.html",
        code=max(password_refused.code, pin_refused.code),
        account=own.own_account(),
        password_refused=password_refused,
        pin_refused=pin_refused,
        done=done,
    )


@section.page("/roles", needs=Permission.OWN_ACCOUNT)
def roles() -> Response:
    """Who may do what."""
    return page("administration/roles.html", rows=role_rows(), roles=list(Role))
