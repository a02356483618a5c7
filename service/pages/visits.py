"""A recorded checklist: what was found, and what was answered, signed and done about it."""

import uuid

from flask import Response

from service.access.roles import Permission
from service.pages.presenters.visit_acts import erased_view
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.visit_page import read, show
from service.web.parts import parts

section = Section()


@section.page("/checklists/<uuid:checklist_id>", needs=Permission.CHECKLIST_READ)
def checklist(checklist_id: uuid.UUID) -> Response:
    """The page of a visit; of an erased patient what is left."""
    record = read(checklist_id)
    if record.subject.kept is None:
        return page("visit/erased.html", view=erased_view(record, parts().time_zone))
    return show(record)
