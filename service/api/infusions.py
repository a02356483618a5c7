"""Planned infusions: senders tell of them by webhook, and the worklist shows what is in their way."""

from typing import Any

from flask import Flask, Response, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from service.access.roles import Permission
from service.api.bodies import document_received, query_received, received, refused
from service.api.checklists import REPLAYED_HEADER
from service.api.documentation import Answers, Section, parameters_of
from service.api.infusion_schemas import TakenSchema, WorklistAskedSchema, WorklistSchema
from service.api.sender_door import sent_by
from service.intake.errors import BadInput, FieldError
from service.intake.json_text import MOST_WITH_BUNDLE, fits
from service.web import problems
from service.web.guard import A_SENDER
from service.web.parts import act, parts
from service.web.responses import JSON, as_json, as_problem
from service.webhooks.incoming import MessageSchema
from service.webhooks.infusions import MessageReused, Taken
from service.webhooks.signing import ID, SIGNATURE, TIMESTAMP
from service.webhooks.worklist import WorklistSearchSchema, asked_of, worklist

section = Section("infusions", __doc__, "/api/v1")

_SAYS = {
    ID: "The sender's own id of the message: the same with each attempt to send it, and with no other one.",
    TIMESTAMP: "When it was signed, in seconds since 1970; within 5 minutes of now.",
    SIGNATURE: "One or more signatures, each as v1, and base64, with a space between them.",
}
_SIGNED = tuple(
    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": says}
    for name, says in _SAYS.items()
)
_REPLAYED = {
    REPLAYED_HEADER: {"schema": {"type": "string"}, "description": "true, where the message came before."}
}
_EXAMPLE = {
    "type": "infusion.scheduled",
    "timestamp": "2026-11-27T10:15:00Z",
    "data": {
        "infusion": "CHAIR-2026-118",
        "drug": "inebilizumab",
        "region": "US",
        "infusion_at": "2026-12-01T09:00:00-05:00",
        "patient": {"id": "MRN-1001"},
        "facts": {"birth_date": "1984-03-02", "dose_number": 1},
    },
}
_ASKED = WorklistAskedSchema()
_SEARCH = {"from": "2026-12-01", "to": "2026-12-03", "patient": "MRN-1001"}


@section.endpoint(
    "/webhooks/infusions",
    Answers(202, "Taken; with facts or a bundle, checked.", TakenSchema),
    Answers(200, "It came before, or a later one did: nothing was changed by it.", TakenSchema, _REPLAYED),
    needs=A_SENDER,
    problems=(400, 413, 415, 422),
    method="POST",
    parameters=_SIGNED,
    requestBody={"required": True, "content": {JSON: {"schema": MessageSchema, "example": _EXAMPLE}}},
)
def take_infusion() -> Response:
    """Take a message of a sender: an infusion was scheduled, changed or cancelled.

    It is signed as Standard Webhooks 1.0.0 have it. The infusion is in the worklist from now on, and what the
    message has of the patient's facts is checked at once, as by a request for a checklist. A refused message
    leaves nothing behind, and can be sent again with its id when it is mended.
    """
    body, (sender, id) = received(MOST_WITH_BUNDLE), sent_by()
    if not fits(body):
        raise RequestEntityTooLarge
    try:
        taken = parts().infusions.take(sender, id, body, act())
    except BadInput as error:
        raise refused(body, error) from None
    response = as_json(_answer(taken))
    response.status_code = 202 if taken.answer["applied"] and not taken.repeated else 200
    if taken.repeated:
        response.headers[REPLAYED_HEADER] = "true"
    return response


@section.endpoint(
    "/infusions",
    Answers(200, "The worklist.", WorklistSchema),
    needs=Permission.INFUSION_READ,
    problems=(422,),
    parameters=parameters_of(_ASKED, "from", "to", "drug"),
)
def read_worklist() -> Response:
    """List the planned infusions of some days, those that need somebody first. The listing is recorded."""
    return _worklist(query_received(_ASKED))


@section.endpoint(
    "/infusions/search",
    Answers(200, "The worklist.", WorklistSchema),
    needs=Permission.INFUSION_READ,
    problems=(400, 413, 415, 422),
    method="POST",
    requestBody={"required": True, "content": {JSON: {"schema": WorklistSearchSchema, "example": _SEARCH}}},
)
def search_infusions() -> Response:
    """List the planned infusions of some days, of one patient where one is asked for.

    What is looked for is in the body: no patient is in an address. The listing is recorded.
    """
    return _worklist(document_received(WorklistSearchSchema()))


def _worklist(given: dict[str, Any]) -> Response:
    asking, zone = act(), parts().time_zone
    asked = asked_of(given, parts().library, asking.at, zone)
    return as_json(worklist(parts().store.records, asked, asking, zone, parts().library).document())


def _answer(taken: Taken) -> dict[str, Any]:
    made = taken.answer["checklist"]
    if made is None:
        return dict(taken.answer)
    link = (parts().public_url or "") + url_for("checklists.read_checklist", checklist_id=made["id"])
    return {**taken.answer, "checklist": {**made, "link": link}}


def _message_reused(_error: MessageReused) -> Response:
    detail = "This message id came before with another body. Send a new id with a new message."
    errors = [FieldError(ID, "came before with another body")]
    return as_problem(problems.document(problems.MESSAGE_REUSED, detail, errors))


def register_errors(app: Flask) -> None:
    """Answer each of these errors with a problem."""
    app.register_error_handler(MessageReused, _message_reused)
