"""Finding checklists, and taking them out. What is looked for is in the body: no patient is in an address."""

import itertools

from flask import Response

from service.access.roles import Permission
from service.api.bodies import document_received
from service.api.documentation import Answers, Section
from service.api.finding_schemas import ExportSchema, HitsSchema, SearchSchema
from service.intake.filters import filters_of
from service.records.checklist_export import Format, export
from service.records.search import search
from service.web.parts import act, parts
from service.web.responses import CSV, JSON, NDJSON, as_json

section = Section("finding", __doc__, "/api/v1/checklists")
_SEARCH, _EXPORT = SearchSchema(), ExportSchema()
_FILE = {"Content-Disposition": {"schema": {"type": "string"}, "description": "A name for the file."}}


@section.endpoint(
    "/search",
    Answers(200, "A page of checklists, the newest first.", HitsSchema),
    needs=Permission.CHECKLIST_SEARCH,
    problems=(400, 413, 415, 422),
    method="POST",
    requestBody={
        "required": True,
        "content": {
            JSON: {"schema": SearchSchema, "example": {"patient": "MRN-1001", "outcome": "none"}},
        },
    },
)
def search_checklists() -> Response:
    """Find checklists by all of the filters that are given.

    A period holds its first moment and not its last. Rule, check and verdict are asked of one rule, and where
    an answer or its reason is asked for too, of the answer to that rule. The search is recorded.
    """
    asked = document_received(_SEARCH)
    filters = filters_of(asked, parts().library)
    found = search(parts().store.records, filters, act(), **asked)
    return as_json({"checklists": [hit.document() for hit in found.hits], "cursor": found.cursor})


@section.endpoint(
    "/export",
    Answers(200, "Every checklist that is as asked, the oldest first.", {"type": "string"}, _FILE, NDJSON),
    needs=Permission.CHECKLIST_EXPORT,
    problems=(400, 413, 415, 422),
    method="POST",
    requestBody={
        "required": True,
        "content": {JSON: {"schema": ExportSchema, "example": {"drug": "inebilizumab", "format": "csv"}}},
    },
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
def export_checklists() -> Response:
    """Take out all checklists that are as asked.

    The filters are those of a search. As ndjson, each line is a checklist with its request, result and trace,
    its answers and its outcome. As csv, each line is a finding and how it was answered; what a spreadsheet
    would run stands behind an apostrophe. The export is recorded before its first line is sent; one that
    breaks off is not whole.
    """
    asked = document_received(_EXPORT)
    form = Format(asked.pop("format"))
    taken = export(parts().store.records, filters_of(asked, parts().library), form, act())
    response = Response(
        itertools.chain([taken.head], taken.parts), mimetype=CSV if form is Format.CSV else NDJSON
    )
    response.headers["Content-Disposition"] = f'attachment; filename="checklists.{form}"'
    return response
