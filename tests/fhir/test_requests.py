"""Requests for a checklist that bring a FHIR bundle along: over HTTP, in the record, and replayed."""

import json

import pytest

from service.intake.bundles import Brought, facts_with
from service.intake.json_text import MOST_BYTES, MOST_WITH_BUNDLE
from service.intake.requests import read_request
from tests.api.conftest import new_app, new_client, with_key  # noqa: F401  fixtures
from tests.api.sending import is_problem
from tests.builders import ROOT, checklist_for, shipped
from tests.double_check import asking
from tests.fhir.builders import (
    AT,
    bundle,
    concept,
    condition,
    count,
    negative,
    observation,
    patient,
    positive,
    quantity,
    request,
)
from tests.fhir.others import problems_of
from tests.people import signed_in

ADDRESS = "/api/v1/checklists"


@pytest.fixture
def client(new_client):  # noqa: F811
    return new_client()


def post(client, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return client.post(ADDRESS, data=body, content_type="application/json")


def errors_of(answer):
    is_problem(answer, 422)
    return {(each["path"], each["message"]) for each in answer.json["errors"]}


def journal_of(client):
    return client.get("/api/v1/journal").json["entries"]


@pytest.mark.any_database
def test_a_bundle_is_checked_kept_and_replayed_to_the_byte(client):
    odd = observation("z", code="16933-4", valueString="hm")
    made = post(client, request(negative("31"), condition("tb"), odd))
    assert made.status_code == 201
    assert made.json["patient"] == {"id": "p"}
    because = [each for finding in made.json["findings"] for each in finding["because"]]
    assert {"fact": "tb_active", "value": "yes", "source": "Condition/tb"} in because
    trace = client.get(f"{ADDRESS}/{made.json['id']}/trace").json
    read = {"fact": "hbsag", "says": "negative on 2026-11-10", "understood": True}
    assert {"resource": "Observation/31", **read} in trace["reading"]
    not_read = {"fact": "anti_hbc_total", "says": '"hm"', "understood": False}
    assert {"resource": "Observation/z", **not_read} in trace["reading"]
    assert client.post(f"{ADDRESS}/{made.json['id']}/replay").json["identical"] is True


@pytest.mark.any_database
def test_a_request_without_a_bundle_has_no_reading_in_its_trace(client):
    plain = {"drug": "Uplizna", "infusion_at": AT.isoformat(), "patient": {"id": "MRN-1"}, "facts": {}}
    made = post(client, plain)
    assert "reading" not in client.get(f"{ADDRESS}/{made.json['id']}/trace").json


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        (request(bundle=[]), {("bundle", "must be an object")}),
        (request(bundle={}), {("bundle", "must be a FHIR Bundle")}),
        (request(order="MedicationRequest/9"), {("order", "is no MedicationRequest of the bundle")}),
        (request(searched={"labs": "complete"}), {("searched.labs.key", None)}),
        (request(searched={"results": "done"}), {("searched.results.value", None)}),
        (request(patient={"id": "MRN-9"}), {("patient.id", None)}),
        (request(given={"hbsag": "perhaps"}), {("facts.hbsag", None)}),
        (
            {"drug": "Uplizna", "infusion_at": AT.isoformat(), "order": "x", "searched": {}},
            {("patient", "is missing"), ("facts", "is missing"), ("order", None), ("searched", None)},
        ),
        (
            {**request(), "bundle": bundle({"resourceType": "Condition"}, "x", of=False)},
            {("bundle.entry[1].resource", "must be a resource with its resourceType")},
        ),
        (
            {**request(), "bundle": bundle(patient(id=None), of=False)},
            {("patient.id", "is missing, and the Patient of the bundle has no id")},
        ),
    ],
)
@pytest.mark.any_database
def test_what_is_wrong_with_such_a_request_is_named_at_its_path(client, document, errors):
    found = errors_of(post(client, document))
    assert {path for path, _ in found} == {path for path, _ in errors}
    assert {(path, said) for path, said in errors if said} <= found


