"""Bad input, and what the nurse or the sender then sees: a finding in words, or a problem with its path."""

import copy
import json
import logging

import pytest

from tests.api.conftest import new_app, new_client  # noqa: F401  fixtures
from tests.api.sending import is_problem
from tests.fhir.builders import (
    HBSAG,
    IGG,
    NEGATIVE,
    PLATELETS,
    SNOMED,
    bundle,
    concept,
    condition,
    count,
    negative,
    observation,
    patient,
    positive,
    quantity,
    report,
    request,
)

ADDRESS = "/api/v1/checklists"
CVX = "http://hl7.org/fhir/sid/cvx"
FIRST = {"dose_number": 1}


@pytest.fixture
def client(new_client):  # noqa: F811
    return new_client()


def post(client, document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return client.post(ADDRESS, data=body, content_type="application/json")


def of_patient(type, id, **more):
    whose = "patient" if type in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": type, "id": id, whose: {"reference": "Patient/p"}, **more}


def core_antibody(**more):
    return observation("c", "13952-7", valueCodeableConcept=concept(NEGATIVE, SNOMED), **more)


def with_birth_date(written):
    return {**request(given=FIRST), "bundle": bundle({**patient(), "birthDate": written}, of=False)}


# Bodies and bundles of the wrong kind

NO_BUNDLE = "must be a FHIR Bundle"


@pytest.mark.parametrize("body", [b"[]", b'"a text"', b"7", b"null", json.dumps([bundle()]).encode()])
@pytest.mark.any_database
def test_a_body_of_the_wrong_kind_is_a_problem_in_words(client, body):
    answer = post(client, body)
    assert is_problem(answer, 422)
    [error] = answer.json["errors"]
    assert (error["path"], error["message"].startswith("must be a JSON object")) == ("", True)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        (7, "bundle", "must be an object"),
        ("a text", "bundle", "must be an object"),
        (None, "bundle", "must not be null"),
        ([bundle()], "bundle", "must be an object"),
        ({"resourceType": "Patient", "id": "p"}, "bundle", NO_BUNDLE),
        ({"resourceType": "bundle"}, "bundle", NO_BUNDLE),
        ({"resourceType": "OperationOutcome", "issue": []}, "bundle", NO_BUNDLE),
        (bundle(type="history"), "bundle.type", "must be one of"),
        (bundle(type=["collection"]), "bundle.type", "must be one of"),
        (bundle(entry="x"), "bundle.entry", "must be a list"),
        (bundle(entry=[7]), "bundle.entry[0]", "must be an object with a resource"),
        (bundle(entry=[None]), "bundle.entry[0]", "must be an object with a resource"),
        (bundle([1, 2]), "bundle.entry[1].resource", "must be a resource with its resourceType"),
        (bundle({"resourceType": 5}), "bundle.entry[1].resource", "must be a resource with its resourceType"),
        (bundle(of=False), "bundle", "has no Patient, and patient.id is missing"),
        (
            bundle(bundle(bundle(of=False), of=False)),
            "bundle.entry[1].resource.entry[0].resource",
            "is a Bundle",
        ),
        (
            bundle(condition("1"), condition("1", clinical="resolved")),
            "bundle.entry[2].resource",
            "stands twice",
        ),
    ],
)
@pytest.mark.any_database
def test_a_bundle_of_the_wrong_kind_is_refused_at_its_path(client, document, path, message):
    answer = post(client, {**request(), "bundle": document})
    assert is_problem(answer, 422)
    [error] = answer.json["errors"]
    assert error["path"] == path
    assert error["message"].startswith(message)


@pytest.mark.any_database
def test_five_megabytes_of_results_are_refused_and_four_thousand_are_read(client):
    many = [count(150, id=f"c{n}", at="2026-11-30", note=[{"text": "x" * 200}]) for n in range(10_000)]
    document = request(*many, drug="besponsa")
    assert len(json.dumps(document)) > 5 * 1024 * 1024
    assert is_problem(post(client, document), 413)
    fewer = request(
        *({k: v for k, v in each.items() if k != "note"} for each in many[:4_000]), drug="besponsa"
    )
    made = post(client, fewer)
    assert made.status_code == 201
    assert the(made, "blood_counts")["status"] == "block"


# Resources of another patient

OTHER = "MRN-77-of-somebody-else"
IDENTIFIED = patient(identifier=[{"system": "urn:site", "value": "MRN-7-asked-about"}])


