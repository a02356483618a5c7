"""The kinds of field that documented responses are made of; each is always there."""

from functools import partial
from typing import Any

from marshmallow import Schema, fields, validate

from service.checklist.rules import Status

text = partial(fields.String, required=True)
number = partial(fields.Integer, required=True)
flag = partial(fields.Boolean, required=True)
maybe = partial(fields.String, required=True, allow_none=True)
mapping = partial(fields.Dict, keys=fields.String(), values=fields.String(), required=True)
status = partial(text, validate=validate.OneOf([status.word for status in Status]))
moment = partial(text, metadata={"format": "date-time"})
lifts = partial(
    maybe, metadata={"format": "date", "description": "The first date on which time alone lifts it."}
)


def texts(**options: Any) -> fields.List[Any]:
    """A list of texts."""
    return fields.List(fields.String(), required=True, **options)


def each(schema: type[Schema], **options: Any) -> fields.List[Any]:
    """A list of documents of one schema."""
    return fields.List(fields.Nested(schema), required=True, **options)


def said(description: str) -> dict[str, str]:
    """A description, as metadata."""
    return {"description": description}