@pytest.mark.any_database
def test_the_resources_of_another_patient_are_refused_and_journaled_without_saying_whose(client):
    other = negative("31", subject={"reference": "Patient/somebody-else"})
    answer = post(client, request(other))
    assert errors_of(answer) == {
        ("bundle.entry[1].resource.subject", "is another patient than the one asked about")
    }
    assert "somebody-else" not in answer.text
    entry = next(each for each in journal_of(client) if each["event"] == "other_patient.refused")
    assert entry["details"] == {"paths": ["bundle.entry[1].resource.subject"]}
    assert "somebody-else" not in json.dumps(journal_of(client))


# How long it may be


def padded(document, size):
    return json.dumps(document).encode().ljust(size)


@pytest.mark.any_database
def test_a_bundle_may_make_a_request_as_long_as_4_mib_and_no_longer(client):
    assert post(client, padded(request(negative()), MOST_WITH_BUNDLE)).status_code == 201
    answer = post(client, padded(request(negative()), MOST_WITH_BUNDLE + 1))
    assert is_problem(answer, 413)
    assert "4 MiB" in answer.json["detail"]
    assert is_problem(post(client, padded(request(), 5 * 1024 * 1024)), 413)


@pytest.mark.any_database
def test_without_a_bundle_a_request_is_no_longer_than_before(client):
    plain = {"drug": "Uplizna", "infusion_at": AT.isoformat(), "patient": {"id": "MRN-1"}, "facts": {}}
    assert is_problem(post(client, padded(plain, MOST_BYTES + 1)), 413)
    only_a_word = {**plain, "facts": {"hbsag": {"value": "negative", "source": "bundle"}}}
    assert errors_of(post(client, padded(only_a_word, MOST_BYTES + 1))) == {
        ("", "the request is larger than 256 KiB")
    }


@pytest.mark.any_database
def test_a_bundle_without_a_bottom_is_refused(client):
    text = json.dumps(request()).encode()
    deep = text.replace(b'"collection"', b'"collection", "x": ' + b"[" * 100_000 + b"]" * 100_000)
    assert errors_of(post(client, deep)) == {("", "the JSON is nested more than 100 deep")}


# Beside facts of its own


def known(name, given, *resources):
    found = checklist_for(request(*resources, given=given))
    return found.trace.case.evidence(name)


def test_results_of_the_request_and_of_the_bundle_stand_side_by_side():
    typed = {"hbsag": {"value": "positive", "at": "2026-11-20", "source": "typed"}}
    assert known("hbsag", typed, negative("31")).source == "typed"
    older = {"hbsag": [{"value": "positive", "at": "2026-10-01"}]}
    assert known("hbsag", older, negative("31")).source == "Observation/31"
    same_day = {"hbsag": {"value": "positive", "at": "2026-11-10"}}
    assert known("hbsag", same_day, negative("31")).unknown.reason == "conflict"


def test_of_every_other_fact_the_word_of_the_request_counts_and_the_line_says_so():
    taken = read_request(request(condition("tb"), given={"tb_active": "no"}), shipped())
    assert taken.situation.facts.readings["tb_active"][0].value == "no"
    line = next(line for line in taken.reading if line.fact == "tb_active")
    assert line.says.endswith("; not used, the request says it itself")
    assert known("tb_active", {"tb_active": None}, condition("tb")).value == "yes"


ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "a",
    "patient": {"reference": "Patient/p"},
    "code": {"text": "Uplizna"},
}
OURS, PENICILLIN = {"substance": "inebilizumab"}, {"substance": "Penicillin V"}


