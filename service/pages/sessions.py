"""Signing in and out, locking and unlocking, and the language of the pages."""

from flask import Response, redirect, request
from werkzeug.wrappers import Response as Redirect

from service.access.roles import Permission
from service.pages.language import COOKIE, LANGUAGES
from service.pages.rendering import page
from service.pages.section import Section
from service.web.guard import EVEN_LOCKED, PUBLIC, session_token
from service.web.parts import act, parts

section = Section()


@section.page("/account", needs=Permission.OWN_ACCOUNT)
def own_account() -> Response:
    """One's own account."""
    return page("account.html")


@section.page("/lock", needs=EVEN_LOCKED, method="POST")
def lock() -> Redirect:
    """Lock one's own session."""
    return redirect("/", 303)


@section.page("/sign-out", needs=EVEN_LOCKED, method="POST")
def sign_out() -> Redirect:
    """Sign out, from a locked session too."""
    parts().sessions.end(session_token(), act())
    return redirect("/", 303)


@section.page("/language", needs=PUBLIC, method="POST")
def choose_language() -> Redirect:
    """Keep the language that was chosen, on this device."""
    response = redirect("/", 303)
    if (chosen := request.form.get("language", "")) in LANGUAGES:
        response.set_cookie(COOKIE, chosen, path="/", secure=True, httponly=True, samesite="Strict")
    return response
