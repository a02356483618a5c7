"""Orders of which it cannot be told what they are, and searches read in pieces: nothing is dropped."""

from dataclasses import replace

import pytest

from tests.ehr.calls import PATIENT, an_ehr, bundle, looked_for, order, order_sign, patient, request
from tests.ehr.fhir_server import FhirServer
from tests.ehr.test_cds_hooks import HBSAG, REFERENCE, granted, kept_request, needs, orders_of, result
from tests.ehr.test_requests import is_outcome

pytestmark = pytest.mark.any_database
UPLIZNA = {"resourceType": "Medication", "id": "9", "code": {"text": "Uplizna"}}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@pytest.fixture
def settings(settings):
    """Time enough to fetch, on any machine."""
    return replace(settings, fhir_seconds=20)


@pytest.fixture
def ehr(app, act):
    return an_ehr(app, act)


@pytest.fixture
def fetched(app, act):
    """Answers calls with leave to read from a server that has these resources: the cards, what was asked."""

    def answer(document, *resources, **how):
        with FhirServer(resources, **how) as server:
            ehr = an_ehr(app, act, "fetching", fhir_servers=(server.base,))
            return ehr.cards({**document, **granted(server)}), server.asked

    return answer


def select(*selections, draft=None):
    drafts = bundle(order() if draft is None else draft)
    return request("order-select", {"draftOrders": drafts, "selections": selections})


def without_medicine(**changes):
    return order(medicationCodeableConcept=None, **changes)


def referring(to="Medication/9", **more):
    return without_medicine(medicationReference={"reference": to, **more})


# Orders that were chosen


@pytest.mark.parametrize(
    "selection",
    [
        *("order-1", "urn:uuid:5f1f1e8e-3f5b-4d59-9b0a-0d7f2f3c7d11", "medicationrequest/order-1"),
        *("MedicationRequest/zz", "https://fhir.ehr.example.org/r4/MedicationRequest/zz", "#order-1"),
    ],
)
def test_what_was_chosen_and_is_not_among_the_drafts_is_not_known(ehr, selection):
    assert is_outcome(ehr.call(select(selection)), 412, "context.selections")
    *cards, last = ehr.cards(select(selection, "MedicationRequest/order-1"))
    assert orders_of(cards) == {"MedicationRequest/order-1"}
    assert "orders that were not checked" in last["summary"]


def test_a_draft_without_an_id_cannot_be_chosen_by_one(ehr):
    assert is_outcome(
        ehr.call(select("MedicationRequest/order-1", draft=order(None))), 412, "context.selections"
    )


@pytest.mark.parametrize(
    ("url", "selection"),
    [
        ("urn:uuid:5f1f1e8e-3f5b-4d59-9b0a-0d7f2f3c7d11", "urn:uuid:5f1f1e8e-3f5b-4d59-9b0a-0d7f2f3c7d11"),
        ("https://fhir.ehr.example.org/r4/MedicationRequest/7", "MedicationRequest/7"),
        ("https://fhir.ehr.example.org/r4/MedicationRequest/7", "MedicationRequest/7/_history/2"),
    ],
)
def test_a_draft_without_an_id_is_chosen_by_its_address(ehr, url, selection):
    document = select(selection)
    document["context"]["draftOrders"]["entry"] = [{"fullUrl": url, "resource": order(None)}]
    assert ehr.cards(document)


@pytest.mark.parametrize("sent", ["order-1", "urn:uuid:5f1f1e8e-3f5b-4d59-9b0a-0d7f2f3c7d11"])
def test_an_order_that_is_sent_elsewhere_by_no_name_of_its_own_is_not_known(ehr, sent):
    context = {"dispatchedOrders": [sent], "performer": "Organization/1"}
    known = looked_for(orders=bundle(order(status="active")))
    answer = ehr.call(request("order-dispatch", context, prefetch=known))
    assert is_outcome(answer, 412, "context.dispatchedOrders")


# Orders that cannot be read


