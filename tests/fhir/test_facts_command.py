"""`dosegate facts`: what is read of a bundle, for people and as JSON; and each way in which it cannot be."""

import json

import pytest

from tests.cli.command import run
from tests.fhir.builders import AT, bundle, concept, condition, count, negative, observation, quantity

WHEN = AT.isoformat()


def uplizna(id="7", **more):
    return {
        "resourceType": "MedicationRequest",
        "id": id,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": concept(text="Uplizna"),
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": quantity(300, "mg")}]}],
        **more,
    }


@pytest.fixture
def file(tmp_path):
    def write(*resources, text=None):
        path = tmp_path / "bundle.json"
        path.write_text(text if text is not None else json.dumps(bundle(*resources)), "utf-8")
        return path

    return write


def refusal(outcome):
    assert outcome.exit_code == 2, outcome.output
    [line] = outcome.stderr.splitlines()
    return line


def test_it_prints_each_fact_with_its_resources_and_what_was_not_understood(file):
    path = file(negative("31"), count(id="c", unit="furlong"), condition("tb"), uplizna())
    outcome = run("facts", path, "--at", WHEN)
    assert outcome.exit_code == 0
    text = " ".join(outcome.stdout.split())
    assert "hepatitis B surface antigen (HBsAg) negative on 2026-11-10 Observation/31" in text
    assert "active tuberculosis a condition: yes Condition/tb" in text
    assert "Not understood" in text
    assert "platelet count: 150 furlong, a unit not known here Observation/c" in text
    assert "1984" not in text


def test_it_prints_json_that_a_request_takes(file):
    outcome = run("facts", file(negative("31")), "--drug", "Uplizna", "--at", WHEN, "--json")
    found = json.loads(outcome.stdout)
    assert (found["drug"], found["infusion_at"]) == ("inebilizumab", WHEN)
    assert found["facts"]["hbsag"]["source"] == "Observation/31"
    read = {"fact": "hbsag", "says": "negative on 2026-11-10", "understood": True}
    assert {"resource": "Observation/31", **read} in found["reading"]


def test_the_drug_is_the_one_that_is_ordered(file):
    outcome = run("facts", file(uplizna()), "--json", "--at", WHEN)
    assert json.loads(outcome.stdout)["facts"]["ordered_dose"]["value"] == 300


def test_without_one_order_the_drug_must_be_named(file):
    assert refusal(run("facts", file())) == (
        "dosegate: no drug that has rules here is ordered in this bundle: name one with --drug"
    )
    both = (uplizna(), uplizna("8", medicationCodeableConcept=concept(text="Besponsa")))
    assert "several drugs are ordered" in refusal(run("facts", file(*both)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the request is empty"),
        ("{", "this is not JSON: line 1"),
        ("[]", "bundle: must be a FHIR Bundle"),
        ('{"resourceType": "Bundle", "entry": []}', "bundle: has no Patient"),
        ('{"resourceType": "Patient"}', "bundle: must be a FHIR Bundle"),
        ("[" * 100_000, "nested more than 100 deep"),
    ],
)
def test_a_file_that_holds_no_bundle_is_one_clear_error(file, text, said):
    line = refusal(run("facts", file(text=text), "--drug", "Uplizna"))
    assert line.startswith("dosegate: ")
    assert "bundle.json: " in line
    assert said in line


def test_other_wrong_words_are_one_clear_error(file, tmp_path):
    path = file(negative())
    assert "cannot be read: no such file" in refusal(run("facts", tmp_path / "none.json"))
    assert "cannot be read" in refusal(run("facts", tmp_path))
    assert "is not a drug that has rules here" in refusal(run("facts", path, "--drug", "Upliznia"))
    at = "2026-12-01T09:00:00"
    assert "needs an offset" in refusal(run("facts", path, "--drug", "Uplizna", "--at", at))


def test_another_patient_s_resources_are_refused(file):
    other = observation("1", subject={"reference": "Patient/q"})
    line = refusal(run("facts", file(other), "--drug", "Uplizna"))
    assert line.endswith("bundle.entry[1].resource.subject: is another patient than the one asked about")


def test_check_takes_a_request_with_a_bundle(tmp_path):
    path = tmp_path / "request.json"
    document = {"drug": "Uplizna", "infusion_at": WHEN, "bundle": bundle(condition("tb"))}
    path.write_text(json.dumps(document), "utf-8")
    outcome = run("check", path, "--json", "--trace")
    found = json.loads(outcome.stdout)
    assert outcome.exit_code == 4
    assert {line["resource"] for line in found["trace"]["reading"]} == {"Patient/p", "Condition/tb"}
