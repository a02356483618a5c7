"""The door for EHRs: a call of CDS Hooks shows a signed token, and who has none is told nothing."""

import structlog
from flask import Blueprint, Flask, Response, g, request

from service.access.principal import Principal
from service.ehr.tokens import EhrCaller, NotTrusted
from service.settings import PUBLIC_URL
from service.web.guard import Door
from service.web.parts import parts

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")


def caller() -> EhrCaller:
    """The EHR that calls; every route for EHRs has one."""
    found: EhrCaller = g.ehr
    return found


def own_address() -> str:
    """Where the EHR that calls finds this service."""
    found: str = g.own_address
    return found


def door(public_url: str | None) -> Door:
    """Lets EHRs in, for which this service is at `public_url`."""

    def enter() -> Principal:
        g.own_address = _own_address(public_url)
        url = f"{g.own_address}{request.path}"
        g.ehr = parts().trust.caller(request.headers.get("Authorization"), url, parts().clock())
        return caller().principal

    return enter


def _own_address(public_url: str | None) -> str:
    """Where EHRs find this service. Raises NotTrusted where nobody has said so."""
    if public_url is not None:
        return public_url
    if parts().store.records.demonstration:  # on this machine alone, whatever it is called
        return request.host_url.rstrip("/")
    raise NotTrusted(f"{PUBLIC_URL} is not set, so it cannot be told whether a token is for this service")


def _not_trusted(error: NotTrusted) -> Response:
    log.warning("ehr_not_believed", reason=str(error))
    response = Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    del response.headers["Content-Type"]
    return response


def register_errors(app: Flask | Blueprint) -> None:
    """Answer who is not let in with nothing but that."""
    app.register_error_handler(NotTrusted, _not_trusted)