def test_a_draft_that_cannot_be_read_is_said_to_be_open(ehr):
    drafts = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1"}, {"resource": order()}]}
    *cards, last = ehr.cards(request("order-sign", {"draftOrders": drafts}))
    assert orders_of(cards) == {"MedicationRequest/order-1"}
    assert "orders that were not checked" in last["summary"]
    assert r"context.draftOrders.entry\[0\]" in last["detail"]
    drafts["entry"].pop()
    assert is_outcome(
        ehr.call(request("order-sign", {"draftOrders": drafts})), 412, "context.draftOrders.entry[0]"
    )


def test_a_draft_in_a_bundle_in_the_bundle_is_checked(ehr):
    assert orders_of(ehr.cards(order_sign(bundle(order())))) == {"MedicationRequest/order-1"}


@pytest.mark.parametrize(
    "orders",
    [
        {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "403"}}]},
        {"resourceType": "Bundle", "entry": [{"fullUrl": "https://x.example/MedicationRequest/1"}]},
        *(patient(), bundle({**order(), "resourceType": "medicationRequest"}), bundle(total="3")),
    ],
)
def test_active_orders_that_cannot_be_read_are_not_known(ehr, orders):
    answer = ehr.call(request("patient-view", {}, prefetch=looked_for(orders=orders)))
    assert is_outcome(answer, 412, "prefetch.orders")


def test_active_orders_in_the_answer_to_a_batch_are_checked(ehr):
    part = {"resource": bundle(order(status="active")), "response": {"status": "200"}}
    known = looked_for(orders={"resourceType": "Bundle", "type": "batch-response", "entry": [part]})
    assert orders_of(ehr.cards(request("patient-view", {}, prefetch=known))) == {"MedicationRequest/order-1"}


# Orders that name nothing

NAMELESS = {
    "nothing": without_medicine(),
    "an empty concept": order(medicine={}),
    "a code of an unknown system": order(medicine={"coding": [{"system": "urn:x", "code": "INE"}]}),
    "an identifier": without_medicine(medicationReference={"identifier": {"value": "x"}}),
    "a Medication that is not here": referring("Medication/8"),
    "a Medication that is not here, by an empty name": referring("Medication/8", display=""),
    "a Medication that says nothing": referring("Medication/7"),
    "the form of another release": without_medicine(medication={"concept": {"text": "Uplizna"}}),
}


@pytest.mark.parametrize("drawn", NAMELESS.values(), ids=NAMELESS)
def test_an_order_that_names_nothing_is_not_known(ehr, drawn):
    known = looked_for(orders=bundle({"resourceType": "Medication", "id": "7"}))
    answer = ehr.call(order_sign(drawn, prefetch=known))
    assert is_outcome(answer, 412, "MedicationRequest/order-1")
    *cards, last = ehr.cards(order_sign(order("2"), drawn, prefetch=known))
    assert orders_of(cards) == {"MedicationRequest/2"}
    assert "MedicationRequest/order-1" in last["detail"]


def test_only_an_order_that_was_just_begun_may_name_nothing(ehr):
    chosen = "MedicationRequest/order-1"
    assert ehr.cards(select(chosen, draft=without_medicine())) == []
    unnamed = NAMELESS["an identifier"]
    assert is_outcome(ehr.call(select(chosen, draft=unnamed)), 412, chosen)


@pytest.mark.parametrize(
    "other",
    [
        referring("Medication/8", display="Dolutegravir 50 mg"),
        without_medicine(medicationReference={"display": "Methotrexate"}),
        referring("Medication/8", display="LISINOPRIL 10 MG PO TABS"),
        without_medicine(medicationReference={"identifier": {"value": "x"}, "display": "Infusion order"}),
        order(medicine={"text": "Infusion order"}),
        order(medicine={"coding": [{"system": RXNORM, "code": "99999999"}]}),
    ],
)
def test_an_order_that_names_another_medicine_has_no_card_and_is_counted(app, ehr, other):
    assert ehr.cards(order_sign(other, prefetch=looked_for())) == []
    text = app.extensions["dosegate"].metrics.text()
    assert any(
        each.startswith("dosegate_orders_without_pack_total{") and each.endswith(" 1.0")
        for each in text.splitlines()
    )


