"""For administrators: who may tell us of infusions by webhook."""

from typing import Any

from flask import Flask, Response

from service.access.roles import Permission
from service.api.bodies import document_if_any, document_received
from service.api.documentation import Answers, Section, takes
from service.api.sender_schemas import NewSenderSchema, SenderSchema, SenderSecretSchema, SendersSchema
from service.api.webhook_endpoint_schemas import RotationSchema
from service.records.tables import moment_text
from service.web import problems
from service.web.parts import act, parts
from service.web.responses import JSON, as_json, as_problem
from service.webhooks.senders import NoSuchSender, Sender

section = Section("senders", __doc__, "/api/v1/webhooks/senders")


@section.endpoint("", Answers(200, "Every sender, by name.", SendersSchema), needs=Permission.WEBHOOKS_MANAGE)
def list_senders() -> Response:
    """List the senders, those revoked too."""
    return as_json({"senders": [_document(sender) for sender in parts().senders.all()]})


@section.endpoint(
    "",
    Answers(201, "The sender, and its secret, shown this once.", SenderSecretSchema),
    needs=Permission.WEBHOOKS_MANAGE,
    problems=(400, 413, 415, 422),
    method="POST",
    requestBody=takes(NewSenderSchema),
)
def add_sender() -> Response:
    """Add a sender: from now on messages that its secret signs are taken."""
    sender, secret = parts().senders.add(document_received(NewSenderSchema())["name"], act())
    response = as_json({**_document(sender), "secret": secret})
    response.status_code = 201
    return response


@section.endpoint(
    "/<name>/rotate",
    Answers(200, "The sender, and its other secret, shown this once.", SenderSecretSchema),
    needs=Permission.WEBHOOKS_MANAGE,
    problems=(400, 404, 409, 413, 415, 422),
    method="POST",
    requestBody={"required": False, "content": {JSON: {"schema": RotationSchema}}},
)
def rotate_sender(name: str) -> Response:
    """Give a sender another secret. The one before is good for 24 hours more.

    Within these it is not replaced again, unless it is to stop now, as where one has leaked.
    """
    at_once = document_if_any(RotationSchema()).get("now") == "yes"
    sender, secret = parts().senders.rotate(name, act(), at_once=at_once)
    return as_json({**_document(sender), "secret": secret})


@section.endpoint(
    "/<name>/revoke",
    Answers(200, "The sender.", SenderSchema),
    needs=Permission.WEBHOOKS_MANAGE,
    problems=(404, 422),
    method="POST",
)
def revoke_sender(name: str) -> Response:
    """Believe a sender no more, for good: its next message is refused."""
    return as_json(_document(parts().senders.revoke(name, act())))


def _document(sender: Sender) -> dict[str, Any]:
    return {
        "name": sender.name,
        "created_at": moment_text(sender.created_at),
        "older_until": moment_text(sender.older_until) if sender.older_until else None,
        "revoked_at": moment_text(sender.revoked_at) if sender.revoked_at else None,
    }


def _no_such_sender(_error: NoSuchSender) -> Response:
    return as_problem(problems.document(problems.NO_SENDER, "No sender has this name."))


def register_errors(app: Flask) -> None:
    """Answer each of these errors with a problem."""
    app.register_error_handler(NoSuchSender, _no_such_sender)
