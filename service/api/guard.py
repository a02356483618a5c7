"""The door: every request shows who asks, and is let in to what its route says it needs, or refused."""

from collections.abc import Mapping
from enum import Enum

from flask import Flask, Request, g, request

from service.access.principal import MayNot, NotSignedIn, Principal
from service.access.roles import Permission
from service.api.parts import act, parts
from service.records.journal import Event

COOKIE = "__Host-dosegate"
_BEARER = "bearer "


class Open(Enum):
    """What a route needs that anybody may use."""

    TO_ALL = "public"


PUBLIC = Open.TO_ALL
Needs = Permission | Open


def register(app: Flask, needs: Mapping[str, Needs]) -> None:
    """Let people in to each endpoint as `needs` says; one that it does not name is shut."""

    def admit() -> None:
        if request.endpoint is None:  # no such address, or not with this method: nothing is behind it
            return
        needed = needs.get(request.endpoint)
        if needed is PUBLIC:
            return
        g.principal = _principal(request)
        if needed is None or not g.principal.may(needed):
            wanted = needed.value if needed else "nothing"
            parts().store.records.enter(act(), Event.ACCESS_REFUSED, request.endpoint, {"permission": wanted})
            raise MayNot(needed or Permission.OWN_ACCOUNT)

    app.before_request(admit)


def _principal(asked: Request) -> Principal:
    given = asked.headers.get("Authorization", "")
    if given[: len(_BEARER)].casefold() == _BEARER:
        return parts().keys.principal(given[len(_BEARER) :].strip(), parts().clock())
    token = asked.cookies.get(COOKIE)
    if token is None or given:
        raise NotSignedIn
    return parts().sessions.principal(token, parts().clock())
