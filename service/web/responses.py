"""A document as a response."""

import json
from typing import Any

from flask import Response

from service.records.canonical import canonical
from service.web.problems import MEDIA_TYPE

JSON, NDJSON, CSV = "application/json", "application/x-ndjson", "text/csv"


def as_json(document: Any) -> Response:
    """A document as JSON."""
    return Response(canonical(document), mimetype=JSON)


def as_problem(problem: dict[str, Any]) -> Response:
    """A problem with its status; in ASCII, since a path may repeat a key that is no valid text."""
    return Response(json.dumps(problem), problem["status"], mimetype=MEDIA_TYPE)
