"""Calls of hooks through the whole application: which orders are checked, with what, and what is kept."""

import json
from dataclasses import replace

import pytest

from service.access.roles import Role
from service.app import create_app
from service.checklist.engine import EngineFault
from service.ehr.cards import EXTENSION
from tests import databases
from tests.builders import shipped
from tests.ehr.calls import (
    NAMES,
    PATIENT,
    an_ehr,
    bundle,
    looked_for,
    order,
    order_sign,
    patient,
    request,
)
from tests.ehr.fhir_server import TOKEN, FhirServer, outcome
from tests.ehr.test_requests import is_outcome
from tests.fhir.others import problems_of
from tests.logged import logged
from tests.people import signed_in

ASPIRIN, TROGARZO = {"text": "Aspirin 100 mg"}, {"text": "Trogarzo"}
REFERENCE = {"reference": f"Patient/{PATIENT}"}


@pytest.fixture
def settings(settings):
    """Time enough to fetch, on any machine."""
    return replace(settings, fhir_seconds=20)


@pytest.fixture
def ehr(app, act):
    return an_ehr(app, act)


def result(code, value, id="31", **changes):
    """A laboratory result by its LOINC code."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": REFERENCE,
        "effectiveDateTime": "2026-09-20",
        "valueCodeableConcept": {"text": value},
        **changes,
    }


HBSAG = result("5196-1", "Negative")


def about(card):
    return card["extension"][EXTENSION]


def orders_of(cards):
    return {about(card)["order"] for card in cards}


def needs(cards):
    """What the checklist of these cards asks for."""
    [asked] = {tuple(about(card)["needs"]) for card in cards}
    return set(asked)


def kept_request(sql, card):
    [(body,)] = sql("SELECT request FROM contents WHERE checklist = ?", about(card)["id"])
    return json.loads(bytes(body))


# What is kept


def test_a_checklist_and_its_cards_are_kept_as_they_were_given(app, ehr, sql, journaled):
    cards = ehr.cards(order_sign(prefetch=looked_for(patient=patient(), results=bundle(HBSAG))))
    [made] = {about(card)["id"] for card in cards}
    [(_, actor, subject, _)] = journaled("checklist.made")
    assert (actor, subject) == ("ehr:epic", made)
    kept = {row[0]: row[1:] for row in sql("SELECT id, checklist, client, findings, suggestions FROM cards")}
    assert set(kept) == {card["uuid"] for card in cards}
    for card in cards:
        checklist, client, findings, suggestions = kept[card["uuid"]]
        assert (checklist, client) == (made, "epic")
        assert loaded(findings) == [[each["check"], each["rule"]] for each in about(card)["findings"]]
        assert loaded(suggestions) == [each["uuid"] for each in card.get("suggestions", [])]
    nurse = signed_in(app, Role.NURSE)
    stored = nurse.get(f"/api/v1/checklists/{made}").json
    assert stored["needs"] == about(cards[0])["needs"]
    assert nurse.get(about(cards[0])["trace"].removeprefix("https://dosegate.example")).status_code == 200


def loaded(stored):
    return json.loads(stored) if isinstance(stored, str) else stored


@pytest.mark.any_database
def test_the_request_is_kept_so_that_it_can_be_replayed(app, ehr, sql):
    [card, *_] = ehr.cards(order_sign(prefetch=looked_for(patient=patient(), results=bundle(HBSAG))))
    kept = kept_request(sql, card)
    assert (kept["drug"], kept["region"], kept["patient"]) == ("inebilizumab", "US", {"id": PATIENT})
    assert kept["order"] == "MedicationRequest/order-1"
    assert kept["searched"] == dict.fromkeys(NAMES, "complete")
    assert {each["resource"]["resourceType"] for each in kept["bundle"]["entry"]} == {
        "MedicationRequest",
        "Patient",
        "Observation",
    }
    replayed = signed_in(app, Role.AUDITOR).post(f"/api/v1/checklists/{about(card)['id']}/replay")
    assert replayed.json["identical"] is True


WHO = [
    ("Practitioner/1", "Practitioner/1"),
    ("https://fhir.ehr.example.org/r4/PractitionerRole/a-1", "PractitionerRole/a-1"),
    ("Patient/pat-1", None),
    ("RelatedPerson/7", None),
    ("Practitioner/Mrs Holloway", None),
    (f"Practitioner/{'x' * 65}", None),
    ("Holloway", None),
]


@pytest.mark.any_database
@pytest.mark.parametrize(("user", "named"), WHO)
def test_who_of_the_staff_asked_is_entered_and_told_and_nobody_else_is(app, ehr, journaled, user, named):
    document = order_sign(order("1"), order("2", TROGARZO), prefetch=looked_for(patient=patient()))
    document["context"]["userId"] = user
    [made, _] = {about(card)["id"] for card in ehr.cards(document)}
    for row in journaled("checklist.made"):
        details = loaded(row[3])
        assert (details["hook"], details["hook_instance"]) == ("order-sign", document["hookInstance"])
        assert details.get("asked_by") == named
    response = signed_in(app, Role.NURSE).get(f"/api/v1/checklists/{made}?_format=fhir")
    assert problems_of(response.json) == []
    told = [each["resource"] for each in response.json["entry"]]
    [provenance] = [each for each in told if each["resourceType"] == "Provenance"]
    [audit] = [
        each
        for each in told
        if each["resourceType"] == "AuditEvent" and each["subtype"][0]["code"] == "checklist.made"
    ]
    for witness in (provenance, audit):
        who = [each["who"]["reference"] for each in witness["agent"] if "reference" in each["who"]]
        assert [each for each in who if not each.startswith("urn:")] == ([named] if named else [])
    assert [each["requestor"] for each in audit["agent"]] == ([False, True] if named else [True])


# Whose it is

MRN = "urn:oid:1.2.36.146.595.217.0.1"


@pytest.fixture
def by_number(settings, clock, act):
    """An EHR of a site that knows patients by an identifier of theirs."""
    app = create_app(replace(settings, patient_identifier_system=MRN), shipped(), clock)
    yield an_ehr(app, act, "by-number")
    app.extensions["dosegate"].store.records.close()


def numbered(*numbers):
    return patient(identifier=[{"system": system, "value": value} for system, value in numbers])


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ([(MRN, "4711"), ("urn:other", "9")], "4711"),
        ([(MRN, "4711"), (MRN, "4712")], PATIENT),
        ([("urn:other", "4711")], PATIENT),
        ([], PATIENT),
    ],
)
def test_a_patient_has_the_id_by_which_the_site_knows_them(by_number, sql, numbers, wanted):
    known = looked_for(patient=numbered(*numbers), results=bundle(HBSAG))
    cards = by_number.cards(order_sign(prefetch=known))
    assert kept_request(sql, cards[0])["patient"] == {"id": wanted}
    assert "hbsag" not in needs(cards)
    drafts = [each["actions"][0]["resource"] for card in cards for each in card.get("suggestions", [])]
    assert {each["subject"]["reference"] for each in drafts} == {f"Patient/{PATIENT}"}
    id = about(cards[0])["id"]
    told = signed_in(by_number.app, Role.NURSE).get(f"/api/v1/checklists/{id}?_format=fhir").json
    [subject] = [
        each["resource"]["subject"]
        for each in told["entry"]
        if each["resource"]["resourceType"] == "GuidanceResponse"
    ]
    assert subject["identifier"]["value"] == wanted
    assert subject["reference"] == f"Patient/{PATIENT}"
    replayed = signed_in(by_number.app, Role.AUDITOR).post(f"/api/v1/checklists/{id}/replay")
    assert replayed.json["identical"] is True


@pytest.mark.any_database
def test_without_a_system_and_without_a_patient_the_id_is_that_of_the_resource(ehr, by_number, sql):
    [card, *_] = ehr.cards(order_sign(prefetch=looked_for(patient=numbered((MRN, "4711")))))
    assert kept_request(sql, card)["patient"] == {"id": PATIENT}
    [card, *_] = by_number.cards(order_sign(prefetch=looked_for()))
    assert kept_request(sql, card)["patient"] == {"id": PATIENT}


# How many


@pytest.mark.any_database
def test_orders_beyond_twenty_are_said_not_to_be_checked(ehr, sql):
    drafts = [order(str(number)) for number in range(23)]
    *cards, last = ehr.cards(order_sign(*drafts, order("other", ASPIRIN), prefetch=looked_for()))
    assert orders_of(cards) == {f"MedicationRequest/{number}" for number in range(20)}
    assert sql("SELECT count(*) FROM checklists") == [(20,)]
    assert last["indicator"] == "critical"
    assert "uuid" not in last
    assert last["summary"] == (
        "Not all orders are checked: too many orders in one call: 3 not checked, hold these"
    )
    assert "MedicationRequest/20, MedicationRequest/21, MedicationRequest/22." in last["detail"]
    sent = ehr.cards(order_sign(*drafts[:20], prefetch=looked_for()))
    assert all("uuid" in card for card in sent)


@pytest.mark.any_database
def test_what_is_no_part_of_the_chart_is_not_kept(ehr, sql):
    practitioner = {"resourceType": "Practitioner", "id": "1", "name": [{"family": "Holloway"}]}
    known = looked_for(patient=patient(), results=bundle(HBSAG, practitioner))
    [card, *_] = ehr.cards(order_sign(prefetch=known))
    assert "Holloway" not in json.dumps(kept_request(sql, card))


@pytest.mark.usefixtures("own_database_url")
def test_where_the_records_fail_there_is_no_answer_rather_than_no_card(ehr, sql):
    databases.refuse_rows(sql, "cards")
    response = ehr.call(order_sign(prefetch=looked_for()))
    assert is_outcome(response, 503)
    assert sql("SELECT count(*) FROM checklists") == [(0,)]
    assert sql("SELECT count(*) FROM journal WHERE event = 'checklist.made'") == [(0,)]


class Failing:
    """An engine that fails on every patient."""

    def decide(self, values):
        raise EngineFault("out of order")


@pytest.mark.any_database
def test_an_engine_that_fails_is_one_critical_card(settings, clock, act, caplog):
    library = replace(shipped())
    library.engines["inebilizumab"] = Failing()
    app = create_app(settings, library, clock)
    ehr = an_ehr(app, act)
    [card] = ehr.cards(order_sign(prefetch=looked_for(patient=patient())))
    assert card["indicator"] == "critical"
    assert {each["kind"] for each in about(card)["findings"]} == {"engine"}
    app.extensions["dosegate"].store.records.close()


@pytest.mark.any_database
def test_a_fault_of_ours_is_a_critical_card_and_its_words_are_said_nowhere(app, ehr, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("MRN-1001 is Mrs Holloway")

    monkeypatch.setattr("service.ehr.answering.cards_of", broken)
    [card] = ehr.cards(order_sign(order(), order("2", ASPIRIN), prefetch=looked_for()))
    assert card["indicator"] == "critical"
    assert card["summary"].startswith("Inebilizumab: could not be checked")
    assert "Holloway" not in caplog.text + json.dumps(card)
    assert "RuntimeError" in caplog.text


# Which orders


@pytest.mark.any_database
def test_several_drugs_have_a_set_of_cards_each(ehr, sql):
    cards = ehr.cards(
        order_sign(order("1"), order("2", TROGARZO), order("3", ASPIRIN), prefetch=looked_for())
    )
    assert orders_of(cards) == {"MedicationRequest/1", "MedicationRequest/2"}
    for card in cards:
        name = {"MedicationRequest/1": "Inebilizumab", "MedicationRequest/2": "Ibalizumab"}[
            about(card)["order"]
        ]
        assert card["summary"].startswith(f"{name}: ")
        kept = kept_request(sql, card)
        assert (kept["drug"], kept["order"]) == (name.lower(), about(card)["order"])
    assert len({about(card)["id"] for card in cards}) == 2


@pytest.mark.any_database
def test_of_drafts_only_the_chosen_ones_are_checked_and_all_are_known(ehr, sql):
    drafts = bundle(order("1"), order("2", TROGARZO))
    for chosen in ("MedicationRequest/2", "https://fhir.ehr.example.org/r4/MedicationRequest/2"):
        context = {"draftOrders": drafts, "selections": [chosen]}
        cards = ehr.cards(request("order-select", context, prefetch=looked_for()))
        assert orders_of(cards) == {"MedicationRequest/2"}
        assert len(kept_request(sql, cards[0])["bundle"]["entry"]) == 2
    context = {"draftOrders": drafts, "selections": ["NutritionOrder/2"]}
    assert ehr.cards(request("order-select", context)) == []


@pytest.mark.any_database
def test_other_drugs_have_no_card_and_are_counted_without_their_names(app, ehr):
    assert ehr.cards(order_sign(order("1", ASPIRIN), order("2", {"text": "Ibuprofen"}))) == []
    text = app.extensions["dosegate"].metrics.text()
    [line] = [each for each in text.splitlines() if each.startswith("dosegate_orders_without_pack_total{")]
    assert 'hook="order-sign"' in line
    assert line.endswith(" 2.0")
    assert "spirin" not in text


@pytest.mark.any_database
def test_a_name_that_looks_like_one_of_ours_is_one_warning_and_no_checklist(ehr, journaled):
    [card] = ehr.cards(order_sign(order(medicine={"text": "Inebilizumap"}), prefetch=looked_for()))
    assert card["indicator"] == "warning"
    assert card["summary"].startswith(
        "“Inebilizumap”: is not a drug with rules here; it looks like Inebilizumab"
    )
    assert "uuid" not in card
    assert "url" not in card["source"]
    assert about(card) == {"status": "warn", "order": "MedicationRequest/order-1"}
    assert journaled("checklist.made") == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    "name", ["Inebilizumap <b>[x](y)</b>" + " and more" * 30, "Inebilizumap" + "x" * 300]
)
def test_what_an_order_calls_itself_stays_text(ehr, name):
    for card in ehr.cards(order_sign(order(medicine={"text": name}))):
        assert len(card["summary"]) < 140
        assert "<b>" not in card["detail"]


@pytest.mark.any_database
def test_an_order_whose_code_and_name_disagree_is_critical(ehr, journaled):
    coding = {"system": "http://www.whocc.no/atc", "code": "J05AX23"}
    [card] = ehr.cards(
        order_sign(order(medicine={"coding": [coding], "text": "Uplizna"}), prefetch=looked_for())
    )
    assert card["indicator"] == "critical"
    assert "Ibalizumab" in card["summary"] + card["detail"]
    assert "Inebilizumab" in card["summary"] + card["detail"]
    assert journaled("checklist.made") == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    "changes", [{"status": "cancelled"}, {"status": "entered-in-error"}, {"doNotPerform": True}]
)
def test_what_is_no_order_any_more_is_not_checked(ehr, changes):
    assert ehr.cards(order_sign(order(**changes), prefetch=looked_for())) == []


@pytest.mark.any_database
@pytest.mark.parametrize("hook", ["patient-view", "encounter-start"])
def test_active_orders_are_those_of_the_prefetch(ehr, hook):
    context = {"encounterId": "1"}
    active = bundle(order("1", status="active"), order("2", ASPIRIN, status="active"))
    cards = ehr.cards(request(hook, context, prefetch=looked_for(orders=active)))
    assert orders_of(cards) == {"MedicationRequest/1"}
    assert ehr.cards(request(hook, context, prefetch=looked_for())) == []


@pytest.mark.any_database
@pytest.mark.parametrize("orders", ["missing", outcome("error"), "<html>Tomcat</html>", 5])
def test_where_the_orders_are_not_known_nothing_can_be_said(ehr, orders):
    known = {name: each for name, each in looked_for(orders=orders).items() if each != "missing"}
    assert is_outcome(ehr.call(request("patient-view", {}, prefetch=known)), 412, "prefetch.orders")


@pytest.mark.any_database
def test_where_the_list_of_orders_goes_on_what_is_known_is_checked_and_the_rest_said_to_be_open(ehr):
    link = [{"relation": "next", "url": "https://fhir.ehr.example.org/r4?page=2"}]
    known = looked_for(orders=bundle(order("1", status="active"), link=link))
    *cards, last = ehr.cards(request("patient-view", {}, prefetch=known))
    assert orders_of(cards) == {"MedicationRequest/1"}
    assert last["indicator"] == "warning"
    assert "orders that were not checked" in last["summary"]
    others = looked_for(orders=bundle(order("1", ASPIRIN, status="active"), link=link))
    assert is_outcome(ehr.call(request("patient-view", {}, prefetch=others)), 412, "prefetch.orders")


@pytest.mark.any_database
def test_orders_that_are_sent_elsewhere_are_looked_up(ehr):
    context = {"dispatchedOrders": ["MedicationRequest/2", "ServiceRequest/9"], "performer": "Organization/1"}
    known = looked_for(orders=bundle(order("1", status="active"), order("2", TROGARZO, status="active")))
    assert orders_of(ehr.cards(request("order-dispatch", context, prefetch=known))) == {"MedicationRequest/2"}
    nowhere = request("order-dispatch", context, prefetch=looked_for())
    assert is_outcome(ehr.call(nowhere), 412, "context.dispatchedOrders")
    context = {**context, "dispatchedOrders": ["ServiceRequest/9"]}
    assert ehr.cards(request("order-dispatch", context)) == []


@pytest.mark.any_database
def test_an_order_that_refers_to_its_medicine_is_read_with_it_and_not_guessed_without(ehr):
    referring = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/9"})
    uplizna = {"resourceType": "Medication", "id": "9", "code": {"text": "Uplizna"}}
    assert is_outcome(ehr.call(order_sign(referring)), 412, "MedicationRequest/order-1")
    known = looked_for(orders=bundle(uplizna))
    assert orders_of(ehr.cards(order_sign(referring, prefetch=known))) == {"MedicationRequest/order-1"}
    contained = {**referring, "medicationReference": {"reference": "#9"}, "contained": [uplizna]}
    assert ehr.cards(order_sign(contained, prefetch=looked_for()))
    *_, last = ehr.cards(order_sign(order("1"), {**referring, "id": "2"}, prefetch=looked_for()))
    assert "orders that were not checked" in last["summary"]
    assert "MedicationRequest/2" in last["detail"]


# What the reference sandbox sends


@pytest.mark.any_database
def test_what_the_sandbox_sends_is_answered(ehr):
    drafts = bundle(order(category={"text": "outpatient"}))
    del drafts["type"]
    cards = ehr.cards(request("order-sign", {"draftOrders": drafts}, prefetch={"patient": patient()}))
    assert orders_of(cards) == {"MedicationRequest/order-1"}
    empty = bundle(order(medicationCodeableConcept=None))
    context = {"draftOrders": empty, "selections": ["MedicationRequest/order-1"]}
    assert ehr.cards(request("order-select", context)) == []


@pytest.mark.any_database
def test_a_draft_without_an_id_is_checked(ehr):
    assert ehr.cards(order_sign(order(None), prefetch=looked_for()))


# What is known: sent along, looked for in vain, not looked for, or failed


NEXT = [{"relation": "next", "url": "https://fhir.ehr.example.org/r4/Observation?page=2"}]
STATES = [
    ({}, None),
    ({"results": None}, "complete"),
    ({"results": bundle()}, "complete"),
    ({"results": bundle(HBSAG)}, "complete"),
    ({"results": HBSAG}, "complete"),
    ({"results": bundle(HBSAG, total=1)}, "complete"),
    ({"results": bundle(HBSAG, outcome("information"))}, "complete"),
    ({"results": bundle(HBSAG, total=2)}, "incomplete"),
    ({"results": bundle(HBSAG, link=NEXT)}, "incomplete"),
    ({"results": outcome("error")}, "failed"),
    ({"results": bundle(HBSAG, outcome("error"))}, "failed"),
    ({"results": {"resourceType": "OperationOutcome"}}, "failed"),
    ({"results": "<html><body>Apache Tomcat: error</body></html>"}, "failed"),
    ({"results": []}, "failed"),
    ({"results": {}}, "failed"),
]


@pytest.mark.any_database
@pytest.mark.parametrize(("prefetch", "state"), STATES)
def test_found_nothing_there_not_looked_for_and_failed_are_kept_apart(ehr, sql, prefetch, state):
    cards = ehr.cards(order_sign(prefetch={"patient": patient(), "reports": None, **prefetch}))
    searched = {"patient": "complete", "reports": "complete", **({"results": state} if state else {})}
    said = {
        "failed": "could not be read",
        "incomplete": "not read to the end",
        None: "not sent and not fetched",
    }
    unread = {name: said[searched.get(name)] for name in NAMES if searched.get(name) != "complete"}
    for card in cards:
        assert about(card)["unread"] == unread
    [asks] = [card["detail"] for card in cards if "Unknown never passes" in card["detail"]]
    for each in ("failed", "incomplete"):
        assert (f"{said[each]}: results" in asks) is (state == each)
    assert "not sent and not fetched: " in asks
    assert kept_request(sql, cards[0])["searched"] == searched
    has_it = HBSAG in (
        prefetch.get("results"),
        *(
            entry["resource"]
            for each in prefetch.values()
            if isinstance(each, dict)
            for entry in each.get("entry", [])
        ),
    )
    # What would clear may not be the newest where not all was read.
    assert ("hbsag" in needs(cards)) is not (has_it and state == "complete")


# What is fetched


def granted(server, token=TOKEN):
    return {
        "fhirServer": server.base,
        "fhirAuthorization": {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.read",
            "subject": "dosegate",
        },
    }


@pytest.fixture
def fhir(app, act):
    """A FHIR server with the chart of the patient, and an EHR whose it is."""
    chart = [patient(), HBSAG, order("1", status="active"), order("2", ASPIRIN, status="active")]
    with FhirServer(chart) as server:
        server.ehr = an_ehr(app, act, "fhir", fhir_servers=(server.base,))
        yield server


@pytest.mark.any_database
def test_what_was_not_sent_is_fetched_and_what_was_is_not(fhir, sql):
    cards = fhir.ehr.cards(order_sign(prefetch=looked_for(results="<html>"), **granted(fhir)))
    assert len(fhir.asked) == 1
    assert fhir.asked[0].startswith("/fhir/Observation?patient=pat-1")
    assert kept_request(sql, cards[0])["searched"] == dict.fromkeys(NAMES, "complete")
    assert "hbsag" not in needs(cards)
    cards = fhir.ehr.cards(order_sign(**granted(fhir)))
    assert len(fhir.asked) == 1 + len(NAMES)
    assert "hbsag" not in needs(cards)
    assert "birth_date" not in needs(cards)


@pytest.mark.any_database
@pytest.mark.parametrize("hook", ["patient-view", "encounter-start"])
def test_orders_that_were_not_sent_are_fetched(fhir, hook):
    cards = fhir.ehr.cards(request(hook, {"encounterId": "1"}, **granted(fhir)))
    assert orders_of(cards) == {"MedicationRequest/1"}
    context = {"dispatchedOrders": ["MedicationRequest/1"], "performer": "Organization/1"}
    cards = fhir.ehr.cards(request("order-dispatch", context, prefetch=looked_for(), **granted(fhir)))
    assert orders_of(cards) == {"MedicationRequest/1"}


@pytest.mark.any_database
def test_nothing_is_fetched_of_a_patient_without_an_order_of_ours(fhir):
    assert fhir.ehr.cards(order_sign(order(medicine=ASPIRIN), **granted(fhir))) == []
    assert fhir.asked == []


@pytest.mark.any_database
def test_a_medicine_that_an_order_refers_to_is_fetched(fhir):
    fhir.resources.append({"resourceType": "Medication", "id": "9", "code": {"text": "Uplizna"}})
    referring = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/9"})
    cards = fhir.ehr.cards(order_sign(referring, prefetch=looked_for(), **granted(fhir)))
    assert fhir.asked == ["/fhir/Medication/9"]
    assert orders_of(cards) == {"MedicationRequest/order-1"}


@pytest.mark.any_database
def test_a_medicine_of_an_order_that_was_fetched_itself_is_fetched_after_it(app, act):
    uplizna = {"resourceType": "Medication", "id": "9", "code": {"text": "Uplizna"}}
    referring = order(
        status="active", medicationCodeableConcept=None, medicationReference={"reference": "Medication/9"}
    )
    with FhirServer([patient(), referring, uplizna]) as server:
        ehr = an_ehr(app, act, "referring", fhir_servers=(server.base,))
        cards = ehr.cards(request("patient-view", {}, **granted(server)))
    assert orders_of(cards) == {"MedicationRequest/order-1"}
    assert server.asked[-1] == "/fhir/Medication/9"
    assert len(server.asked) == len(NAMES) + 1


@pytest.mark.any_database
def test_pages_that_were_not_sent_are_read_on(app, act, sql):
    positive = result("5196-1", "Positive", "32", effectiveDateTime="2026-09-21")
    with FhirServer([HBSAG, positive], page_size=1) as server:
        ehr = an_ehr(app, act, "paged", fhir_servers=(server.base,))
        link = {"relation": "next", "url": f"{server.base}/Observation?patient=pat-1&_page=2"}
        known = looked_for(results=bundle(HBSAG, link=[link]))
        cards = ehr.cards(order_sign(prefetch=known, **granted(server)))
    assert len(server.asked) == 1
    assert kept_request(sql, cards[0])["searched"]["results"] == "complete"
    assert any("HBsAg is positive" in card["detail"] for card in cards)


@pytest.mark.any_database
def test_a_server_that_is_not_registered_with_the_ehr_is_never_asked(fhir, ehr, sql, caplog):
    known = {"patient": patient(), "results": outcome("error")}
    [card, *_] = ehr.cards(order_sign(prefetch=known, **granted(fhir)))
    said = dict.fromkeys(NAMES[1:], "its FHIR server is not registered here")
    assert about(card)["unread"] == {**said, "results": "could not be read"}
    [told] = logged(caplog, "fhir_server_not_registered")
    assert (told["client"], told["origin"]) == ("epic", fhir.base.removesuffix("/fhir"))
    [asked] = [
        each["detail"] for each in ehr.cards(order_sign(**granted(fhir))) if "Now, in" in each["detail"]
    ]
    assert "its FHIR server is not registered here: patient, orders" in asked
    assert fhir.asked == []
    [card, *_] = ehr.cards(order_sign(**granted(fhir)))
    assert kept_request(sql, card)["searched"] == {}
    assert is_outcome(ehr.call(request("patient-view", {}, **granted(fhir))), 412, "prefetch.orders")


@pytest.mark.any_database
@pytest.mark.parametrize("mode", ["401", "403", "404", "410", "500", "html", "outcome", "closing"])
def test_what_cannot_be_fetched_stays_unknown(app, act, sql, mode):
    with FhirServer([patient(), HBSAG], modes={"Observation": mode}) as server:
        ehr = an_ehr(app, act, "failing", fhir_servers=(server.base,))
        cards = ehr.cards(order_sign(prefetch={"patient": patient()}, **granted(server)))
    assert kept_request(sql, cards[0])["searched"]["results"] == "failed"
    assert "hbsag" in needs(cards)
    assert cards[0]["indicator"] == "critical"
    assert "could not be read: results" in cards[0]["detail"]


def test_the_token_is_kept_and_logged_nowhere(fhir, sql, caplog, journaled):
    caplog.set_level("DEBUG")
    cards = fhir.ehr.cards(order_sign(**granted(fhir)))
    kept = [sql(f"SELECT * FROM {table}") for table in ("contents", "remarks", "cards", "checklists")]
    assert TOKEN not in caplog.text + str(journaled()) + json.dumps(cards)
    assert TOKEN not in str(
        [bytes(each) if isinstance(each, memoryview) else each for t in kept for row in t for each in row]
    )


# When


def timed(*events):
    return order(dosageInstruction=[{"timing": {"event": list(events)}}])


def planned(ehr, document):
    """When the infusion was taken to be, what said so, and the first line of every card."""
    [(at, said_by, first)] = {
        (about(card)["infusion_at"], about(card)["infusion_at_from"], card["detail"].split("\n")[0])
        for card in ehr.cards(document)
    }
    return at, said_by, first


def at_of(ehr, document):
    return planned(ehr, document)[0]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (["2026-12-01T09:00:00-05:00"], "2026-12-01T09:00:00-05:00"),
        (["2026-12-01"], "2026-12-01T12:00:00+01:00"),
        (["2026-12-08", "2026-12-01T09:00:00Z"], "2026-12-01T09:00:00+00:00"),
        (["2026-01-01T09:00:00Z"], "2026-10-06T20:00:00.123456+02:00"),
        (["2026-10-06"], "2026-10-06T20:00:00.123456+02:00"),
        (["2026-12"], "2026-10-06T20:00:00.123456+02:00"),
        ([], "2026-10-06T20:00:00.123456+02:00"),
    ],
)
def test_the_infusion_is_when_the_order_says_never_in_the_past(berlin, events, wanted):
    assert at_of(berlin, order_sign(timed(*events), prefetch=looked_for())) == wanted


NOW_ASSUMED = "checked as if it were infused now: the order gives no time that can be read"


@pytest.mark.any_database
def test_a_time_that_is_assumed_is_said_to_be(ehr):
    _, said_by, first = planned(ehr, order_sign(timed("2026-12-01T09:00:00-05:00"), prefetch=looked_for()))
    assert said_by == "ordered"
    order = "Order MedicationRequest/order-1"
    assert first == f"{order}, checked for an infusion on 2026-12-01 at 09:00 (-05:00)."
    for events in ((), ("next Tuesday",), ("2026-01-01T09:00:00Z",)):
        _, said_by, first = planned(ehr, order_sign(timed(*events), prefetch=looked_for()))
        assert said_by == "assumed"
        assert first == f"{order}, {NOW_ASSUMED}. Check again on the day."
    known = looked_for(orders=bundle({**timed("2026-12-01"), "status": "active"}))
    booked = bundle({"resourceType": "Appointment", "start": "2026-11-20T08:00:00Z"})
    document = request("appointment-book", {"appointments": booked}, prefetch=known)
    assert planned(ehr, document)[1] == "booked"


@pytest.mark.any_database
@pytest.mark.parametrize("hook", ["patient-view", "encounter-start"])
def test_where_the_patient_is_there_now_is_what_is_meant(ehr, hook):
    known = looked_for(orders=bundle(order(status="active")))
    _, said_by, first = planned(ehr, request(hook, {"encounterId": "1"}, prefetch=known))
    assert said_by == "assumed"
    assert first.endswith("checked for an infusion on 2026-10-06 at 18:00 (+00:00).")


@pytest.mark.any_database
def test_two_drafts_that_are_the_same_are_told_apart(ehr):
    cards = ehr.cards(order_sign(order("1"), order("2"), prefetch=looked_for()))
    assert len({card["detail"] for card in cards}) == 2


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("next Tuesday", "says a time that cannot be read"),
        ("2026-12", "says a time that cannot be read"),
        ("2026-01-01", "was ordered for 2026-01-01"),
    ],
)
def test_a_time_of_an_order_that_is_not_that_of_the_infusion_is_in_the_reading(app, ehr, event, says):
    [card, *_] = ehr.cards(order_sign(timed(event), prefetch=looked_for(patient=patient())))
    trace = signed_in(app, Role.AUDITOR).get(f"/api/v1/checklists/{about(card)['id']}/trace").json
    [line] = [each for each in trace["reading"] if each["fact"] == "scheduled_on"]
    assert line["says"] == says
    assert line["resource"] == "MedicationRequest/order-1"
    assert line["understood"] is (event == "2026-01-01")


@pytest.mark.any_database
def test_a_booked_chair_says_when(berlin):
    def booked(*starts):
        appointments = bundle(*({"resourceType": "Appointment", "start": each} for each in starts))
        known = looked_for(orders=bundle({**timed("2026-12-01"), "status": "active"}))
        return at_of(berlin, request("appointment-book", {"appointments": appointments}, prefetch=known))

    assert booked("2026-11-20T08:00:00Z", "2026-11-18T08:00:00+01:00") == "2026-11-18T08:00:00+01:00"
    assert booked("2026-01-20T08:00:00Z", "2026-11-18T08:00:00+01:00") == "2026-11-18T08:00:00+01:00"
    assert booked() == "2026-12-01T12:00:00+01:00"


@pytest.fixture
def berlin(settings, clock, act):
    """An EHR of a site in Berlin."""
    from zoneinfo import ZoneInfo

    app = create_app(replace(settings, time_zone=ZoneInfo("Europe/Berlin")), shipped(), clock)
    yield an_ehr(app, act)
    app.extensions["dosegate"].store.records.close()


def test_of_several_checklists_all_are_kept_or_none(ehr, sql):
    first = ehr.cards(order_sign(order("1"), order("2", TROGARZO), prefetch=looked_for()))
    assert sql("SELECT count(*) FROM checklists") == [(2,)]
    assert {row[0] for row in sql("SELECT checklist FROM cards")} == {about(card)["id"] for card in first}


@pytest.mark.usefixtures("own_database_url")
def test_of_several_checklists_none_is_kept_where_one_cannot_be(ehr, sql):
    databases.refuse_rows(sql, "flagged")
    assert is_outcome(ehr.call(order_sign(order("1"), order("2", TROGARZO), prefetch=looked_for())), 503)
    assert sql("SELECT count(*) FROM checklists") == [(0,)]
    assert sql("SELECT count(*) FROM cards") == [(0,)]
