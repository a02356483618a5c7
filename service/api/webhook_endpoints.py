"""For administrators: who is told of events by webhook, what was delivered, and what is sent again."""

import uuid
from typing import Any

from flask import Flask, Response

from service.access.roles import Permission
from service.api.bodies import document_if_any, document_received, query_received
from service.api.documentation import Answers, Section, parameter, takes
from service.api.webhook_endpoint_schemas import (
    DeliveriesAskedSchema,
    DeliveriesSchema,
    EndpointChangeSchema,
    EndpointSchema,
    EndpointSecretSchema,
    EndpointsSchema,
    NewEndpointSchema,
    ResendSchema,
    ResentSchema,
    RotationSchema,
)
from service.records.tables import moment_text
from service.web import problems
from service.web.parts import act, parts
from service.web.responses import JSON, as_json, as_problem
from service.webhooks.deliveries import MOST, NoSuchDelivery
from service.webhooks.endpoints import Endpoint, NoSuchEndpoint
from service.webhooks.outbox import STATES
from service.webhooks.signing import OlderSecretGood

section = Section("webhook_endpoints", __doc__, "/api/v1/webhooks")

_MANAGE = Permission.WEBHOOKS_MANAGE
_TAKEN = (400, 413, 415, 422)
_ENDPOINT = Answers(200, "The endpoint.", EndpointSchema)
_ASKED = DeliveriesAskedSchema()


@section.endpoint("/endpoints", Answers(200, "Every endpoint.", EndpointsSchema), needs=_MANAGE)
def list_endpoints() -> Response:
    """List the endpoints, with how they fare."""
    return as_json({"endpoints": [_document(each) for each in parts().endpoints.all()]})


@section.endpoint(
    "/endpoints",
    Answers(201, "The endpoint, and its secret, shown this once.", EndpointSecretSchema),
    needs=_MANAGE,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(NewEndpointSchema),
)
def add_endpoint() -> Response:
    """Tell an endpoint of what happens from now on.

    Messages are those of Standard Webhooks 1.0.0: verify webhook-signature, and know a message that came
    before by its webhook-id. A message that does not arrive is sent again for 72 hours.
    """
    endpoint, secret = parts().endpoints.add(**document_received(NewEndpointSchema()), act=act())
    response = as_json({**_document(endpoint), "secret": secret})
    response.status_code = 201
    return response


@section.endpoint(
    "/endpoints/<uuid:endpoint_id>",
    _ENDPOINT,
    needs=_MANAGE,
    problems=(*_TAKEN, 404),
    method="PATCH",
    requestBody=takes(EndpointChangeSchema),
)
def change_endpoint(endpoint_id: uuid.UUID) -> Response:
    """Change what an endpoint is told of. Another address is another endpoint, with a secret of its own."""
    changes = document_received(EndpointChangeSchema())
    return as_json(_document(parts().endpoints.change(str(endpoint_id), act(), **changes)))


@section.endpoint(
    "/endpoints/<uuid:endpoint_id>",
    Answers(204, "Removed."),
    needs=_MANAGE,
    problems=(404,),
    method="DELETE",
)
def remove_endpoint(endpoint_id: uuid.UUID) -> Response:
    """Send an endpoint nothing more; what has waited for it is deleted."""
    parts().endpoints.remove(str(endpoint_id), act())
    return Response(status=204)


@section.endpoint(
    "/endpoints/<uuid:endpoint_id>/rotate",
    Answers(200, "The endpoint, and its other secret, shown this once.", EndpointSecretSchema),
    needs=_MANAGE,
    problems=(*_TAKEN, 404, 409),
    method="POST",
    requestBody={"required": False, "content": {JSON: {"schema": RotationSchema}}},
)
def rotate_endpoint(endpoint_id: uuid.UUID) -> Response:
    """Give an endpoint another secret. For 24 hours the one before signs every message too.

    Within these it is not replaced again, unless it is to stop now, as where one has leaked.
    """
    at_once = document_if_any(RotationSchema()).get("now") == "yes"
    endpoint, secret = parts().endpoints.rotate(str(endpoint_id), act(), at_once=at_once)
    return as_json({**_document(endpoint), "secret": secret})


