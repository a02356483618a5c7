"""The bodies of requests and responses about endpoints of webhooks and what is delivered to them."""

from typing import Any

from marshmallow import Schema, fields, validate

from service.api import described as a
from service.intake.filters import YesNo
from service.intake.requests import Moment
from service.webhooks.deliveries import MOST, USUAL
from service.webhooks.endpoints import BY_HAND, FAILING, GONE, LONGEST_URL, EventType
from service.webhooks.outbox import STATES

_TYPES = [event.value for event in EventType]
_TYPE, _STATE = validate.OneOf(_TYPES), validate.OneOf(STATES)
_FULL = "Whether messages hold results, reasons and outcomes too; else they name the checklist."
_MAYBE_TIME = {"format": "date-time"}


def _events(*, required: bool) -> fields.List[Any]:
    return fields.List(
        fields.String(validate=_TYPE), required=required, validate=validate.Length(1, len(_TYPES))
    )


def _full(**options: Any) -> YesNo:
    return YesNo(metadata={"type": "boolean", "description": _FULL}, **options)


class NewEndpointSchema(Schema):
    """Who is told of what from now on."""

    url = fields.String(
        required=True,
        validate=validate.Length(1, LONGEST_URL),
        metadata={
            "description": "By https, on the public internet.",
            "example": "https://ehr.example.org/hooks",
        },
    )
    events = _events(required=True)
    full = _full(load_default=False)


class EndpointChangeSchema(Schema):
    """What an endpoint is told of; what is left out stays."""

    events = _events(required=False)
    full = _full()


class RotationSchema(Schema):
    """How a secret is replaced."""

    now = fields.String(
        validate=validate.OneOf(("yes", "no")),
        metadata=a.said("yes where a secret has leaked: the older ones stop at once. Default: no."),
    )


class EndpointSchema(Schema):
    """An endpoint, never its secrets."""

    id = a.text(metadata={"format": "uuid"})
    url = a.text()
    events = fields.List(fields.String(validate=_TYPE), required=True)
    full = a.flag(metadata=a.said(_FULL))
    created_at = a.moment()
    older_until = a.maybe(
        metadata={**_MAYBE_TIME, "description": "Until then the secret before signs every message too."}
    )
    failing_since = a.maybe(
        metadata={**_MAYBE_TIME, "description": "The first failure after the last success."}
    )
    held_until = a.maybe(metadata={**_MAYBE_TIME, "description": "It asked to be left alone until then."})
    paused_at = a.maybe(metadata=_MAYBE_TIME)
    paused_because = a.maybe(validate=validate.OneOf([BY_HAND, GONE, FAILING, None]))
    waiting = a.number(metadata=a.said("Deliveries that are not sent yet, or not with success."))
    behind = a.number(metadata=a.said("Entries of the journal that were not looked at for it yet."))


class EndpointSecretSchema(EndpointSchema):
    """An endpoint, and the secret that signs its messages from now on."""

    secret = a.text(metadata=a.said("Shown this once, as whsec_ and base64."))


class EndpointsSchema(Schema):
    """Every endpoint, the oldest first."""

    endpoints = a.each(EndpointSchema)


class DeliveriesAskedSchema(Schema):
    """Which deliveries are wanted."""

    state = fields.String(validate=_STATE)
    endpoint = fields.UUID()
    after = fields.String()
    limit = fields.Integer(load_default=USUAL, validate=validate.Range(1, MOST))


class DeliverySchema(Schema):
    """One event for one endpoint."""

    message = a.text(metadata={"format": "uuid", "description": "webhook-id, the same at each attempt."})
    endpoint = a.text(metadata={"format": "uuid"})
    type = a.text(validate=_TYPE)
    sequence = a.number(metadata=a.said("The entry of the journal that it tells of."))
    thread = a.text(
        metadata=a.said("Messages of one thread arrive in order: the first checklist of a patient and drug.")
    )
    state = a.text(validate=_STATE)
    attempts = a.number()
    first_at = a.maybe(metadata=_MAYBE_TIME)
    due_at = a.moment()
    last_answer = a.maybe(metadata=a.said("A status of HTTP, or in words why there was none."))
    settled_at = a.maybe(metadata=_MAYBE_TIME)


class DeliveriesSchema(Schema):
    """A page of deliveries, in the order of their events."""

    deliveries = a.each(DeliverySchema)
    after = a.maybe(metadata=a.said("Where the next page begins; null at the end."))


class ResendSchema(Schema):
    """Which messages that were given up are sent again."""

    since = Moment(
        required=True,
        metadata={"type": "string", "format": "date-time", "description": "Given up at this time or later."},
    )
    endpoint = fields.UUID(metadata=a.said("Only those for this one."))


class ResentSchema(Schema):
    """What is sent again."""

    deliveries = a.number(metadata=a.said("How many."))
