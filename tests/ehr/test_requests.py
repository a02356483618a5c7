"""Calls as EHRs send them: lenient to what is not known, strict to what is missing, faults at their path."""

import json
import uuid

import pytest

from service.ehr.hooks import HOOKS, SERVICE
from tests.ehr.calls import (
    FHIR,
    PATIENT,
    SERVICES,
    an_ehr,
    bundle,
    looked_for,
    nothing_empty,
    order,
    order_sign,
    patient,
    request,
)

pytestmark = pytest.mark.any_database
AUTHORIZATION = {
    "access_token": "secret-token",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.read",
    "subject": "dosegate",
}
CONTEXTS = {
    "order-sign": {"draftOrders": bundle(order())},
    "order-select": {"draftOrders": bundle(order()), "selections": ["MedicationRequest/order-1"]},
    "patient-view": {},
    "appointment-book": {"appointments": bundle()},
    "encounter-start": {"encounterId": "enc-1"},
    "order-dispatch": {"dispatchedOrders": ["MedicationRequest/order-1"], "performer": "Organization/1"},
}
REQUIRED = {
    hook: ["patientId", *([] if hook == "order-dispatch" else ["userId"]), *context]
    for hook, context in CONTEXTS.items()
}


@pytest.fixture
def ehr(app, act):
    return an_ehr(app, act, fhir_servers=(FHIR,))


def a_call(hook, **more):
    known = looked_for(patient=patient(), orders=bundle(order(status="active")))
    return request(hook, CONTEXTS[hook], **{"prefetch": known, **more})


