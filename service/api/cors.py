"""Pages of EHRs that call CDS Hooks from a browser: their origins are registered, and no others may read."""

from flask import Flask, Response, g, request

from service.web.parts import parts

SERVICES = "/cds-services"
_METHODS, _HEADERS, _KEPT_FOR = "GET, POST", "Authorization, Content-Type, Accept", 600  # seconds


def _begin() -> Response | None:
    """Note whose page asks; what a browser asks beforehand is answered at once, and needs no token."""
    g.origin = None
    origin = request.headers.get("Origin")
    if not _is_below(request.path) or origin is None or not parts().ehr_clients.allows_origin(origin):
        return None
    g.origin = origin
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Allow-Headers"] = _HEADERS
    response.headers["Access-Control-Max-Age"] = str(_KEPT_FOR)
    return response


def _finish(response: Response) -> Response:
    if _is_below(request.path):
        response.headers.add("Vary", "Origin")
        if (origin := g.get("origin")) is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
    return response


def _is_below(path: str) -> bool:
    return path == SERVICES or path.startswith(f"{SERVICES}/")


def register(app: Flask) -> None:
    """Answer pages of EHRs. It comes before the guard: the first question of a browser has no token."""
    app.before_request(_begin)
    app.after_request(_finish)
