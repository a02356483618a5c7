"""An EHR that calls hooks for tests: signed requests to the real application, and charts to send along."""

import json
import uuid

from service.ehr.hooks import SERVICE
from tests.ehr.an_ehr import PUBLIC_URL, bearer, claims_at, ec_key, public, signed

SERVICES = "/cds-services"
PATIENT = "pat-1"
UPLIZNA = {"text": "UPLIZNA (inebilizumab-cdon) 300 mg IV"}
FHIR = "https://fhir.ehr.example.org/r4"
NAMES = (
    *("patient", "orders", "results", "reports", "conditions", "allergies", "adverse_events"),
    *("immunizations", "administrations", "statements", "procedures", "service_requests"),
)


class AnEhr:
    """A registered EHR; each of its requests has a token of its own."""

    def __init__(self, app, client):
        self.app, self.client, self._clock = app, client, app.extensions["dosegate"].clock

    def token(self, path, **changes):
        claims = claims_at(self._clock(), PUBLIC_URL + path, iss=self.client.issuer, **changes)
        return bearer(signed(claims, ec_key(self.client.name)))

    def discover(self):
        return self.app.test_client().get(SERVICES, headers={"Authorization": self.token(SERVICES)})

    def post(self, path, document, **headers):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        sent = {"Authorization": self.token(path), "Content-Type": "application/json", **headers}
        return self.app.test_client().post(path, data=body, headers=sent)

    def call(self, document, service=SERVICE):
        return self.post(f"{SERVICES}/{service}", document)

    def cards(self, document):
        response = self.call(document)
        assert response.status_code == 200, response.text
        return response.json["cards"]

    def tell(self, *feedback, service=SERVICE):
        return self.post(f"{SERVICES}/{service}/feedback", {"feedback": list(feedback)})


def an_ehr(app, act, name="epic", **changes):
    """A newly registered EHR whose keys were given by hand."""
    from service.ehr.registering import NewEhrClient

    given = {"issuer": f"https://{name}.example.org", "jwks": public(ec_key(name)), **changes}
    parts = app.extensions["dosegate"]
    return AnEhr(app, parts.ehr_clients.add(NewEhrClient(name=name, **given), act))


def bundle(*resources, **more):
    """A searchset of these."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": each} for each in resources],
        **more,
    }


def order(id="order-1", /, medicine=UPLIZNA, **changes):
    """An infusion order as it is drafted."""
    drawn = {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "medicationCodeableConcept": medicine,
    }
    return {name: each for name, each in {**drawn, **changes}.items() if each is not None}


def patient(id=PATIENT, **changes):
    return {"resourceType": "Patient", "id": id, "birthDate": "1984-03-02", "gender": "female", **changes}


def looked_for(**found):
    """Prefetch in which each search was made; those not named here found nothing."""
    return {name: found.get(name) for name in NAMES}


def request(hook, context, **more):
    """A call of a hook."""
    return {
        "hook": hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/1", "patientId": PATIENT, **context},
        **more,
    }


def order_sign(*orders, **more):
    """A call of order-sign for these orders."""
    return request("order-sign", {"draftOrders": bundle(*(orders or (order(),)))}, **more)


def nothing_empty(value):
    """Return where a document holds neither null nor anything empty."""
    assert value not in (None, "", [], {}), value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        nothing_empty(each)
