"""Visits."""

import uuid

from flask import Response

from service.access.roles import Permission
from service.pages.rendering import page
from service.pages.section import Section

section = Section()


@section.page("/checklists/<uuid:checklist_id>", needs=Permission.CHECKLIST_READ)
def checklist(checklist_id: uuid.UUID) -> Response:
    """Show it."""
    return page("account.html")
