"""HealthChain's own CDS Hooks client calls a running service, through tests.clients.gateway.

In an environment of its own with `pip install healthchain`: python tests/clients/healthchain_client.py URL
where URL is the gateway's http://127.0.0.1:PORT/cds-services/dosegate-infusion-checklist.
"""

import sys
import uuid

from healthchain.models import CDSRequest
from healthchain.models.hooks.ordersign import OrderSignContext
from healthchain.models.hooks.patientview import PatientViewContext
from healthchain.sandbox import SandboxClient

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1984-03-02"}
SUBJECT = {"reference": "Patient/p1"}
ORDER = {
    "resourceType": "MedicationRequest",
    "id": "mr1",
    "status": "active",
    "intent": "order",
    "subject": SUBJECT,
    "medicationCodeableConcept": {"text": "Uplizna 100 mg/10 mL injection"},
    "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 300, "unit": "mg", "code": "mg"}}]}],
}
POSITIVE = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "subject": SUBJECT,
    "code": {"coding": [{"system": "http://loinc.org", "code": "5196-1"}]},
    "effectiveDateTime": "2026-09-20",
    "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]},
}


class OrderSignRequest(CDSRequest):
    """The client's own request would leave out of the context what only order-sign has."""

    context: OrderSignContext


def bundle(*resources):
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": each} for each in resources],
    }


def main(url):
    user = "Practitioner/example"
    client = SandboxClient(url=url, workflow="patient-view")
    contexts = {
        "patient-view": PatientViewContext(userId=user, patientId="p1"),
        "order-sign": OrderSignContext(userId=user, patientId="p1", draftOrders=bundle(ORDER)),
    }
    prefetch = {"patient": PATIENT, "orders": bundle(ORDER), "results": bundle(POSITIVE)}
    for hook, context in contexts.items():
        instance = str(uuid.uuid4())
        request = OrderSignRequest if hook == "order-sign" else CDSRequest
        client.requests.append(request(hook=hook, hookInstance=instance, context=context, prefetch=prefetch))
    for hook, answer in zip(contexts, client.send_requests(), strict=True):
        assert answer.get("cards"), answer
        print(hook)
        for card in answer["cards"]:
            print(f"  {card['indicator']:8} {card['summary']}")


if __name__ == "__main__":
    main(sys.argv[1])
