"""Beginning."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/checklists/new", needs=Permission.DRAFT_KEEP)
def new_checklist() -> Response:
    """Show it."""
    return page("account.html")