@pytest.mark.parametrize(
    ("resources", "path"),
    [
        (
            [{**negative("31"), "subject": {"reference": f"Patient/{OTHER}"}}],
            "bundle.entry[1].resource.subject",
        ),
        (
            [{**negative("31"), "subject": {"reference": f"https://ehr.example/fhir/Patient/{OTHER}"}}],
            "bundle.entry[1].resource.subject",
        ),
        (
            [{**negative("31"), "subject": {"identifier": {"system": "urn:site", "value": OTHER}}}],
            "bundle.entry[1].resource.subject",
        ),
        (
            [{"resourceType": "Immunization", "id": "v", "patient": {"reference": f"Patient/{OTHER}"}}],
            "bundle.entry[1].resource.patient",
        ),
        ([patient(OTHER, name=[{"family": OTHER}])], "bundle.entry[1].resource"),
        (
            [report("5", contained=[{**negative("x"), "subject": {"reference": f"Patient/{OTHER}"}}])],
            "bundle.entry[1].resource.contained[0].subject",
        ),
        (
            [bundle({**negative(), "subject": {"reference": f"Patient/{OTHER}"}}, of=False)],
            "bundle.entry[1].resource.entry[0].resource.subject",
        ),
    ],
)
@pytest.mark.any_database
def test_what_is_of_another_patient_is_refused_and_journaled_and_nobody_is_named(
    client, resources, path, caplog
):
    caplog.set_level(logging.DEBUG)
    answer = post(client, {**request(), "bundle": bundle(IDENTIFIED, *resources, of=False)})
    assert is_problem(answer, 422)
    assert [each["path"] for each in answer.json["errors"]] == [path]
    entries = client.get("/api/v1/journal").json["entries"]
    refused = [each for each in entries if each["event"] == "other_patient.refused"]
    assert [each["details"] for each in refused] == [{"paths": [path]}]
    for told in (answer.text, json.dumps(entries), caplog.text):
        assert OTHER not in told
        assert "MRN-7" not in told
    assert not [each for each in entries if each["event"] == "checklist.made"]


@pytest.mark.any_database
def test_the_bundle_of_another_patient_than_the_one_named_is_refused(client, caplog):
    caplog.set_level(logging.DEBUG)
    answer = post(client, request(patient={"id": OTHER}))
    assert [each["path"] for each in answer.json["errors"]] == ["patient.id"]
    entries = client.get("/api/v1/journal").json["entries"]
    assert [each["details"] for each in entries if each["event"] == "other_patient.refused"] == [
        {"paths": ["patient.id"]}
    ]
    assert OTHER not in answer.text + json.dumps(entries) + caplog.text


# What is on record and cannot be taken as it stands: the finding says why

HEPATITIS, TUBERCULOSIS, IMMUNOGLOBULINS = "hepatitis_b", "tuberculosis", "immunoglobulins"
NOT_RECORDED = "HBsAg): not recorded"
ORDER = {
    **of_patient("MedicationRequest", "7", status="active", intent="order"),
    "dosageInstruction": [{"doseAndRate": [{"doseQuantity": quantity(300, "mg")}]}],
}
BY_REFERENCE = {**ORDER, "medicationReference": {"reference": "Medication/m"}}
MEDICATION = {"resourceType": "Medication", "id": "m", "code": concept(text="Uplizna")}
WITHOUT_SUBJECT = {key: each for key, each in negative("x", at=None).items() if key != "subject"}
MEMBER_OF_A, MEMBER_OF_B = ({"hasMember": [{"reference": f"Observation/{id}"}]} for id in "ab")


def igg(value=9, unit="g/L", id="i", **more):
    return observation(id, IGG, at="2026-11-30", valueQuantity=quantity(value, unit, **more))


def vaccine(**more):
    code = concept("03", CVX, display="MMR")
    return of_patient("Immunization", "v", occurrenceDateTime="2026-11-20", vaccineCode=code, **more)


def allergy(**more):
    anaphylaxis = {"manifestation": [concept("39579001", SNOMED)]}
    return of_patient("AllergyIntolerance", "a", code=concept(text="Uplizna"), reaction=[anaphylaxis], **more)


def said(*resources, check, status="block", kind="missing", words="", by=None, **more):
    """A row: what is on record, and the finding that it comes to."""
    return resources, (check, status, kind, words, by), more


