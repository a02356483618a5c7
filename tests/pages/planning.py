"""A day with visits of every kind, for the tests of the pages that list them."""

import io
import uuid
from datetime import datetime

from service.records.journal import Act
from service.records.reasons import OutcomeReason
from service.records.record import Outcome
from service.records.visits import Ending, Person
from service.webhooks.incoming import Message, Type
from service.webhooks.infusions import keep_infusion
from tests.api.sending import a_request, body_of
from tests.pages.page_texts import form_key

TODAY = "2026-10-06"


class Clinic:
    """Plans infusions and makes checklists behind the pages' back."""

    def __init__(self, app):
        self.parts = app.extensions["dosegate"]
        self.records = self.parts.store.records

    def act(self, actor="user:nina"):
        return Act(actor, "nurse", uuid.uuid4().hex, self.parts.clock())

    def plan(self, patient, at=f"{TODAY}T13:00:00+00:00", drug="inebilizumab", reference=None):
        begins = datetime.fromisoformat(at)
        said = (reference or f"R-{patient}", patient, drug, begins, None)
        message = Message(Type.SCHEDULED, self.parts.clock(), *said)
        with self.records.writing() as writing:
            return keep_infusion(writing, message, None, self.act(), sender=None)

    def check(self, patient, at=f"{TODAY}T13:00:00+00:00", without=(), actor="user:nina", **changes):
        request = a_request(patient={"id": patient}, infusion_at=at, without=without, **changes)
        return self.parts.making.make(body_of(request), self.act(actor))[0].id

    def draft(self, patient, by="Nora Quill", at=f"{TODAY}T13:00:00+00:00", drug="Uplizna"):
        request = {"drug": drug, "infusion_at": at, "patient": {"id": patient}, "facts": {}}
        return self.parts.drafting.begin(request, Person(by, self.act("user:nora"))).id

    def end(self, checklist, outcome=Outcome.INFUSED):
        ending = Ending(outcome, next(iter(OutcomeReason)), "Words.")
        self.parts.visits.end(checklist, ending, Person("Nina Koch", self.act()))


def upload(client, text, name="list.csv"):
    """Choose a file on the page of lists; the answer."""
    key = form_key(client.get("/today/upload"))
    body = text if isinstance(text, bytes) else text.encode()
    return client.post("/today/upload", data={"form_key": key, "list": (io.BytesIO(body), name)})
