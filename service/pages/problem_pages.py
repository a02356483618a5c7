"""Errors as pages: the same problem that a program is told of, in words for a person, and the way out."""

from typing import Any

from flask import Flask, Response, request

from service.pages.rendering import page
from service.web import problems
from service.web.guard import FORMS

_FOR_PROGRAMS = ("/api/", "/cds-services", "/healthz", "/readyz", "/metrics")


def register(app: Flask) -> None:
    """Show the errors of pages as pages."""
    app.after_request(_as_page)


def _as_page(response: Response) -> Response:
    if response.mimetype != problems.MEDIA_TYPE or not _is_for_a_person():
        return response
    return show(response.get_json(), response)


def _is_for_a_person() -> bool:
    if request.endpoint is not None:
        return request.blueprint == FORMS
    return not request.path.startswith(_FOR_PROGRAMS)


def show(problem: dict[str, Any], response: Response) -> Response:
    """The page for a problem."""
    shown = page("problem.html", code=problem["status"], problem=problem)
    for name in ("Retry-After", "Allow"):
        if name in response.headers:
            shown.headers[name] = response.headers[name]
    return shown
