"""Quality."""

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/quality", needs=Permission.QUALITY_READ)
def quality() -> Response:
    """Show it."""
    return page("account.html")