ROWS = {
    # References that go in circles, into a resource, next to it, and nowhere
    "members of each other": said(
        *(observation("a", HBSAG, **MEMBER_OF_B), negative("b", **MEMBER_OF_A), core_antibody()),
        **{"check": HEPATITIS, "status": "pass", "kind": "ok", "by": "Observation/b"},
    ),
    "a report of itself": said(
        report("r", result=[{"reference": "DiagnosticReport/r"}]), check=HEPATITIS, words=NOT_RECORDED
    ),
    "a medicine that is the order itself": said(
        {**ORDER, "medicationReference": {"reference": "MedicationRequest/7"}},
        **{"check": "dose", "words": "ordered dose: not recorded"},
    ),
    "a contained result": said(
        *(report("5", contained=[WITHOUT_SUBJECT], result=[{"reference": "#x"}]), core_antibody()),
        **{"check": HEPATITIS, "status": "pass", "kind": "ok", "by": "DiagnosticReport/5#x"},
    ),
    "a contained result that is not there": said(
        report("5", result=[{"reference": "#gone"}]),
        **{
            "check": HEPATITIS,
            "words": "cannot be read: a report without a readable result (DiagnosticReport/5)",
        },
    ),
    "a contained medicine": said(
        {**ORDER, "contained": [MEDICATION], "medicationReference": {"reference": "#m"}},
        **{"check": "dose", "status": "pass", "kind": "ok", "by": "MedicationRequest/7"},
    ),
    "a medicine beside the order": said(
        *(BY_REFERENCE, MEDICATION), check="dose", status="pass", kind="ok", by="MedicationRequest/7"
    ),
    "a medicine that is not there": said(BY_REFERENCE, check="dose", words="ordered dose: not recorded"),
    # Comparators, words and units
    "an amount below": said(
        igg(0.5, comparator="<"), check=IMMUNOGLOBULINS, words="cannot be read: below 0.5 g/L (Observation/i)"
    ),
    "an amount above": said(
        igg(40, comparator=">="),
        check=IMMUNOGLOBULINS,
        words="cannot be read: at least 40 g/L (Observation/i)",
    ),
    "an amount in words": said(
        observation("i", IGG, at="2026-11-30", valueString="9.1 g/L"),
        **{"check": IMMUNOGLOBULINS, "words": 'cannot be read: text only: "9.1 g/L" (Observation/i)'},
    ),
    "an answer in words that are not known": said(
        *(observation("1", HBSAG, valueString="see comment"), core_antibody()),
        **{"check": HEPATITIS, "words": 'cannot be read: "see comment" (Observation/1)'},
    ),
    "an answer in words that are known": said(
        *(observation("1", HBSAG, valueString=" NON-REACTIVE"), core_antibody()),
        **{"check": HEPATITIS, "status": "pass", "kind": "ok", "by": "Observation/1"},
    ),
    "a unit that is not known": said(
        igg(9, "G/L"),
        check=IMMUNOGLOBULINS,
        words="cannot be read: 9 G/L, a unit not known here (Observation/i)",
    ),
    "no unit": said(
        observation("i", IGG, at="2026-11-30", valueQuantity={"value": 9}),
        **{"check": IMMUNOGLOBULINS, "words": "cannot be read: 9, without a unit (Observation/i)"},
    ),
    # Conditions that are not so
    "a condition": said(
        condition("tb"),
        check=TUBERCULOSIS,
        kind="contraindication",
        words="Active tuberculosis",
        by="Condition/tb",
    ),
    "a condition refuted": said(
        condition("tb", verified="refuted"), check=TUBERCULOSIS, words="active tuberculosis: not recorded"
    ),
    "a condition entered in error": said(
        condition("tb", verified="entered-in-error"),
        **{"check": TUBERCULOSIS, "words": "active tuberculosis: not recorded"},
    ),
    "a condition that is over": said(
        condition("tb", clinical="resolved"), check=TUBERCULOSIS, words="active tuberculosis: not recorded"
    ),
    "a condition that may be": said(
        condition("tb", verified="differential"),
        **{"check": TUBERCULOSIS, "words": "differential, not confirmed (Condition/tb)"},
    ),
    "a condition negated in words": said(
        condition(
            "tb", code={**concept("A15.0", "http://hl7.org/fhir/sid/icd-10-cm"), "text": "No tuberculosis"}
        ),
        **{"check": TUBERCULOSIS, "words": "worded as negated or uncertain (Condition/tb)"},
    ),
    # Results that do not count
    "a preliminary result": said(
        *(negative("1", status="preliminary"), core_antibody()),
        check=HEPATITIS,
        words="HBsAg): only preliminary",
    ),
    "a result entered in error": said(
        *(negative("1", status="entered-in-error"), core_antibody()),
        **{"check": HEPATITIS, "words": "HBsAg): entered in error"},
    ),
    "an older result behind one entered in error": said(
        *(positive("2", status="entered-in-error"), negative("1", at="2026-11-01"), core_antibody()),
        **{"check": HEPATITIS, "status": "pass", "kind": "ok", "by": "Observation/1"},
    ),
    "two results at one time": said(
        *(negative("1"), positive("2"), core_antibody()),
        **{"check": HEPATITIS, "kind": "conflict", "words": "different values of the same time"},
    ),
    "the same result twice": said(
        *(negative("1"), negative("2"), core_antibody()),
        check=HEPATITIS,
        status="pass",
        kind="ok",
        by="Observation/1",
    ),
    # Allergies and vaccines that are none
    "an allergy": said(
        allergy(),
        **{"check": "hypersensitivity", "status": "warn", "kind": "caution", "by": "AllergyIntolerance/a"},
    ),
    "an allergy refuted": said(
        allergy(verificationStatus=concept("refuted", "x")),
        **{"check": "hypersensitivity", "status": "warn", "words": "earlier reactions: not recorded"},
    ),
    "an allergy entered in error": said(
        allergy(verificationStatus=concept("entered-in-error", "x")),
        **{"check": "hypersensitivity", "status": "warn", "words": "earlier reactions: not recorded"},
    ),
    "a vaccine": said(vaccine(status="completed"), check="vaccination", kind="defer", by="Immunization/v"),
    "a vaccine entered in error": said(
        vaccine(status="entered-in-error"),
        **{"check": "vaccination", "status": "warn", "words": "vaccinations: not recorded"},
    ),
    "a vaccine that was not given": said(
        vaccine(status="not-done"), check="vaccination", status="warn", words="vaccinations: not recorded"
    ),
}


