"""Worklist."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/today", needs=Permission.INFUSION_READ)
def today() -> Response:
    """Show it."""
    return page("account.html")


@section.page("/forecast", needs=Permission.INFUSION_READ)
def forecast() -> Response:
    """Show it."""
    return page("account.html")
