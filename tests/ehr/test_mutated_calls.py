"""Calls with anything in any place: each has a whole answer, and none is a failure of ours."""

import copy
import random

import pytest

from service.api.cds_answer_schemas import CardsSchema, DiscoverySchema, OperationOutcomeSchema
from service.ehr.hooks import HOOKS
from tests.ehr.calls import PATIENT, an_ehr, bundle, looked_for, nothing_empty, order, patient, request
from tests.logged import logged

pytestmark = pytest.mark.any_database

JUNK = [
    *(None, "", [], {}, 0, -1, 1.5, 1e20, True, "x", [[]], [None], "2026-13-01", "<html>", "\u202e"),
    *({"reference": "#"}, "Patient/pat-1", {"coding": "x"}, {"resourceType": "Bundle"}),
    {"resourceType": "OperationOutcome"},
]
REFERENCE = {"reference": f"Patient/{PATIENT}"}
RESULT = {
    "resourceType": "Observation",
    "id": "31",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "5196-1"}]},
    "subject": REFERENCE,
    "effectiveDateTime": "2026-09-20",
    "valueCodeableConcept": {"text": "Positive"},
}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": REFERENCE, "code": {"text": "Asthma"}}
ORDER = order(
    status="active",
    dosageInstruction=[
        {
            "timing": {"event": ["2026-12-01"]},
            "doseAndRate": [{"doseQuantity": {"value": 300, "unit": "mg", "code": "mg"}}],
        }
    ],
)
KNOWN = looked_for(
    patient=patient(), orders=bundle(ORDER), results=bundle(RESULT, total=2), conditions=bundle(CONDITION)
)
CONTEXTS = {
    "order-sign": {"draftOrders": bundle(ORDER)},
    "order-select": {"draftOrders": bundle(ORDER), "selections": ["MedicationRequest/order-1"]},
    "appointment-book": {
        "appointments": bundle({"resourceType": "Appointment", "start": "2026-12-01T08:00:00Z"})
    },
    "encounter-start": {"encounterId": "1"},
    "order-dispatch": {"dispatchedOrders": ["MedicationRequest/order-1"], "performer": "Organization/1"},
}


def places(value, path=()):
    """The path of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


def mutated(document, chance):
    """With something else in some places, or nothing, or the same twice."""
    document = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 3))):
        *path, last = chance.choice(list(places(document)))
        inside = document
        for key in path:
            inside = inside[key]
        if isinstance(inside, dict) and chance.random() < 0.3:
            del inside[last]
        elif isinstance(inside, list) and chance.random() < 0.3:
            inside.append(copy.deepcopy(inside[last]))
        else:
            inside[last] = copy.deepcopy(chance.choice(JUNK))
    return document


@pytest.mark.parametrize("hook", HOOKS)
def test_any_call_has_a_whole_answer(app, act, hook, caplog):
    ehr, chance = an_ehr(app, act), random.Random(hook)
    statuses = set()
    for _ in range(15):
        document = mutated(request(hook, CONTEXTS.get(hook, {}), prefetch=KNOWN), chance)
        answer = ehr.call(document)
        statuses.add(answer.status_code)
        if answer.status_code == 200:
            for card in answer.json["cards"]:
                nothing_empty(card)
                assert len(card["summary"]) < 140
            assert CardsSchema().validate(answer.json) == {}
        else:
            assert answer.status_code in (400, 412, 422), document
            assert OperationOutcomeSchema().validate(answer.json) == {}
    assert 200 in statuses
    assert logged(caplog, "unforeseen") == []
    assert not any("error" in told for told in logged(caplog, "order_not_checked"))


def test_what_is_found_and_answered_is_as_documented(app, act):
    ehr = an_ehr(app, act)
    assert DiscoverySchema().validate(ehr.discover().json) == {}
    answer = ehr.call(request("order-sign", CONTEXTS["order-sign"], prefetch=KNOWN))
    assert CardsSchema().validate(answer.json) == {}
    assert OperationOutcomeSchema().validate(ehr.call({}).json) == {}


def test_nothing_of_a_patient_is_logged_counted_or_entered(app, act, caplog, journaled):
    caplog.set_level("DEBUG")
    known = {**KNOWN, "patient": patient(name=[{"family": "Holloway"}], identifier=[{"value": "MRN-4711"}])}
    ehr = an_ehr(app, act)
    cards = ehr.cards(request("order-sign", CONTEXTS["order-sign"], prefetch=known))
    ehr.call(request("order-sign", {"draftOrders": "Holloway"}, prefetch=known))
    metrics = app.extensions["dosegate"].metrics.text()
    said = caplog.text + str(journaled()) + metrics
    for word in ("Holloway", "MRN-4711", "1984-03-02", PATIENT, "order-1", "Observation/31"):
        assert word not in said, word
    assert "Holloway" not in str(cards)
