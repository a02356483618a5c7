"""CDS Hooks: EHRs ask when an order is signed, a chair is booked or a patient arrives, and get cards."""

from typing import Any

from flask import Response, request
from werkzeug.exceptions import NotFound

from service.api import outcomes
from service.api.bodies import received, refused
from service.api.cds_answer_schemas import CardsSchema, DiscoverySchema, OperationOutcomeSchema
from service.api.cds_schemas import CALLS, FeedbacksSchema, call_of, told_of
from service.api.cors import SERVICES
from service.api.documentation import WAITS, Answers, Section, takes
from service.api.ehr_door import caller, own_address
from service.ehr.answering import Caller
from service.ehr.hooks import SERVICE, discovery
from service.intake.errors import BadInput
from service.intake.json_text import parse
from service.web.guard import AN_EHR
from service.web.parts import act, parts
from service.web.responses import as_json

section = Section("cds_hooks", __doc__, SERVICES)

MOST_BYTES = 4 * 1024 * 1024  # a call brings the whole chart along
_ERRORS = {
    400: "Not well formed, a hook that is none of this service, or something missing: where is said.",
    404: "No service with this id.",
    412: "It cannot be known for which drug it is: what is missing is said.",
    413: "Larger than 4 MiB.",
    415: "Not application/json.",
    422: "Something of another patient (recorded); or feedback on what is no card of this EHR, or of a time "
    "at which nobody can have seen it.",
    429: "Too much was asked within a minute.",
    500: "The service failed.",
    503: "The records cannot be read or written.",
}


def _errors(*statuses: int) -> tuple[Answers, ...]:
    limited = Answers(429, _ERRORS[429], OperationOutcomeSchema, WAITS)
    always = (Answers(each, _ERRORS[each], OperationOutcomeSchema) for each in (*statuses, 500, 503))
    return (limited, *always)


@section.endpoint(
    "",
    Answers(200, "The service, once for each hook.", DiscoverySchema),
    *_errors(),
    needs=AN_EHR,
)
def discover() -> Response:
    """Tell which hooks are answered, and what to search for beforehand."""
    return as_json(discovery(parts().answering.gathering.searches))


@section.endpoint(
    "/<service_id>",
    Answers(200, "The cards, worst first.", CardsSchema),
    *_errors(400, 404, 412, 413, 415, 422),
    needs=AN_EHR,
    method="POST",
    requestBody=takes({"oneOf": CALLS}),
)
def call(service_id: str) -> Response:
    """Answer a hook with cards; each order of a drug with rules here is a checklist, which is recorded.

    No card means that no order is of such a drug. A fault of ours is a critical card.
    """
    _check(service_id)
    said = call_of(_document())
    asking = Caller(caller().client, act(), own_address())
    given = parts().answering.cards(said, asking)
    return as_json({"cards": [card.document for card in given]})


@section.endpoint(
    "/<service_id>/feedback",
    Answers(200, "Entered, or entered before."),
    *_errors(400, 404, 413, 415, 422),
    needs=AN_EHR,
    method="POST",
    requestBody=takes(FeedbacksSchema),
)
def take_feedback(service_id: str) -> Response:
    """Take what was done about cards, all of it or nothing. The same told again is entered once.

    It is no override of a finding: that needs the prescriber's own signature in the record.
    """
    _check(service_id)
    told = told_of(_document())
    try:
        parts().card_feedback.enter(told, caller().client.name, act())
    except BadInput as error:
        return outcomes.not_about_cards(error)
    response = Response(status=200)
    del response.headers["Content-Type"]  # there is nothing in it
    return response


def _check(service_id: str) -> None:
    if service_id != SERVICE:
        raise NotFound


def _document() -> Any:
    """The body as JSON. Raises BadInput, NotJson, UnsupportedMediaType, RequestEntityTooLarge, BadRequest."""
    request.max_content_length = MOST_BYTES + 1
    body = received(MOST_BYTES)
    try:
        return parse(body, MOST_BYTES)
    except BadInput as error:
        raise refused(body, error) from None


outcomes.register(section.blueprint)
