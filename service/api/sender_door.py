"""The door for senders of webhooks: their signature lets them in, and who has none is told nothing."""

import structlog
from flask import Flask, Response, g, request

from service.access.principal import Principal
from service.api.bodies import as_it_came
from service.intake.json_text import MOST_WITH_BUNDLE
from service.web.parts import parts
from service.webhooks.senders import Sender
from service.webhooks.signing import SIGNATURE, BadSignature

log: structlog.stdlib.BoundLogger = structlog.get_logger("dosegate")


def sent_by() -> tuple[Sender, str]:
    """Who sent the message of this request, and the id that it has there."""
    found: tuple[Sender, str] = g.sent_by
    return found


def enter() -> Principal:
    """Who signed this request. Raises BadSignature, and what `as_it_came` raises."""
    headers = {name.casefold(): value for name, value in request.headers.items()}
    g.sent_by = parts().senders.sender_of(headers, as_it_came(MOST_WITH_BUNDLE), parts().clock())
    sender, _ = sent_by()
    return sender.principal


def _bad_signature(error: BadSignature) -> Response:
    log.warning("webhook_not_believed", reason=str(error))
    response = Response(status=401, headers={"WWW-Authenticate": SIGNATURE})
    del response.headers["Content-Type"]
    return response


def register_errors(app: Flask) -> None:
    """Answer who is not let in with nothing but that."""
    app.register_error_handler(BadSignature, _bad_signature)
