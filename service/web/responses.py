"""A document as a response."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Response

from service.intake.errors import FieldError
from service.records.canonical import canonical
from service.web import problems

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"


def as_json(document: Any) -> Response:
    """A document as JSON."""
    return Response(canonical(document), mimetype=JSON)


def as_problem(problem: dict[str, Any], retry_after: int | None = None) -> Response:
    """A problem with its status; in ASCII, since a path may repeat a key that is no valid text.

    `retry_after` is after how many seconds to ask again, where that is known.
    """
    response = Response(json.dumps(problem), problem["status"], mimetype=problems.MEDIA_TYPE)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def as_unavailable(says: str, retry_after: int | None, errors: Sequence[FieldError] = ()) -> Response:
    """The problem of records that cannot be used; where waiting mends nothing, `retry_after` is None."""
    what = "Try again" if retry_after is not None else "Tell whoever runs the service"
    detail = f"{says} {what}, or work by hand."
    return as_problem(problems.document(problems.STORE_UNAVAILABLE, detail, errors), retry_after)
