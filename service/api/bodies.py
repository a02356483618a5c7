"""The body of a request: read as it came, and as strict JSON."""

import json
from typing import Any

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType

from service.intake.errors import BadInput
from service.intake.json_text import MOST_BYTES, check_texts, parse
from service.intake.requests import read_document
from service.web.errors import NotJson
from service.web.responses import JSON


def received(most_bytes: int = MOST_BYTES) -> bytes:
    """The body, said to be JSON. Raises UnsupportedMediaType, and what `as_it_came` raises."""
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    return as_it_came(most_bytes)


def as_it_came(most_bytes: int = MOST_BYTES) -> bytes:
    """The body, whatever it is; it can be read again. Raises RequestEntityTooLarge, BadRequest."""
    request.max_content_length = most_bytes + 1  # one more than is taken, so that too long shows
    try:
        body = request.get_data()
    except HTTPException:
        raise
    except Exception as error:  # the server's own errors for a body that breaks off or is badly framed
        raise BadRequest from error
    if len(body) > most_bytes:
        raise RequestEntityTooLarge
    return body


def document_received(schema: Schema) -> dict[str, Any]:
    """The body as its schema has it. Raises BadInput, NotJson, and what `received` raises."""
    body = received()
    try:
        document = parse(body)
    except BadInput as error:
        raise refused(body, error) from None
    return read_document(document, schema)


def document_if_any(schema: Schema) -> dict[str, Any]:
    """What `document_received` gives and raises, and nothing where there is no body."""
    return document_received(schema) if as_it_came() else {}


def query_received(schema: Schema) -> dict[str, Any]:
    """What is asked for behind the question mark, as its schema has it. Raises BadInput."""
    asked = request.args.to_dict()
    check_texts(asked)
    return read_document(asked, schema)


def refused(body: bytes, error: BadInput) -> BadInput | NotJson:
    """The error for a refused body: it is no JSON at all, or not JSON that is taken here."""
    try:
        json.loads(body.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return NotJson(error)
    except (RecursionError, ValueError):  # nested too deeply; a number of too many digits
        return error
    return error