@section.endpoint(
    "/endpoints/<uuid:endpoint_id>/pause", _ENDPOINT, needs=_MANAGE, problems=(404,), method="POST"
)
def pause_endpoint(endpoint_id: uuid.UUID) -> Response:
    """Send an endpoint nothing until it is resumed; what happens meanwhile waits."""
    return as_json(_document(parts().endpoints.pause(str(endpoint_id), act())))


@section.endpoint(
    "/endpoints/<uuid:endpoint_id>/resume", _ENDPOINT, needs=_MANAGE, problems=(404,), method="POST"
)
def resume_endpoint(endpoint_id: uuid.UUID) -> Response:
    """Send an endpoint what has waited, however it came to be paused; attempts are counted anew."""
    return as_json(_document(parts().endpoints.resume(str(endpoint_id), act())))


@section.endpoint(
    "/deliveries",
    Answers(200, "A page of deliveries.", DeliveriesSchema),
    needs=_MANAGE,
    problems=(422,),
    parameters=(
        parameter("state", {"type": "string", "enum": [*STATES]}, "Only these; dead is what was given up."),
        parameter("endpoint", {"type": "string", "format": "uuid"}, "Only those for this endpoint."),
        parameter("after", {"type": "string"}, "Where the page before ended."),
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST}, "How many at most."),
    ),
)
def list_deliveries() -> Response:
    """List deliveries in the order of their events. None names a patient; settled ones are kept 30 days."""
    asked = query_received(_ASKED)
    after, limit = asked.pop("after", None), asked.pop("limit")
    page = parts().deliveries.page({name: str(value) for name, value in asked.items()}, after, limit)
    return as_json({"deliveries": [each.document() for each in page.deliveries], "after": page.after})


@section.endpoint(
    "/deliveries/<uuid:message>/replay",
    Answers(200, "It is sent again.", ResentSchema),
    needs=_MANAGE,
    problems=(404,),
    method="POST",
)
def replay_delivery(message: uuid.UUID) -> Response:
    """Send a message again that arrived or was given up, or now that waits, under the same webhook-id."""
    return as_json({"deliveries": parts().deliveries.replay(str(message), act())})


@section.endpoint(
    "/deliveries/replay",
    Answers(200, "They are sent again.", ResentSchema),
    needs=_MANAGE,
    problems=_TAKEN,
    method="POST",
    requestBody=takes(ResendSchema),
)
def replay_dead_deliveries() -> Response:
    """Send all messages again that were given up since a time, under the same ids and in order."""
    asked = document_received(ResendSchema())
    endpoint = str(asked["endpoint"]) if "endpoint" in asked else None
    return as_json({"deliveries": parts().deliveries.replay_dead(asked["since"], act(), endpoint)})


def _document(endpoint: Endpoint) -> dict[str, Any]:
    times = ("created_at", "older_until", "failing_since", "held_until", "paused_at")
    told = {name: moment_text(at) for name in times if (at := getattr(endpoint, name))}
    return {**vars(endpoint), **told}


def _no_such_endpoint(_error: NoSuchEndpoint) -> Response:
    return as_problem(problems.document(problems.NO_ENDPOINT, "No endpoint has this id."))


def _no_such_delivery(_error: NoSuchDelivery) -> Response:
    detail = "No message with this id waits, or arrived or was given up within the last 30 days."
    return as_problem(problems.document(problems.NO_DELIVERY, detail))


def _older_secret_good(error: OlderSecretGood) -> Response:
    until = f"The secret before this one is good until {moment_text(error.until)}: rotate then."
    detail = f'{until} Where a secret has leaked, send {{"now": "yes"}}: older ones stop at once.'
    return as_problem(problems.document(problems.CANNOT_ACT, detail))


def register_errors(app: Flask) -> None:
    """Answer each of these errors with a problem."""
    app.register_error_handler(NoSuchEndpoint, _no_such_endpoint)
    app.register_error_handler(NoSuchDelivery, _no_such_delivery)
    app.register_error_handler(OlderSecretGood, _older_secret_good)
