"""An EHR without CDS Hooks: it tells of infusions by webhooks that the library of the standard signs."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import standardwebhooks

from service.app import create_app
from service.records.journal import Act
from service.settings import Settings
from tests.api.sending import JSON, a_request, body_of
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 9, 0, 0, 123456, tzinfo=UTC)
ADDRESS = "/api/v1/webhooks/infusions"
SETUP = Act("cli:setup", "operator", "setup", NOW)


class Clock:
    """Says what time it is, and is told so by a test."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now

    def pass_by(self, **time):
        self.now += timedelta(**time)


def message(type="scheduled", *, at=NOW, reference="CHAIR-1", **changes):
    """A message about an infusion of a complete patient, with data given anew, or left out by None."""
    data = {"infusion": reference, **a_request(), **changes}
    data = {name: value for name, value in data.items() if value is not None}
    return {"type": f"infusion.{type}", "timestamp": at.isoformat(), "data": data}


def signed(secret, id, at, body):
    """The headers of a message, as the library of the standard signs it."""
    signature = standardwebhooks.Webhook(secret).sign(id, at.astimezone(UTC), body.decode())
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


class Ehr:
    """One that is registered as a sender."""

    def __init__(self, app, clock, name="ward"):
        self.app, self.clock = app, clock
        self.sender, self.secret = app.extensions["dosegate"].senders.add(name, SETUP)

    def send(self, document, id=None, *, at=None, secret=None, **headers):
        """Send a message, or the bytes of one; `webhook_id=…` sends another header than was signed."""
        body = document if isinstance(document, bytes) else body_of(document)
        sent = signed(secret or self.secret, id or f"msg_{uuid.uuid4().hex}", at or self.clock(), body)
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in sent.items() if value is not None}
        return self.app.test_client().post(ADDRESS, data=body, content_type=JSON, headers=kept)

    def tell(self, type="scheduled", **changes):
        """Tell of an infusion, as it is so now; what is answered."""
        response = self.send(message(type, **{"at": self.clock(), **changes}))
        assert response.status_code in (200, 202), response.text
        return response.json


def send_all(url, keys, secret, ids):
    """In a process of its own: send a message under each id; status, header and body of each answer."""
    app, answers = create_app(Settings(database=url, keys=keys), shipped(), Clock()), []
    with closing(app.extensions["dosegate"].store.records):
        for id in ids:
            body = body_of(message(reference=f"CHAIR-{id}", patient={"id": f"MRN-{id}"}))
            response = app.test_client().post(
                ADDRESS, data=body, content_type=JSON, headers=signed(secret, id, NOW, body)
            )
            replayed = response.headers.get("Idempotent-Replayed")
            answers.append((id, response.status_code, replayed, json.loads(response.data)))
    return answers
