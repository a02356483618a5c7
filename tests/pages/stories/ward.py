"""The ward before a story begins: who is planned, what the hospital's record knows, what was kept before."""

import json
import uuid

from service.intake.documents import plain
from service.records.journal import Act
from service.records.visits import Person as Author
from tests.builders import request_for
from tests.pages.planning import Clinic

DRUG, RETURNING, CYCLE = "inebilizumab", "third dose, US", "cycle 1 day 1, US"
START = "2026-10-06T18:00:00+00:00"


class Ward:
    """What is so before anybody taps."""

    def __init__(self, app):
        self.app, self.parts, self.clinic = app, app.extensions["dosegate"], Clinic(app)

    def given_the_record_knows_a_patient(self, patient, like=RETURNING, unless=(), **known):
        """A patient is planned for one o'clock, and the hospital's record has sent what it knows."""
        self.clinic.plan(patient, START, DRUG)
        request = self.request(patient, like, unless, **known)
        return self.parts.drafting.begin(request, Author("Hospital record", self.act("key:hospital"))).id

    def given_a_checklist_is_recorded(self, patient, like=RETURNING, unless=(), **known):
        """The hospital's record has had a checklist made of all that it knows; its address."""
        return self.recorded(self.request(patient, like, unless, **known))

    def given_a_cycle_of_inotuzumab_is_recorded(self, patient):
        """One is made of a first dose of inotuzumab with nothing against it; its address."""
        return self.recorded(
            plain(request_for("inotuzumab_ozogamicin", CYCLE)) | {"patient": {"id": patient}}
        )

    def recorded(self, request):
        """A checklist is made of this request; its address."""
        body = json.dumps(request, default=float).encode()
        return f"/checklists/{self.parts.making.make(body, self.act('key:hospital'))[0].id}"

    def request(self, patient, like, unless, **known):
        """What the record sends of a patient of the scenario file, who is due at one o'clock."""
        document = plain(request_for(DRUG, like, without=unless, infusion_at=START))
        return {**document, "patient": {"id": patient}, "facts": {**document["facts"], **known}}

    def act(self, actor):
        return Act(actor, "client", uuid.uuid4().hex, self.parts.clock())
