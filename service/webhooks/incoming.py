"""A message about an infusion, as a sender writes it: its schema, and what is understood of it.

What is not known is passed over in the message and in its data, since others send it too; what is needed and
missing or wrong is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from service.intake.documents import plain
from service.intake.errors import BadInput, FieldError
from service.intake.json_text import MOST_WITH_BUNDLE, parse
from service.intake.requests import Moment, PatientSchema, ShortText, find_drug, read_document
from service.knowledge.library import Library
from service.records.canonical import canonical
from service.webhooks.signing import TOLERANCE

# What of the data is the request for a checklist, if there is anything to check.
_REQUEST = ("drug", "region", "infusion_at", "patient", "facts", "bundle", "order", "searched")
_CHECKED = ("facts", "bundle")


class Type(StrEnum):
    """What a message can say of an infusion."""

    SCHEDULED = "infusion.scheduled"
    CHANGED = "infusion.changed"
    CANCELLED = "infusion.cancelled"


def _text(says: str, example: str) -> ShortText:
    said = {"type": "string", "maxLength": 200, "description": says, "example": example}
    return ShortText(required=True, metadata=said)


def _moment(says: str) -> Moment:
    return Moment(required=True, metadata={"type": "string", "format": "date-time", "description": says})


class InfusionDataSchema(Schema):
    """The infusion. With facts or a bundle it is checked at once, as by a request for a checklist."""

    class Meta:
        """Others send more."""

        unknown = EXCLUDE

    infusion = _text("The sender's own reference of it, the same in every message.", "CHAIR-2026-118")
    drug = _text("A pack's id, or any alias or brand name, in any case. Never corrected.", "inebilizumab")
    region = fields.String(validate=validate.OneOf(("US", "EU")))
    infusion_at = _moment("When it is meant to begin.")
    patient = fields.Nested(PatientSchema, required=True)
    facts = fields.Dict()
    bundle = fields.Dict(metadata={"description": "FHIR R4 resources of the patient, as a Bundle."})
    order = fields.String()
    searched = fields.Dict()


class MessageSchema(Schema):
    """The body of `POST /api/v1/webhooks/infusions`."""

    class Meta:
        """Others send more."""

        unknown = EXCLUDE

    type = fields.String(required=True, validate=validate.OneOf([each.value for each in Type]))
    timestamp = _moment("When it came to be so at the sender; of two messages the later one is what is so.")
    data = fields.Nested(InfusionDataSchema, required=True)


@dataclass(frozen=True)
class Message:
    """A message that was understood. `drug` is the pack's id; `request` asks for a checklist, if any does."""

    type: Type
    at: datetime
    reference: str
    patient: str
    drug: str
    infusion_at: datetime
    request: bytes | None


_SCHEMA = MessageSchema()


def message_of(body: bytes, library: Library, now: datetime) -> Message:
    """The message in a body. Raises BadInput naming every bad field at its path."""
    document = parse(body, MOST_WITH_BUNDLE)
    message = read_document(document, _SCHEMA)
    data, type = message["data"], Type(message["type"])
    try:
        drug = find_drug(data["drug"], library).id
    except BadInput as bad:
        raise in_data(bad) from None
    if message["timestamp"] > now + TOLERANCE:
        raise BadInput([FieldError("timestamp", "is later than now: no later message would count")])
    checked = type is not Type.CANCELLED and any(name in data for name in _CHECKED)
    return Message(
        type=type,
        at=message["timestamp"],
        reference=data["infusion"],
        patient=data["patient"]["id"],
        drug=drug,
        infusion_at=data["infusion_at"],
        request=_request(document["data"]) if checked else None,
    )


def in_data(bad: BadInput) -> BadInput:
    """What is wrong with a request for a checklist, at its path in the message."""
    return BadInput([FieldError(f"data.{each.path}".rstrip("."), each.message) for each in bad.errors])


def _request(data: dict[str, Any]) -> bytes:
    """The request in the data, as it is kept and can be replayed; numbers are kept to 15 digits."""
    return canonical(plain({name: data[name] for name in _REQUEST if name in data}))
