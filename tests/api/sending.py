"""Requests as a client sends them."""

import json

from tests.builders import request_for

JSON = "application/json"
PROBLEM = "application/problem+json"
CHECKLISTS = "/api/v1/checklists"
DRUG, PATIENT = "inebilizumab", "first dose, US"


def a_request(**changes):
    """The request of a complete patient with nothing against the infusion, with one thing changed."""
    return request_for(DRUG, PATIENT, **changes)


def body_of(document):
    """A document as the bytes of a body."""
    return json.dumps(document, default=float).encode()


def post(client, document=None, **headers):
    """Ask for a checklist; `idempotency_key="…"` sends that header."""
    body = (
        document
        if isinstance(document, bytes)
        else body_of(document if document is not None else a_request())
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(CHECKLISTS, data=body, content_type=JSON, headers=named)


def paths(response):
    """The paths of the bad fields of a problem."""
    return [error["path"] for error in response.json["errors"]]


def is_problem(response, status):
    """Whether a response is a whole problem of this status."""
    document = response.json
    assert response.status_code == status == document["status"], document
    assert response.content_type == PROBLEM
    assert set(document) - {"errors"} == {"type", "title", "status", "detail"}
    assert all(set(error) == {"path", "message"} for error in document.get("errors", []))
    return True


def sample(client, name):
    """The value of the one series of the metrics that starts with this."""
    [line] = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith(f"dosegate_{name}")
    ]
    return float(line.rsplit(" ", 1)[1])
