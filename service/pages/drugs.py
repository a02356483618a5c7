"""Drugs."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/drugs", needs=Permission.KNOWLEDGE_READ)
def drugs() -> Response:
    """Show it."""
    return page("account.html")
