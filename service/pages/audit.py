"""Audit."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/find", needs=Permission.CHECKLIST_SEARCH)
def find() -> Response:
    """Show it."""
    return page("account.html")


@section.page("/journal", needs=Permission.JOURNAL_READ)
def journal() -> Response:
    """Show it."""
    return page("account.html")
