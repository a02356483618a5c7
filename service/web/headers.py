"""What every response carries: an id of ours, and headers that keep a browser in bounds."""

import re
import uuid

from flask import Flask, Response, g, request

from service.records.site import DEMONSTRATION
from service.web.parts import parts

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNMATCHED = "unmatched"
MODE = "Dosegate-Mode"
_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


def _begin() -> None:
    g.request_id = uuid.uuid4().hex


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    if parts().store.records.demonstration:
        response.headers[MODE] = DEMONSTRATION
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    # The documentation page says for itself what it loads and how long that may be kept.
    response.headers.setdefault("Content-Security-Policy", NOTHING)
    response.headers.setdefault("Cache-Control", "no-store")
    endpoint = _PLACE.sub(r"{\1}", request.url_rule.rule) if request.url_rule else UNMATCHED
    parts().metrics.request(endpoint, request.method, response.status_code)
    return response


def register(app: Flask) -> None:
    """Give every response of this application its headers."""
    app.before_request(_begin)
    app.after_request(_finish)
