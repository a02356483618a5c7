"""The checklist in the making: one page from top to bottom, evaluated anew with each answer."""

import uuid

from flask import Response

from service.access.roles import Permission
from service.pages.presenters.findings import result_view
from service.pages.rendering import page
from service.pages.section import Section
from service.web.parts import act, parts

section = Section()


@section.page("/drafts/<uuid:draft_id>", needs=Permission.DRAFT_KEEP)
def draft(draft_id: uuid.UUID) -> Response:
    """The page of a draft, as it is now."""
    drafted = parts().drafting.read(str(draft_id), act())
    view = result_view(drafted.evaluated.result, parts().library.vocabulary, drafted.facts.get("dose_number"))
    return page("draft.html", view=view, drafted=drafted)
