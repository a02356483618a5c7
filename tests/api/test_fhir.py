"""A checklist as FHIR R4: what others make of it, and that it says no more and no less than the checklist."""

import json

import pytest

from tests.api.sending import CHECKLISTS, a_request, is_problem, paths, post
from tests.api.test_visits import HEPATITIS, POSITIVE, acknowledge, attest, end, made, override
from tests.builders import request_for, scenario_file, shipped
from tests.fhir.others import problems_of
from tests.people import signed_in

FHIR = "application/fhir+json"
EVERY_PATIENT = [
    (drug, patient) for drug in sorted(shipped().packs) for patient in scenario_file(drug)["patients"]
]


def as_fhir(client, address):
    """The Bundle of a checklist, which both validators accept."""
    response = client.get(f"{address}?_format=fhir")
    assert (response.status_code, response.mimetype) == (200, FHIR), response.json
    assert problems_of(response.json) == []
    return response.json


def of_type(bundle, kind):
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


def the(bundle, kind):
    [found] = of_type(bundle, kind)
    return found


@pytest.mark.any_database
@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_every_finding_that_is_no_pass_is_an_issue_and_nothing_else_is(client, drug, patient):
    facts = scenario_file(drug)["patients"][patient]["facts"]
    # Every third fact is not known, so that passes, warns and blocks are all there.
    document = request_for(drug, patient, without=sorted(facts)[::3])
    result = post(client, document).json
    bundle = as_fhir(client, f"{CHECKLISTS}/{result['id']}")
    told = {
        (each["code"]["text"], each["severity"], each["detail"]) for each in of_type(bundle, "DetectedIssue")
    }
    wanted = {
        (
            each["title"],
            {"block": "high", "warn": "moderate"}[each["status"]],
            f"{each['message']} {each['action']}",
        )
        for each in result["findings"]
        if each["status"] != "pass"
    }
    assert told == wanted
    response = the(bundle, "GuidanceResponse")
    assert (response["id"], response["status"]) == (result["id"], "data-required")
    asked = [each["codeFilter"][0]["code"][-1]["code"] for each in response["dataRequirement"]]
    assert asked == result["needs"]
    said = {each["name"]: each for each in response["contained"][0]["parameter"]}
    assert said["status"]["valueCode"] == result["status"]


@pytest.mark.any_database
def test_a_clear_checklist_has_no_issue_and_asks_for_nothing(client):
    bundle = as_fhir(client, made(client))
    assert of_type(bundle, "DetectedIssue") == []
    response = the(bundle, "GuidanceResponse")
    assert response["status"] == "success"
    assert "dataRequirement" not in response


@pytest.mark.any_database
def test_a_test_that_is_missing_is_asked_for_by_its_code(client):
    address = post(client, a_request(without=["hbsag"])).headers["Location"]
    [asked] = the(as_fhir(client, address), "GuidanceResponse")["dataRequirement"]
    [loinc, ours] = asked["codeFilter"][0]["code"]
    assert (loinc["system"], ours["code"]) == ("http://loinc.org", "hbsag")


@pytest.mark.any_database
def test_what_settled_a_finding_is_named_as_evidence_and_as_source(client):
    positive = {**POSITIVE, "source": "Observation/31"}
    address = post(client, a_request(with_={"hbsag": positive})).headers["Location"]
    bundle = as_fhir(client, address)
    issues = {
        each["identifier"][0]["value"].partition("/")[2]: each for each in of_type(bundle, "DetectedIssue")
    }
    evidence = issues["/".join(HEPATITIS)]["evidence"]
    assert {"reference": "Observation/31"} in [each for seen in evidence for each in seen.get("detail", [])]
    sources = [each["what"].get("reference") for each in the(bundle, "Provenance")["entity"]]
    assert "Observation/31" in sources


def test_an_override_and_an_acknowledgement_are_mitigations(app, client):
    nurse, prescriber = signed_in(app, "nurse", "nina"), signed_in(app, "prescriber", "paul")
    held, warned = made(client, infection="localised"), made(client, infection="resolved")
    assert override(prescriber, held, finding=("infection", "infection-active")).status_code == 201
    assert acknowledge(nurse, warned).status_code == 201
    for address, actor, reason in (
        (held, "user:paul", "risk-benefit-ratio"),
        (warned, "user:nina", "action-completed"),
    ):
        [issue] = of_type(as_fhir(client, address), "DetectedIssue")
        [mitigation] = issue["mitigation"]
        assert mitigation["author"]["identifier"]["value"] == actor
        assert mitigation["action"]["coding"][0]["code"] == reason
        assert "MRN-1001 cannot wait" not in json.dumps(issue["mitigation"])


def test_every_entry_of_the_journal_about_it_is_an_audit_event_for_who_may_read_the_journal(app, client, sql):
    nurse, auditor = signed_in(app, "nurse"), signed_in(app, "auditor")
    address = made(client)
    assert attest(nurse, address).status_code == 201
    assert end(nurse, address).status_code == 201
    digests = [
        digest
        for (digest,) in sql("SELECT digest FROM journal WHERE subject = ? ORDER BY sequence", address[-36:])
    ]
    told = of_type(as_fhir(auditor, address), "AuditEvent")
    assert [each["entity"][1]["detail"][1]["valueString"] for each in told] == digests
    seen = [each["subtype"][0]["code"] for each in of_type(as_fhir(nurse, address), "AuditEvent")]
    assert seen == ["checklist.made", "checklist.attested", "outcome.recorded"]
    entered = sql("SELECT event FROM journal WHERE subject = ? ORDER BY sequence", address[-36:])
    assert [event for (event,) in entered][-2:] == ["record.viewed", "record.viewed"]


@pytest.mark.any_database
def test_the_same_resources_have_the_same_ids_each_time(client):
    address = made(client, infection="localised")
    one, again = (as_fhir(client, address) for _ in range(2))
    names = [{each["fullUrl"] for each in bundle["entry"]} for bundle in (one, again)]
    assert names[0] <= names[1]
    for bundle in (one, again):
        inside = {each["fullUrl"] for each in bundle["entry"]}
        assert len(inside) == len(bundle["entry"])
        assert all(each["reference"] in inside for each in the(bundle, "Provenance")["target"])


@pytest.mark.any_database
def test_the_patient_is_named_by_the_id_of_the_site_alone(client):
    bundle = as_fhir(client, made(client, infection="localised"))
    subject = the(bundle, "GuidanceResponse")["subject"]
    assert subject == {
        "type": "Patient",
        "identifier": {"system": "urn:dosegate:patient", "value": "MRN-1001"},
    }


@pytest.mark.any_database
def test_another_format_is_refused_and_json_is_the_result_itself(client):
    address = made(client)
    assert client.get(f"{address}?_format=json").data == client.get(address).data
    refused = client.get(f"{address}?_format=xml")
    assert is_problem(refused, 422)
    assert paths(refused) == ["_format"]