def the(made, check, **wanted):
    """The worst finding of a check, or the one that has these."""
    found = [each for each in made.json["findings"] if each["check"] == check]
    return next(each for each in found if all(each[key] == value for key, value in wanted.items()))


@pytest.mark.parametrize("title", ROWS)
@pytest.mark.any_database
def test_what_the_nurse_sees_of_a_record_that_is_not_as_it_should_be(client, title):
    resources, (check, status, kind, words, by), more = ROWS[title]
    made = post(client, request(*copy.deepcopy(resources), given=FIRST, **more))
    assert made.status_code == 201, made.text
    finding = the(made, check)
    assert (finding["status"], finding["kind"]) == (status, kind), finding["message"]
    assert words in finding["message"]
    assert by is None or by in {each.get("source") for each in finding["because"]}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1984", "the date of birth is not a full date (Patient/p)"),
        ("1984-03", "the date of birth is not a full date (Patient/p)"),
        ("yesterday", "the date of birth is not a date (Patient/p)"),
        (1984, "the date of birth is not a date (Patient/p)"),
        ("2027-01-01", "the date of birth is after the infusion (Patient/p)"),
        (None, "date of birth: not recorded"),
    ],
)
@pytest.mark.any_database
def test_a_date_of_birth_that_is_none_leaves_the_age_unknown_and_holds(client, written, words):
    made = post(client, with_birth_date(written))
    finding = the(made, "age")
    assert (finding["status"], finding["kind"], finding["missing"]) == ("block", "missing", ["birth_date"])
    assert words in finding["message"]
    assert "birth_date" in made.json["needs"]
    assert "1984" not in finding["message"]


@pytest.mark.parametrize(
    ("unit", "value", "limit"),
    [("g/l", 9, 7), ("gm/L", 9, 7), ("mg/dl", 900, 700), ("MG/DL", 900, 700)],
)
@pytest.mark.any_database
def test_other_spellings_of_a_unit_are_the_same_amount(client, unit, value, limit):
    result = observation(
        *("i", IGG),
        at="2026-11-30",
        valueQuantity=quantity(value, unit, coded=False),
        referenceRange=[{"low": quantity(limit, unit, coded=False)}],
    )
    made = post(client, request(result, given={**FIRST, "active_infection": "none"}))
    finding = the(made, IMMUNOGLOBULINS)
    assert (finding["status"], finding["kind"]) == ("pass", "ok")
    low = copy.deepcopy(result)
    low["valueQuantity"]["value"] = limit - 1
    made = post(client, request(low, given={**FIRST, "active_infection": "none"}))
    assert (the(made, IMMUNOGLOBULINS)["status"], the(made, IMMUNOGLOBULINS)["kind"]) == ("warn", "caution")


