"""Checklists: make one, read it, read its trace, replay it."""

import re
import uuid

from flask import Response, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from service.access.roles import Permission
from service.api import guidance
from service.api.bodies import received, refused
from service.api.documentation import Answers, Section, parameter
from service.api.schemas import ChecklistSchema, ReplaySchema, TraceSchema
from service.fhir.guidance import MEDIA_TYPE as FHIR_JSON
from service.intake.errors import BadInput, FieldError
from service.intake.json_text import MOST_WITH_BUNDLE, fits
from service.intake.requests import RequestSchema
from service.records.journal import Event
from service.records.stored import Once, StoredChecklist
from service.web.errors import KEY_HEADER
from service.web.parts import act, parts
from service.web.responses import JSON, as_json

section = Section("checklists", __doc__, "/api/v1/checklists")

REPLAYED_HEADER = "Idempotent-Replayed"
_KEY = re.compile(r"[!-~]{1,255}")
_KEY_PARAMETER = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": f"^{_KEY.pattern}$"},
    "description": "A text of visible ASCII characters, new for each new request. A retry with the same key "
    "and the same body answers with the first result (200); with another body it is refused (422).",
}
_FORMAT_PARAMETER = parameter(
    "_format",
    {"type": "string", "enum": ["json", "fhir"], "default": "json"},
    "fhir for a Bundle of FHIR R4 resources.",
)
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "Where the checklist is from now on."}}
_REPLAYED = {
    **_LOCATION,
    REPLAYED_HEADER: {"schema": {"type": "string", "const": "true"}, "description": "Always true here."},
}
_EXAMPLE = {
    "drug": "inebilizumab",
    "region": "US",
    "infusion_at": "2026-12-01T09:00:00-05:00",
    "patient": {"id": "MRN-1001"},
    "facts": {
        "birth_date": "1984-03-02",
        "dose_number": 1,
        "hbsag": {"value": "negative", "at": "2026-11-10", "source": "Observation/31"},
        "vaccinations": [{"cvx": "187", "on": "2026-09-01"}],
    },
}


@section.endpoint(
    "",
    Answers(201, "The result; it is recorded.", ChecklistSchema, _LOCATION),
    Answers(200, "The first result for this key.", ChecklistSchema, _REPLAYED),
    needs=Permission.CHECKLIST_MAKE,
    problems=(400, 413, 415, 422),
    method="POST",
    parameters=(_KEY_PARAMETER,),
    requestBody={"required": True, "content": {JSON: {"schema": RequestSchema, "example": _EXAMPLE}}},
)
def make_checklist() -> Response:
    """Check one infusion of one patient.

    Every check of the drug's pack is answered. Unknown never passes, and nothing is answered that is not
    recorded. 201 says that there is an answer, not that it is a pass: the status is in the body. The body is
    at most 256 KiB long, and 4 MiB where it has a bundle.
    """
    body = received(MOST_WITH_BUNDLE)
    if not fits(body):
        raise RequestEntityTooLarge
    once = _once(body)
    try:
        kept, is_new = parts().making.make(body, act(), once)
    except BadInput as error:
        raise refused(body, error) from None
    return _result(kept, repeated=not is_new)


@section.endpoint(
    "/<uuid:checklist_id>",
    Answers(200, "The result, byte for byte as it was first answered.", ChecklistSchema),
    needs=Permission.CHECKLIST_READ,
    problems=(404, 410, 422),
    parameters=(_FORMAT_PARAMETER,),
    responses={200: {"content": {FHIR_JSON: {"schema": guidance.BUNDLE}}}},
)
def read_checklist(checklist_id: uuid.UUID) -> Response:
    """Read a checklist again, as it was answered or, with `_format=fhir`, as FHIR R4.

    Where another one corrects it, the header Link names that as its successor.
    """
    if guidance.asked_as_fhir():
        return guidance.answer(str(checklist_id))
    found = parts().store.read(str(checklist_id), act())
    response = Response(found.result, mimetype=JSON)
    if found.superseded_by is not None:
        address = url_for("checklists.read_checklist", checklist_id=found.superseded_by)
        response.headers["Link"] = f'<{address}>; rel="successor-version"'
    return response


@section.endpoint(
    "/<uuid:checklist_id>/trace",
    Answers(200, "Every rule, fired or not, down to each compared value.", TraceSchema),
    needs=Permission.TRACE_READ,
    problems=(404, 410),
)
def read_trace(checklist_id: uuid.UUID) -> Response:
    """Read why each rule of a checklist fired, did not fire, or could not be decided."""
    found = parts().store.read(str(checklist_id), act(), Event.TRACE_VIEWED)
    return Response(found.trace, mimetype=JSON)


@section.endpoint(
    "/<uuid:checklist_id>/replay",
    Answers(200, "Whether the same came out again.", ReplaySchema),
    needs=Permission.CHECKLIST_REPLAY,
    problems=(404, 409, 410),
    method="POST",
)
def replay_checklist(checklist_id: uuid.UUID) -> Response:
    """Evaluate the stored request again, under the stored pack and policy.

    Result and trace are compared with the stored ones byte for byte.
    """
    return as_json(parts().replayer.replay(str(checklist_id), act()))


def _once(body: bytes) -> Once | None:
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise BadInput([FieldError(KEY_HEADER, "must be 1 to 255 visible ASCII characters")])
    return Once.of(key, body)


def _result(entry: StoredChecklist, *, repeated: bool) -> Response:
    response = Response(entry.result, 200 if repeated else 201, mimetype=JSON)
    response.headers["Location"] = url_for("checklists.read_checklist", checklist_id=entry.id)
    if repeated:
        response.headers[REPLAYED_HEADER] = "true"
    return response