def test_the_name_beside_a_reference_is_enough_where_it_is_one_of_ours(ehr, fetched):
    drawn = referring(display="Uplizna 300 mg")
    assert orders_of(ehr.cards(order_sign(drawn))) == {"MedicationRequest/order-1"}
    _, asked = fetched(order_sign(drawn, prefetch=looked_for()), UPLIZNA)
    assert asked == []


def test_the_medicine_behind_a_name_that_is_not_known_is_fetched(fetched):
    cards, asked = fetched(
        order_sign(referring(display="Infusion order"), prefetch=looked_for(patient=patient())), UPLIZNA
    )
    assert asked == ["/fhir/Medication/9"]
    assert orders_of(cards) == {"MedicationRequest/order-1"}


# Doses


def dose(id, day, **medicine):
    return {
        "resourceType": "MedicationAdministration",
        "id": id,
        "status": "completed",
        "subject": REFERENCE,
        "effectiveDateTime": f"{day}T10:00:00Z",
        **(medicine or {"medicationReference": {"reference": "Medication/9"}}),
    }


DOSES = [dose("1", "2026-09-08"), dose("2", "2026-09-22", medicationCodeableConcept={"text": "Uplizna"})]


@pytest.mark.parametrize("sent", [True, False])
def test_the_medicines_of_doses_are_fetched_and_the_doses_counted(fetched, sent):
    known = looked_for(administrations=bundle(*DOSES))
    if not sent:
        del known["administrations"]
    cards, asked = fetched(order_sign(prefetch=known), patient(), *DOSES, UPLIZNA)
    assert asked.count("/fhir/Medication/9") == 1
    assert "dose_number" not in needs(cards)


# Searches that are read in pieces


def positive(**changes):
    return result("5196-1", "Positive", "32", effectiveDateTime="2026-09-21", **changes)


def test_a_page_that_lost_something_is_read_anew_and_not_only_read_on(app, act, sql):
    with FhirServer([HBSAG, positive()], page_size=1) as server:
        ehr = an_ehr(app, act, "paged", fhir_servers=(server.base,))
        link = [{"relation": "next", "url": f"{server.base}/Observation?patient={PATIENT}&_page=2"}]
        page = bundle(HBSAG, link=link)
        page["entry"].append({"fullUrl": "urn:uuid:1"})
        cards = ehr.cards(order_sign(prefetch=looked_for(results=page), **granted(server)))
    assert len(server.asked) == 2
    assert kept_request(sql, cards[0])["searched"]["results"] == "complete"


def test_pages_that_do_not_make_up_what_was_counted_are_not_all(app, act, sql):
    with FhirServer([HBSAG, positive()], page_size=1) as server:
        ehr = an_ehr(app, act, "short", fhir_servers=(server.base,))
        link = [{"relation": "next", "url": f"{server.base}/Observation?patient={PATIENT}&_page=2"}]
        known = looked_for(results=bundle(HBSAG, link=link, total=3))
        cards = ehr.cards(order_sign(prefetch=known, **granted(server)))
    assert kept_request(sql, cards[0])["searched"]["results"] == "incomplete"


def test_what_was_sent_stays_where_it_could_not_be_read_whole_either(app, act, sql):
    known = looked_for(results=bundle(positive(), total=2))
    with FhirServer([HBSAG], modes={"Observation": "note:warning"}) as server:
        ehr = an_ehr(app, act, "warned", fhir_servers=(server.base,))
        cards = ehr.cards(order_sign(prefetch=known, **granted(server)))
    kept = kept_request(sql, cards[0])
    assert kept["searched"]["results"] == "incomplete"
    assert any("HBsAg is positive" in card["detail"] for card in cards)
