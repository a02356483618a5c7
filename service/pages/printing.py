"""A recorded checklist on paper: a page to print, and the same as a PDF. Both come from what is stored."""

import uuid

from flask import Response

from service.access.roles import Permission
from service.pages.paper import CannotDraw, pdf_drawing, qr_code, whole_address
from service.pages.presenters.printing import Printout, printout
from service.pages.rendering import page
from service.pages.section import Section
from service.pages.texts import gettext
from service.web import problems
from service.web.parts import act, parts, someone
from service.web.responses import as_problem

section = Section()
_NO_PDF = (
    "This server lacks the library that draws a PDF; the address that ends in /print has the same to print."
)


@section.page("/checklists/<uuid:checklist_id>/print", needs=Permission.CHECKLIST_READ)
def print_checklist(checklist_id: uuid.UUID) -> Response:
    """The page that is printed from a browser."""
    return _sheet(_read(checklist_id))


@section.page("/checklists/<uuid:checklist_id>/pdf", needs=Permission.CHECKLIST_READ)
def checklist_pdf(checklist_id: uuid.UUID) -> Response:
    """The same page as a PDF; a problem where nothing here can draw one."""
    try:
        draw = pdf_drawing()
    except CannotDraw:
        return as_problem(problems.document(problems.NO_PDF, _NO_PDF))
    sheet = _read(checklist_id)
    drawn = Response(draw(_sheet(sheet).get_data(as_text=True), sheet.id), mimetype="application/pdf")
    drawn.headers["Content-Disposition"] = f'inline; filename="checklist-{sheet.id}.pdf"'
    return drawn


def _read(checklist_id: uuid.UUID) -> Printout:
    """The record for somebody who prints it; entered as such."""
    record = parts().visits.record(str(checklist_id), act())
    address = whole_address("pages.checklist", record.subject.id)
    return printout(record, parts().library.vocabulary, parts().time_zone, address=address, person=someone())


def _sheet(sheet: Printout) -> Response:
    code = qr_code(sheet.address, gettext("QR code with the address of this record"))
    return page("print.html", sheet=sheet, qr_code=code)
