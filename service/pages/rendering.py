"""A template as a response: what every page is given, and what a browser may do with it."""

import secrets
from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, render_template, request
from flask_babel import get_locale
from jinja2 import StrictUndefined
from markupsafe import Markup

from service.access.principal import Principal
from service.access.roles import Permission
from service.access.sessions import IDLE
from service.pages import assets, components, moments
from service.pages.kept_forms import FORM_OWNER
from service.pages.language import LANGUAGES
from service.pages.navigation import ROLE_WORDS, Place, places_of
from service.pages.statuses import DECISIONS, KIND_WORDS, MARKS
from service.web.guard import FORM_KEY
from service.web.parts import parts

_NONCE_BYTES = 16
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}' 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page(template: str, *, code: int = 200, **view: Any) -> Response:
    """A template with what it shows. A name that the template asks for and is not given is an error."""
    g.nonce = secrets.token_urlsafe(_NONCE_BYTES)
    response = Response(render_template(template, **view), code, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY.format(nonce=g.nonce)
    # With no-referrer a browser would send each form with `Origin: null`, as from a site that is not ours.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def whole_page(response: Response) -> Response:
    """A page as the answer to whatever was asked: htmx puts it in the place of the whole page."""
    if is_fragment():
        response.headers["HX-Retarget"] = "body"
        response.headers["HX-Reswap"] = "outerHTML"
    return response


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page, rather than a browser for the whole of it."""
    return request.headers.get("HX-Request") == "true"


def register(app: Flask) -> None:
    """Let templates be strict, and give them what every page shows."""
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    moments.register(app)
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    person: Principal | None = g.get("principal")
    return {
        "ui": components.ALL,
        "asset": assets.address,
        "nonce": g.get("nonce", ""),
        "form_key": _form_key,
        "person": person,
        "may": person.may if person is not None else _nothing,
        "places": _places(person),
        "here": request.endpoint or "",
        "address": request.full_path.rstrip("?") if request.method == "GET" and request.endpoint else "",
        "locks_after": int(IDLE.total_seconds()),
        "language": str(get_locale()),
        "languages": LANGUAGES,
        "marks": MARKS,
        "decisions": DECISIONS,
        "kind_words": KIND_WORDS,
        "role_words": ROLE_WORDS,
        "demonstration": parts().store.records.demonstration,
        "Permission": Permission,
    }


def _nothing(_permission: Permission) -> bool:
    return False


def _places(person: Principal | None) -> Sequence[Place]:
    return places_of(person) if person is not None else ()


def _form_key() -> Markup:
    """The fields that every form has which changes something: its key, and whose form it is."""
    person: Principal | None = g.get("principal")
    field = Markup('<input type="hidden" name="{}" value="{}">')
    owner = field.format(FORM_OWNER, person.account) if person is not None else Markup()
    return field.format(FORM_KEY, g.get("form_key", "")) + owner
