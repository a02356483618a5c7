"""Finding checklists. What is looked for is in the body, so that no patient stands in an address."""

from flask import Response

from service.access.roles import Permission
from service.api.bodies import document_received
from service.api.documentation import Answers, Section
from service.api.finding_schemas import HitsSchema, SearchSchema
from service.api.parts import act, parts
from service.api.responses import JSON, as_json
from service.intake.filters import filters_of
from service.records.search import search

section = Section("finding", __doc__, "/api/v1/checklists")
_SEARCH = SearchSchema()


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
