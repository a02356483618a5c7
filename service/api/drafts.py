"""Drafts: what somebody has entered for a patient and not yet asked about."""

import uuid
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from service.access.roles import Permission
from service.api import described as a
from service.api.bodies import document_received, received, refused
from service.api.documentation import Answers, Section, takes
from service.intake.errors import BadInput, FieldError
from service.intake.json_text import parse
from service.intake.requests import PatientSchema
from service.intake.values import Refused, read_text
from service.records.canonical import canonical
from service.records.drafts import Draft
from service.records.tables import moment_text
from service.web.parts import act, parts
from service.web.responses import JSON, as_json

section = Section("drafts", __doc__, "/api/v1/drafts")

_TAKEN = (400, 413, 415, 422)
_ANY: dict[str, Any] = {
    "type": "object",
    "properties": {"patient": {"type": "object", "properties": {"id": {"type": ["string", "null"]}}}},
}
_EXAMPLE = {"drug": "inebilizumab", "patient": {"id": "MRN-1001"}, "facts": {"dose_number": 1}}


class DraftKeptSchema(Schema):
    """Which draft it is, and who kept it last, and when."""

    id = a.text(metadata={"format": "uuid"})
    kept_by = a.text()
    kept_at = a.moment()


class DraftSchema(DraftKeptSchema):
    """A draft."""

    draft = fields.Raw(required=True, metadata={**_ANY, "description": "As it was sent."})


class DraftsSchema(Schema):
    """The drafts of a patient."""

    drafts = a.each(DraftKeptSchema)


class DraftSearchSchema(Schema):
    """Whose drafts."""

    patient = fields.Nested(PatientSchema, required=True)


@section.endpoint(
    "/<uuid:draft_id>",
    Answers(201, "Kept.", DraftKeptSchema),
    Answers(200, "Kept, in place of what was kept before.", DraftKeptSchema),
    needs=Permission.DRAFT_KEEP,
    problems=(*_TAKEN, 404),
    method="PUT",
    requestBody={"required": True, "content": {JSON: {"schema": _ANY, "example": _EXAMPLE}}},
)
def keep_draft(draft_id: uuid.UUID) -> Response:
    """Keep a draft under an id of the caller's making.

    It is any JSON object; with `patient.id`, as in the request for a checklist, it is found again by patient.
    What was kept under the id before is gone: read it first, and see who kept it.
    """
    body = received()
    try:
        document = parse(body)
    except BadInput as error:
        raise refused(body, error) from None
    draft, is_new = parts().drafts.keep(str(draft_id), body, _patient(document), act())
    response = as_json(_kept(draft))
    response.status_code = 201 if is_new else 200
    return response


@section.endpoint(
    "/<uuid:draft_id>",
    Answers(200, "The draft, as it was sent.", DraftSchema),
    needs=Permission.DRAFT_KEEP,
    problems=(404,),
)
def read_draft(draft_id: uuid.UUID) -> Response:
    """Read a draft, to go on with it."""
    draft = parts().drafts.read(str(draft_id), act())
    # The draft's own text goes in as it came: reading and writing it again could change its numbers.
    text = draft.body.decode("utf-8-sig").encode()
    return Response(canonical(_kept(draft))[:-1] + b',"draft":' + text + b"}", mimetype=JSON)


@section.endpoint(
    "/<uuid:draft_id>",
    Answers(204, "Discarded."),
    needs=Permission.DRAFT_KEEP,
    problems=(404,),
    method="DELETE",
)
def discard_draft(draft_id: uuid.UUID) -> Response:
    """Discard a draft, as when its checklist has been made."""
    parts().drafts.discard(str(draft_id), act())
    return Response(status=204)


@section.endpoint(
    "/search",
    Answers(200, "The drafts, the one kept last first; at most 100.", DraftsSchema),
    needs=Permission.DRAFT_KEEP,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(DraftSearchSchema),
)
def search_drafts() -> Response:
    """Find the drafts of a patient: which there are, never what is in them."""
    wanted = document_received(DraftSearchSchema())["patient"]["id"]
    return as_json({"drafts": [_kept(draft) for draft in parts().drafts.of_patient(wanted, act())]})


def _kept(draft: Draft) -> dict[str, Any]:
    return {"id": draft.id, "kept_by": draft.actor, "kept_at": moment_text(draft.updated_at)}


def _patient(document: Any) -> str | None:
    """Whose draft it is, if it says so. Raises BadInput."""
    if not isinstance(document, dict):
        raise BadInput([FieldError("", "must be a JSON object")])
    patient = document.get("patient")
    if patient is None:
        return None
    if not isinstance(patient, dict):
        raise BadInput([FieldError("patient", "must be an object with id")])
    if patient.get("id") is None:
        return None
    try:
        return read_text(patient["id"])
    except Refused as error:
        raise BadInput([FieldError("patient.id", error.message)]) from None