@pytest.mark.parametrize(
    ("given", "entries", "complete", "source"),
    [
        ([], [OURS], True, "AllergyIntolerance/a"),
        ({"value": []}, [OURS], True, "AllergyIntolerance/a"),
        ([PENICILLIN], [PENICILLIN, OURS], True, "the request, AllergyIntolerance/a"),
        (
            {"value": [PENICILLIN], "complete": "no", "source": "MAR"},
            *([PENICILLIN, OURS], False, "MAR, AllergyIntolerance/a"),
        ),
        ([OURS], [OURS], True, None),
        ({"value": None, "unreadable": "a scan"}, [OURS], False, "AllergyIntolerance/a"),
        ("unknown", [OURS], False, "AllergyIntolerance/a"),
    ],
)
def test_a_list_of_the_request_is_joined_by_what_is_on_record_and_says_whether_it_is_all(
    given, entries, complete, source
):
    taken = read_request(request(ALLERGY, given={"reactions": given}), shipped())
    [reading] = taken.situation.facts.readings["reactions"]
    assert [{"substance": each["substance"]} for each in reading.value] == entries
    assert (reading.complete, reading.source) == (complete, source)
    assert not [line for line in taken.reading if "not used" in line.says]


def test_no_empty_list_of_the_request_silences_an_allergy_of_the_chart():
    def status(*resources):
        found = checklist_for(request(*resources, given={"reactions": []}))
        return {each.status.word for each in found.findings if each.check == "infusion_reaction"}

    assert status() == {"pass"}
    assert "block" in status(ALLERGY)


def test_what_is_wrong_with_the_list_of_the_request_is_refused_and_of_the_bundle_left_out():
    from service.intake.errors import BadInput

    own = {"birth_date": "2026-08-01", "reactions": [{**PENICILLIN, "on": "2026-07-01"}]}
    with pytest.raises(BadInput) as refused:
        read_request(request(ALLERGY, given=own), shipped())
    assert [error.path for error in refused.value.errors] == ["facts.reactions[0].on"]
    on_record = {**ALLERGY, "reaction": [{"onset": "2026-07-01"}]}
    own["reactions"] = [PENICILLIN]
    [reading] = read_request(request(on_record, given=own), shipped()).situation.facts.readings["reactions"]
    assert [each["substance"] for each in reading.value] == ["Penicillin V"]
    assert not reading.complete


def test_what_the_vocabulary_does_not_take_of_a_bundle_is_unreadable_and_never_refused():
    document = request(
        negative("1", at="1950-01-01"),  # before the patient was born
        count(id="2", at="1950-01-01"),
        count(id="3"),
    )
    taken = read_request(document, shipped())
    found = checklist_for(document)
    assert "is before the birth date" in found.trace.case.evidence("hbsag").unknown.detail
    assert [line.says for line in taken.reading if line.says.startswith("not taken")] == [
        "not taken: is before the birth date"
    ] * 2


def test_a_bad_entry_of_a_list_leaves_the_others():
    def vaccine(id, on):
        return {
            "resourceType": "Immunization",
            "id": id,
            "status": "completed",
            "patient": {"reference": "Patient/p"},
            "occurrenceDateTime": on,
            "vaccineCode": concept("187", "http://hl7.org/fhir/sid/cvx"),
        }

    several = (vaccine("1", "2026-07-01"), vaccine("2", "2026-09-01"), vaccine("3", "2026-07-02"))
    taken = read_request(request(*several, given={"birth_date": "2026-08-01"}), shipped())
    assert taken.facts["vaccinations"]["complete"] == "no"
    kept = taken.situation.facts.readings["vaccinations"][0].value
    assert [str(each["on"]) for each in kept] == ["2026-09-01"]


def test_a_list_that_lost_an_entry_is_whole_no_longer():
    whole = {"vaccinations": {"value": [{"cvx": "03", "on": "1950-01-01"}], "source": "Immunization/1"}}
    brought = Brought("p", whole, ())
    facts, received, lines = facts_with({"birth_date": "1984-03-02"}, brought, shipped().vocabulary, AT)
    assert received["vaccinations"] == {"value": [], "complete": "no", "source": "Immunization/1"}
    assert not facts.readings["vaccinations"][0].complete
    assert [(line.resource, line.understood) for line in lines] == [("Immunization/1", False)]