@pytest.mark.any_database
def test_platelets_that_are_below_an_amount_hold_and_say_it(client):
    low = observation("p", PLATELETS, at="2026-11-30", valueQuantity=quantity(50, "10*9/L", comparator="<"))
    known = {"dose_number": 1, "cycle": 1, "cycle_day": 1}
    made = post(client, request(low, drug="besponsa", given=known))
    told = [each["message"] for each in made.json["findings"] if "platelets" in each["missing"]]
    assert told
    assert all("below 50 10*9/L (Observation/p)" in message for message in told)


# Nothing is read more favourably than it is on record

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SETTLED = {**FIRST, "tb_active": "no", "tb_risk_factors": "no"}
NONE_KNOWN = of_patient(
    *("AllergyIntolerance", "n"),
    code=concept("716186003", SNOMED, display="No known allergy"),
    clinicalStatus=concept("active", "x"),
    verificationStatus=concept("confirmed", "x"),
)


def dolutegravir(type="MedicationStatement", **more):
    said = {"status": "active", "intent": "order", "medicationCodeableConcept": concept(text="dolutegravir")}
    return of_patient(type, "o", **said, **more)


def ordered_for(**more):
    return {**ORDER, "medicationCodeableConcept": concept(text="Uplizna"), **more}


@pytest.mark.parametrize(
    ("resources", "check", "words"),
    [
        (
            [condition("b", "B18.1", onsetDateTime="2015-01-01"), negative("1"), core_antibody()],
            *(HEPATITIS, "different values"),
        ),
        (
            [
                condition("l", "Z22.7", onsetDateTime="2020-03-01"),
                observation("t", "71773-6", valueCodeableConcept=concept(NEGATIVE, SNOMED)),
            ],
            *(TUBERCULOSIS, "different values"),
        ),
        (
            [negative("1", at="2026-11-01"), positive("2", status="preliminary"), core_antibody()],
            *(HEPATITIS, "positive on 2026-11-10, only preliminary (Observation/2)"),
        ),
        (
            [negative("1", at="2026-11-01"), positive("2", status=None), core_antibody()],
            *(HEPATITIS, "positive on 2026-11-10, only unknown (Observation/2)"),
        ),
        (
            [negative("1"), report("r", status="amended", conclusion="HBsAg POSITIVE"), core_antibody()],
            *(HEPATITIS, "HBsAg)"),
        ),
    ],
)
@pytest.mark.any_database
def test_a_negative_result_does_not_clear_what_stands_against_it(client, resources, check, words):
    made = post(client, request(*copy.deepcopy(resources), given=SETTLED))
    finding = the(made, check)
    assert finding["status"] == "block"
    assert finding["kind"] in ("missing", "conflict")
    assert words in finding["message"]


@pytest.mark.any_database
def test_a_newer_final_result_clears_a_preliminary_one(client):
    early = positive("2", at="2026-11-01", status="preliminary")
    made = post(client, request(early, negative("1"), core_antibody(), given=SETTLED))
    assert the(made, HEPATITIS)["status"] == "pass"


@pytest.mark.any_database
def test_a_statement_that_there_is_no_allergy_counts_where_all_allergies_were_read(client):
    whole = {"allergies": "complete", "adverse_events": "complete"}
    known = post(client, request(NONE_KNOWN, searched=whole))
    assert the(known, "infusion_reaction")["status"] == "pass"
    for state in ("incomplete", "failed"):
        made = post(client, request(NONE_KNOWN, searched={**whole, "allergies": state}))
        finding = the(made, "infusion_reaction")
        assert (finding["status"], finding["missing"]) == ("block", ["reactions"])


@pytest.mark.parametrize(
    ("taken", "status"),
    [
        (dolutegravir(effectivePeriod={"start": "2019-01-01"}), "pass"),
        (dolutegravir(effectivePeriod={"start": "2019-01-01", "end": "2026-12-01"}), "pass"),
        (dolutegravir(effectivePeriod={"start": "2019-01-01", "end": "2020-01-01"}), "warn"),
        (dolutegravir(effectivePeriod={"start": "2027-01-01"}), "warn"),
        (
            dolutegravir(
                "MedicationRequest",
                dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"end": "2020-01-01"}}}}],
            ),
            "warn",
        ),
    ],
)
@pytest.mark.any_database
def test_a_medicine_is_not_taken_outside_of_its_time_whatever_its_status(client, taken, status):
    made = post(client, request(taken, drug="trogarzo"))
    assert the(made, "antiretroviral_regimen")["status"] == status


