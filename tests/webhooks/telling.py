"""A site whose events are told: it makes checklists and does what is done about them."""

import itertools
import json
import uuid
from dataclasses import dataclass, field

from sqlalchemy import select

from service.records.erasure import Reason as WhyErased
from service.records.erasure import erase, held
from service.records.journal import Act, Event
from service.records.reasons import Reason
from service.records.record import Outcome
from service.records.store import Store
from service.records.stored import Basis, StoredChecklist
from service.records.tables import deliveries, endpoints, journal
from service.records.visits import Answer, Ending, Person, Visits
from tests.builders import shipped

EVENTS = (
    "checklist.completed",
    "checklist.status_changed",
    "override.recorded",
    "outcome.recorded",
    "pack.released",
)
_FINDINGS = [
    {"check": "dose", "rule": "too-much", "status": "block", "kind": "dose", "override": "prescriber"},
    {"check": "infection", "rule": "recent", "status": "warn", "kind": "caution", "override": "acknowledge"},
]


@dataclass
class Site:
    """The records of a site, and the time there."""

    records: object
    clock: object
    _numbers: object = field(default_factory=lambda: itertools.count(1))

    def act(self, actor="user:nina", role="nurse"):
        return Act(actor, role, f"request-{next(self._numbers)}", self.clock())

    def by(self, name="Nina Koch"):
        return Person(name, self.act())

    def checklist(self, patient="MRN-1", *, status="pass", drug="inebilizumab", **changes):
        """Keep a checklist; its id."""
        id = str(uuid.uuid4())
        result = {"id": id, "status": status, "findings": _FINDINGS, **changes.pop("result", {})}
        fields = {
            "id": id,
            "created_at": self.clock(),
            "patient": patient,
            "drug": drug,
            "status": status,
            "infusion_at": "2026-12-01T23:30:00-05:00",
            "request": b"{}",
            "result": json.dumps(result).encode(),
            "trace": b"{}",
            "pack": "sha256:pack",
            "actor": "user:nina",
        }
        kept = StoredChecklist(**{**fields, **changes})
        basis = Basis.of(shipped(), shipped().packs[drug])
        return Store(self.records).add(kept, basis, self.act()).id

    def override(self, id):
        answer = Answer("dose", "too-much", next(iter(Reason)), "Words of a person about MRN-1.")
        Visits(self.records).override(id, answer, self.by())

    def acknowledge(self, id):
        answer = Answer("infection", "recent", next(iter(Reason)), "Words of a person about MRN-1.")
        Visits(self.records).acknowledge(id, answer, self.by())

    def outcome(self, id):
        from service.records.reasons import OutcomeReason

        ending = Ending(Outcome.HELD, next(iter(OutcomeReason)), "Words of a person about MRN-1.")
        Visits(self.records).end(id, ending, self.by())

    def release(self, drug="ibalizumab", version="2.0.0"):
        details = {"version": version, "digest": "sha256:new", "knowledge": "sha256:more"}
        self.records.enter(self.act("service", "service"), Event.PACK_LOADED, drug, details)

    def erase(self, patient):
        erase(self.records, patient, held(self.records, patient), WhyErased.PATIENT_REQUEST, self.act())

    def deliveries(self, *names):
        """These columns of all deliveries, in the order of their events."""
        wanted = select(*(deliveries.c[name] for name in names))
        ordered = wanted.order_by(deliveries.c.sequence, deliveries.c.type, deliveries.c.endpoint)
        with self.records.reading() as connection:
            rows = connection.execute(ordered).all()
        return [row[0] if len(names) == 1 else tuple(row) for row in rows]

    def entries(self, event):
        """Subject and details of the entries of an event."""
        wanted = select(journal.c.subject, journal.c.details).where(journal.c.event == event)
        with self.records.reading() as connection:
            return [tuple(row) for row in connection.execute(wanted.order_by(journal.c.sequence))]

    def secret_of(self, id):
        """What is kept as the secret of an endpoint."""
        with self.records.reading() as connection:
            return connection.execute(select(endpoints.c.secret).where(endpoints.c.id == id)).scalar_one()
