"""What every request has: an id, headers that keep a browser in bounds, a line of the log, a count."""

import re
import time
import uuid
from collections.abc import Mapping

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from service import tracing
from service.access.principal import Principal
from service.records.site import DEMONSTRATION
from service.web.metrics import METHODS, OTHER
from service.web.parts import Parts, parts

NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_A_YEAR = "max-age=31536000"
_POWERS = ("camera", "display-capture", "geolocation", "microphone", "payment", "serial", "usb")
_BOUNDS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not heed frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{power}=()" for power in _POWERS),
    "Content-Security-Policy": NOTHING,
    "Cache-Control": "no-store",
}
UNMATCHED = "unmatched"
MODE = "Dosegate-Mode"
_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")
_KEY = "key"

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")


def route() -> str:
    """The pattern of the address that is asked, never the address."""
    return _PLACE.sub(r"{\1}", request.url_rule.rule) if request.url_rule else UNMATCHED


def _method() -> str:
    return request.method if request.method in METHODS else OTHER


def _begin() -> None:
    g.request_id, g.began = uuid.uuid4().hex, time.perf_counter()
    clear_contextvars()
    bind_contextvars(request=g.request_id)
    g.span = tracing.request(f"{_method()} {route()}", request.headers.get(tracing.TRACEPARENT))


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    for name, value in of_every_answer(parts()).items():
        # A page says for itself what it loads; what is no answer about a patient, how long it may be kept.
        response.headers.setdefault(name, value)
    _tell(response.status_code, time.perf_counter() - g.began)
    return response


def of_every_answer(of: Parts) -> dict[str, str]:
    """What keeps a browser in bounds, whatever is answered, and whoever answers."""
    marked = {MODE: DEMONSTRATION} if of.store.records.demonstration else {}
    by_tls = of.public_url is not None and of.public_url.startswith("https:")
    return {**_BOUNDS, **({"Strict-Transport-Security": _A_YEAR} if by_tls else {}), **marked}


def _tell(status: int, seconds: float) -> None:
    """Count the request, and log it in one line."""
    method, who = _method(), _who(g.get("principal"))
    parts().metrics.request(route(), method, status, seconds)
    log.info("request", method=method, route=route(), status=status, ms=round(seconds * 1000, 1), **who)
    if (span := g.get("span")) is not None:
        span.tell(method=method, route=route(), status=status, **who)


def _who(principal: Principal | None) -> dict[str, str]:
    """Who asked: no name, but the kind, and the id of an account or the prefix of a key."""
    if principal is None:
        return {}
    kind, _, name = principal.actor.partition(":")
    if principal.account is not None:
        return {"kind": principal.role, "account": principal.account}
    return {"kind": kind, **({_KEY: name} if kind == _KEY else {})}


def _end(_error: BaseException | None) -> None:
    clear_contextvars()
    span = g.pop("span", None)
    if span is not None:
        span.end()


def register(app: Flask) -> None:
    """Give every response of this application its headers, and every request its line and its count."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)