def is_outcome(response, status, *paths):
    """Whether a response is an OperationOutcome about just these places of the body."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    document = response.json
    assert document["resourceType"] == "OperationOutcome"
    nothing_empty(document)
    for issue in document["issue"]:
        assert issue["severity"] == "error"
        assert issue["details"]["text"]
    assert sorted(path for issue in document["issue"] for path in issue.get("expression", [])) == sorted(
        paths
    )
    return True


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_answered_with_cards_of_the_one_order(ehr, hook):
    cards = ehr.cards(a_call(hook))
    nothing_empty(cards)
    assert {card["extension"]["org.dosegate.checklist"]["order"] for card in cards} == {
        "MedicationRequest/order-1"
    }
    assert all(card["summary"].startswith("Inebilizumab: ") for card in cards)


@pytest.mark.parametrize("hook", HOOKS)
def test_the_context_of_every_hook_is_documented(app, hook):
    documented = app.test_client().get("/api/v1/openapi.json").json
    schemas = documented["components"]["schemas"]
    body = documented["paths"]["/cds-services/{service_id}"]["post"]["requestBody"]
    calls = [
        schemas[each["$ref"].rpartition("/")[2]]
        for each in body["content"]["application/json"]["schema"]["oneOf"]
    ]
    [mine] = [each for each in calls if each["properties"]["hook"]["enum"] == [hook]]
    context = schemas[mine["properties"]["context"]["$ref"].rpartition("/")[2]]
    assert sorted(context["required"]) == sorted(REQUIRED[hook])
    assert set(mine["required"]) >= {"hook", "hookInstance", "context"}
    assert {"fhirServer", "fhirAuthorization", "prefetch"} <= set(mine["properties"])


@pytest.mark.parametrize(("hook", "name"), [(hook, name) for hook in HOOKS for name in REQUIRED[hook]])
def test_what_a_hook_needs_and_does_not_say_is_named(ehr, hook, name):
    document = a_call(hook)
    del document["context"][name]
    assert is_outcome(ehr.call(document), 400, f"context.{name}")
    for nothing in (None, ""):
        document["context"][name] = nothing
        assert is_outcome(ehr.call(document), 400, f"context.{name}")


def test_a_hook_that_is_none_of_ours_is_answered_with_those_that_are(ehr):
    said = ehr.call(a_call("order-sign") | {"hook": "medication-refill"}).json["issue"][0]["details"]["text"]
    assert said == f"hook is no hook of this service: {', '.join(HOOKS)}"


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_what_every_call_needs_and_does_not_say_is_named(ehr, name):
    document = a_call("order-sign")
    del document[name]
    assert is_outcome(ehr.call(document), 400, name)


def test_all_that_is_missing_is_named_at_once(ehr):
    assert is_outcome(ehr.call({}), 400, "hook", "hookInstance", "context")
    document = request("order-sign", {})
    del document["context"]["patientId"]
    assert is_outcome(ehr.call(document), 400, "context.patientId", "context.draftOrders")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hook": "medication-refill"}, "hook"),
        ({"hook": 5}, "hook"),
        ({"hookInstance": "not-a-uuid"}, "hookInstance"),
        ({"context": []}, "context"),
        ({"prefetch": []}, "prefetch"),
        ({"fhirServer": "no address"}, "fhirServer"),
        ({"fhirServer": "ftp://fhir.example.org"}, "fhirServer"),
        ({"fhirAuthorization": AUTHORIZATION}, "fhirServer"),
        (
            {"fhirServer": FHIR, "fhirAuthorization": {**AUTHORIZATION, "token_type": "MAC"}},
            "fhirAuthorization.token_type",
        ),
    ],
)
def test_what_is_wrong_is_named(ehr, changes, path):
    assert is_outcome(ehr.call({**a_call("order-sign"), **changes}), 400, path)


@pytest.mark.parametrize("name", AUTHORIZATION)
def test_a_grant_that_is_not_whole_is_refused_and_its_token_said_nowhere(ehr, name, caplog):
    granted = {key: each for key, each in AUTHORIZATION.items() if key != name}
    response = ehr.call(a_call("order-sign", fhirServer=FHIR, fhirAuthorization=granted))
    assert is_outcome(response, 400, f"fhirAuthorization.{name}")
    assert "secret-token" not in response.text + caplog.text


@pytest.mark.parametrize("drafts", [[], "x", {"resourceType": "Patient"}, {}, {"resourceType": 5}])
def test_drafts_that_are_no_bundle_are_refused(ehr, drafts):
    assert is_outcome(ehr.call(request("order-sign", {"draftOrders": drafts})), 400, "context.draftOrders")


def test_what_is_not_known_is_passed_over(ehr):
    document = a_call("order-sign", extension={"org.example": {"a": 1}}, future={"x": []})
    document["context"]["novelty"] = {"y": 1}
    document["prefetch"]["unheard-of"] = {"resourceType": "Basic"}
    assert len(ehr.cards(document)) == len(ehr.cards(a_call("order-sign")))


def test_tasks_of_a_dispatch_are_passed_over_however_they_are_spelled(ehr):
    for name in ("fulfillmentTasks", "fulfillment-tasks"):
        document = a_call("order-dispatch")
        document["context"][name] = [{"resourceType": "Task", "status": "draft", "intent": "order"}]
        assert ehr.cards(document)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[1]", b"null", b'{"hook": "order-sign", "hook": "order-sign"}', b'{"a": NaN}'],
)
def test_what_is_no_json_object_is_refused(ehr, body):
    response = ehr.post(f"{SERVICES}/{SERVICE}", body)
    assert response.status_code == 400
    assert response.json["resourceType"] == "OperationOutcome"


def test_another_service_is_not_found(ehr):
    assert is_outcome(ehr.call(a_call("order-sign"), service="another"), 404)
    assert is_outcome(ehr.tell({}, service="another"), 404)


def test_another_media_type_is_not_taken(ehr):
    path = f"{SERVICES}/{SERVICE}"
    for sent_as in ("text/plain", "application/x-www-form-urlencoded", "application/fhir+json"):
        response = ehr.post(path, a_call("order-sign"), **{"Content-Type": sent_as})
        assert is_outcome(response, 415)


def test_a_body_of_four_mebibytes_is_taken_and_a_longer_one_is_not(ehr):
    document = order_sign(order(medicine={"text": "Aspirin"}), extension={"x": ""})
    size = 4 * 1024 * 1024
    document["extension"]["x"] = "x" * (size - len(json.dumps(document)))
    assert ehr.call(document).json == {"cards": []}
    document["extension"]["x"] += "x"
    assert is_outcome(ehr.call(document), 413)


def test_a_token_is_good_for_the_address_it_names_and_for_one_call(ehr):
    path = f"{SERVICES}/{SERVICE}"
    token = {"Authorization": ehr.token(path)}
    assert ehr.post(path, a_call("order-sign"), **token).status_code == 200
    again = ehr.post(path, a_call("order-sign"), **token)
    assert (again.status_code, again.data) == (401, b"")
    elsewhere = ehr.post(path, a_call("order-sign"), Authorization=ehr.token(f"{path}/feedback"))
    assert (elsewhere.status_code, elsewhere.data) == (401, b"")


def test_the_hook_instance_comes_back_with_each_card(ehr):
    document = a_call("order-sign", hookInstance=str(uuid.uuid4()))
    for card in ehr.cards(document):
        assert card["extension"]["org.dosegate.checklist"]["hookInstance"] == document["hookInstance"]


def test_somebody_elses_resource_is_refused_and_entered_without_saying_whose(ehr, journaled):
    other = {"reference": "Patient/somebody-else"}
    observed = {
        "resourceType": "Observation",
        "id": "9",
        "status": "final",
        "code": {"text": "x"},
        "subject": other,
    }
    calls = {
        "prefetch.results.entry[0].resource.subject": order_sign(
            prefetch=looked_for(results=bundle(observed))
        ),
        "context.draftOrders.entry[0].resource.subject": order_sign(order(subject=other)),
    }
    for path, document in calls.items():
        assert is_outcome(ehr.call(document), 422, path)
        event, actor, subject, details = journaled()[-1]
        assert (event, actor, subject) == ("other_patient.refused", "ehr:epic", "ehr:epic")
        assert path in str(details)
        assert "somebody-else" not in str(details)
    assert is_outcome(
        ehr.call(order_sign(prefetch=looked_for(patient=patient("another")))), 422, "prefetch.patient"
    )
    assert "prefetch.patient" in str(journaled()[-1][3])
    assert len(journaled("other_patient.refused")) == 3
    assert not journaled("checklist.made")


def test_a_patient_whose_number_is_the_id_asked_for_is_another_one(ehr):
    other = patient("pat-2", identifier=[{"system": "urn:mrn", "value": "pat-1"}])
    assert is_outcome(ehr.call(order_sign(prefetch=looked_for(patient=other))), 422, "prefetch.patient")


def test_the_patient_of_another_server_than_the_call_s_is_another_one(ehr):
    def ask(base):
        document = order_sign(order(subject={"reference": f"{base}/Patient/pat-1"}), prefetch=looked_for())
        return ehr.call({**document, "fhirServer": FHIR})

    assert ask(FHIR).status_code == 200
    path = "context.draftOrders.entry[0].resource.subject"
    assert is_outcome(ask("https://other.example/fhir"), 422, path)


def test_a_bundle_that_cannot_be_read_holds_an_order_of_ours_and_no_other(ehr):
    twice = [
        {
            "resourceType": "Observation",
            "id": "9",
            "status": each,
            "subject": {"reference": f"Patient/{PATIENT}"},
        }
        for each in ("final", "preliminary")
    ]
    known = looked_for(results=bundle(*twice))
    [card] = ehr.cards(order_sign(prefetch=known))
    assert card["indicator"] == "critical"
    assert "could not be checked" in card["summary"]
    assert "prefetch.results.entry\\[1\\].resource" in card["detail"]
    assert ehr.cards(order_sign(order(medicine={"text": "Aspirin"}), prefetch=known)) == []