@pytest.mark.parametrize(
    ("reason", "resources", "status", "says"),
    [
        ({"reasonCode": [concept("G36.0", ICD10)]}, [], "pass", "nmosd: ordered for"),
        ({"reasonReference": [{"reference": "Condition/n"}]}, [{}], "pass", "nmosd: ordered for"),
        (
            {"reasonReference": [{"reference": "Condition/n"}]},
            *([{"verified": "differential"}], "warn", "ordered for a condition: differential, not confirmed"),
        ),
        (
            {"reasonCode": [concept("G70.00", ICD10, display="Myasthenia gravis")]},
            *(
                [],
                "warn",
                "Myasthenia gravis: myasthenia gravis; the code does not say that it is generalised",
            ),
        ),
    ],
)
@pytest.mark.any_database
def test_an_order_is_for_what_is_sure_and_the_trace_says_what_is_not(client, reason, resources, status, says):
    conditions = [condition("n", "G36.0", **each) for each in resources]
    antibody = observation("q", "43638-6", valueCodeableConcept=concept("10828004", SNOMED))
    made = post(client, request(ordered_for(**reason), antibody, *conditions))
    assert the(made, "indication")["status"] == status
    lines = client.get(f"{ADDRESS}/{made.json['id']}/trace").json["reading"]
    assert any(says in line["says"] for line in lines if line["fact"] == "indication")


@pytest.mark.any_database
def test_a_statement_that_no_medicine_is_taken_counts_where_all_of_them_were_read(client):
    nothing = concept("787481004", SNOMED, display="No known medications")
    said = of_patient("MedicationStatement", "n", status="active", medicationCodeableConcept=nothing)
    settled = {**FIRST, "immunodeficiency": "none"}
    assert the(post(client, request(said, given=settled)), "immunosuppression")["status"] == "pass"
    whole = dict.fromkeys(("orders", "statements", "administrations"), "complete")
    for searched in (
        {**whole, "orders": "failed"},
        {**whole, "statements": "incomplete"},
        {**whole, "administrations": "failed"},
        {"statements": "complete"},
    ):
        made = post(client, request(said, given=settled, searched=searched))
        finding = the(made, "immunosuppression")
        assert (finding["status"], finding["missing"]) == ("warn", ["immunosuppressants"])


@pytest.mark.any_database
def test_a_vaccine_with_codes_of_a_live_and_of_another_one_is_taken_for_live(client):
    both = {"coding": [{"system": CVX, "code": "140"}, {"system": CVX, "code": "03"}]}
    made = post(client, request({**vaccine(status="completed"), "vaccineCode": both}, given=FIRST))
    finding = the(made, "vaccination")
    assert (finding["status"], finding["kind"]) == ("block", "defer")
    lines = client.get(f"{ADDRESS}/{made.json['id']}/trace").json["reading"]
    assert any("taken for a live one" in line["says"] for line in lines if not line["understood"])


@pytest.mark.parametrize(
    ("recorded", "status"),
    [
        ({"recordedDate": "2026-11-20"}, "pass"),
        ({"recordedDate": "2026-11-16T18:00:00-05:00"}, "pass"),
        ({"recordedDate": "2026-11-15"}, "block"),
        ({"recordedDate": "2015"}, "block"),
        ({}, "pass"),
    ],
)
@pytest.mark.any_database
def test_a_statement_that_there_is_no_allergy_says_nothing_of_a_dose_after_it(client, recorded, status):
    dose = of_patient(
        *("MedicationAdministration", "d"),
        status="completed",
        medicationCodeableConcept=concept(text="Uplizna"),
        effectiveDateTime="2026-11-16T10:00:00-05:00",
    )
    made = post(client, request({**NONE_KNOWN, **recorded}, dose))
    assert the(made, "infusion_reaction")["status"] == status
    unconcerned = {**dose, "medicationCodeableConcept": concept(text="paracetamol")}
    made = post(client, request({**NONE_KNOWN, **recorded}, unconcerned))
    assert the(made, "infusion_reaction")["status"] == "pass"


@pytest.mark.any_database
def test_what_cannot_be_shown_is_marked_and_makes_no_answer(client):
    result = observation("1", HBSAG, valueString="nega\ud7fctive")
    made = post(client, request(result, core_antibody(), given=FIRST))
    finding = the(made, HEPATITIS)
    assert finding["status"] == "block"
    assert 'cannot be read: "nega\ufffdtive" (Observation/1)' in finding["message"]