def test_the_dates_of_the_request_are_held_against_the_birth_date_of_the_bundle():
    from service.intake.errors import BadInput

    with pytest.raises(BadInput) as refused:
        read_request(request(given={"hbsag": {"value": "negative", "at": "1950-01-01"}}), shipped())
    assert [error.path for error in refused.value.errors] == ["facts.hbsag.at"]


def test_the_facts_as_received_are_those_of_both():
    taken = read_request(request(positive("31"), given={"dose_number": 2}), shipped())
    assert taken.facts["dose_number"] == 2
    assert taken.facts["hbsag"]["source"] == "Observation/31"
    assert taken.document["bundle"]["resourceType"] == "Bundle"


# What comes after

ANC = "751-8"


@pytest.mark.any_database
def test_a_second_person_s_facts_are_held_against_those_of_the_bundle(new_app):  # noqa: F811
    app = new_app(library=asking())
    nina, omar = (signed_in(app, "nurse", name) for name in ("nina", "omar"))
    neutrophils = observation("n", ANC, valueQuantity=quantity(4.1, "10*9/L"))
    document = request(neutrophils, given={"ordered_dose": {"value": 300, "unit": "mg"}})
    address = post(nina, document).headers["Location"]
    second = {
        "ordered_dose": {"value": 0.3, "unit": "g"},
        "anc": {"value": 4100, "unit": "/uL", "at": "2026-11-10"},
    }
    answer = omar.post(f"{address}/double-check", json={"facts": second})
    assert (answer.json["agrees"], answer.json["differs"]) == (["ordered_dose", "anc"], [])


@pytest.mark.any_database
def test_the_record_of_a_long_request_is_read(client):
    made = post(client, padded(request(negative()), 2 * MOST_BYTES))
    assert client.get(f"{ADDRESS}/{made.json['id']}/record").status_code == 200
    as_fhir = client.get(f"{ADDRESS}/{made.json['id']}?_format=fhir")
    assert as_fhir.status_code == 200


# On paper


@pytest.mark.any_database
def test_the_documentation_shows_the_bundle(client):
    document = client.get("/api/v1/openapi.json").json
    schema = document["components"]["schemas"]["Request"]
    assert {"bundle", "order", "searched"} <= schema["properties"].keys()
    assert set(schema["required"]) == {"drug", "infusion_at"}


# Whole bundles

EXPECTED = {
    "inebilizumab": {
        ("vaccination", "block", "Immunization/v1"),
        ("hepatitis_b", "block", "Observation/32"),
        ("infusion_reaction", "block", "AllergyIntolerance/a1"),
        ("immunoglobulins", "warn", "Observation/34"),
        ("dose", "pass", "MedicationRequest/7"),
        ("age", "pass", "Patient/p"),
    },
    "ibalizumab": {
        ("hypersensitivity", "block", "AllergyIntolerance/a2"),
        ("dose", "block", "MedicationAdministration/d1"),
        ("antiretroviral_regimen", "pass", "MedicationStatement/m1"),
        ("route", "pass", "MedicationRequest/8"),
    },
    "inotuzumab": {
        ("liver", "block", "Observation/43"),
        ("blood_counts", "block", "Observation/41"),
        ("veno_occlusive_disease", "warn", "Condition/c3"),
        ("pregnancy", "pass", "Observation/46"),
    },
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_made_up_bundle_comes_to_findings_that_name_its_resources(name):
    document = json.loads(
        (ROOT / "tests" / "fhir" / "bundles" / "made_up" / f"{name}.json").read_text("utf-8")
    )
    assert problems_of(document["bundle"]) == []
    found = checklist_for(document)
    because = {
        (finding.check, finding.status.word, each.source, each.fact)
        for finding in found.findings
        for each in finding.because
    }
    assert {each[:3] for each in because} >= EXPECTED[name]
    own = {"region", *document.get("facts", {})}
    assert {fact for _, _, source, fact in because if source is None} <= own
