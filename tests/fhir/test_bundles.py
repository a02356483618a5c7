"""Charts of generated people, each with an order: from the bundle to findings that name their resources."""

import copy
import json
import random
import re

import pytest

from service.intake.documents import plain
from service.intake.requests import read_request
from tests.api.conftest import new_app, new_client  # noqa: F401  fixtures
from tests.builders import ROOT, shipped
from tests.fhir.others import problems_of

FOLDER = ROOT / "tests" / "fhir" / "bundles"
ADDRESS = "/api/v1/checklists"
MOST_BYTES = 120_000
SEARCHED = dict.fromkeys(
    (
        *("patient", "orders", "results", "reports", "conditions", "allergies", "adverse_events"),
        *("immunizations", "administrations", "statements", "procedures", "service_requests"),
    ),
    "complete",
)
INFUSION_AT = {
    "inebilizumab": "2026-12-01T09:00:00-05:00",
    "ibalizumab": "2026-12-01T10:00:00-05:00",
    "inotuzumab_ozogamicin": "2026-12-01T11:00:00-05:00",
}
# Of each drug the findings that the resources added by hand decide: what is said, and by which resource.
FINDINGS = {
    "inebilizumab": [
        ("hepatitis_b", None, "pass", "ok", {"Observation/hbsag", "Observation/anti-hbc"}),
        ("tuberculosis", "tb-screening-incomplete", "block", "missing", {"Observation/igra"}),
        ("immunoglobulins", "igg-low", "warn", "caution", {"Observation/igg"}),
        ("indication", None, "pass", "ok", {"MedicationRequest/uplizna", "Observation/aqp4"}),
        ("pregnancy", None, "pass", "ok", {"Observation/hcg"}),
        ("blood_counts", None, "pass", "ok", {"Observation/neutrophils"}),
        ("dose", None, "pass", "ok", {"MedicationRequest/uplizna"}),
        (
            *("premedication", "premedication-missing-antihistamine", "block", "missing"),
            {"MedicationAdministration/methylprednisolone"},
        ),
    ],
    "ibalizumab": [
        ("hypersensitivity", "hypersensitivity", "block", "contraindication", {"AdverseEvent/reaction"}),
        ("indication", "indication-outside-label", "warn", "missing", {"MedicationStatement/dolutegravir"}),
        ("antiretroviral_regimen", None, "pass", "ok", {"MedicationStatement/dolutegravir"}),
        ("pregnancy", None, "pass", "ok", {"Observation/pregnancy-status"}),
        ("dose", None, "pass", "ok", {"MedicationRequest/trogarzo", "MedicationAdministration/loading-dose"}),
        ("schedule", None, "pass", "ok", {"MedicationAdministration/loading-dose"}),
        ("route", None, "pass", "ok", {"MedicationRequest/trogarzo"}),
    ],
    "inotuzumab_ozogamicin": [
        ("liver", "transaminases-high", "block", "defer", {"Observation/alt"}),
        ("infusion_reaction", "severe-reaction", "block", "missing", {"AllergyIntolerance/besponsa"}),
        ("veno_occlusive_disease", "vod-risk-transplant", "warn", "caution", {"Procedure/transplant"}),
        ("veno_occlusive_disease", "vod-severe-or-ongoing", "block", "missing", set()),
        ("blood_counts", "low-baseline-not-recovered", "block", "missing", {"Observation/platelets"}),
        ("indication", None, "pass", "ok", {"MedicationRequest/besponsa", "Observation/cd22"}),
        ("cytoreduction", None, "pass", "ok", {"MedicationAdministration/day-1"}),
        ("route", None, "pass", "ok", {"MedicationRequest/besponsa"}),
    ],
}
READ = {
    "inebilizumab": {
        "dose_number": None,
        "hbsag": "negative",
        "anti_hbc_total": "negative",
        "tb_test": "indeterminate",
        "igg": 512,
        "anc": 3.1,
        "aqp4_igg": "positive",
        "pregnancy_test": "negative",
        "indication": "nmosd",
        "ordered_dose": 300,
        "route": "iv_infusion",
        "infusion_minutes": 90,
        "sex": "female",
    },
    "ibalizumab": {
        "dose_number": 2,
        "first_dose_on": "2026-11-16",
        "last_dose_on": "2026-11-16",
        "ordered_dose": 800,
        "route": "iv_infusion",
        "infusion_minutes": 15,
        "pregnant": "no",
        "scheduled_on": None,
        "sex": "female",
    },
    "inotuzumab_ozogamicin": {
        "dose_number": 2,
        "last_dose_on": "2026-11-24",
        "ordered_dose": 0.5,
        "alt": 152,
        "ast": 61,
        "bilirubin_total": 0.9,
        "platelets": 38,
        "anc": None,
        "qtc": 478,
        "cd22": "positive",
        "weight": 81.5,
        "hsct_history": "yes",
        "vod_history": None,
        "peripheral_blasts": None,
        "sex": "male",
    },
}
# What nothing in the chart answers, in each case: it is asked, and nothing passes on it.
ASKED = {
    "inebilizumab": {
        "dose_number",
        "active_infection",
        "tb_active",
        "reactions",
        "vaccinations",
        "pml_signs",
    },
    "ibalizumab": {"reactions", "breastfeeding", "indication"},
    "inotuzumab_ozogamicin": {
        "cycle",
        "anc",
        "reactions",
        "active_infection",
        "vod_history",
        "liver_disease",
    },
}
NOT_UNDERSTOOD = {
    "inebilizumab": {("None", "4 medicines are of no list that is read")},
    "ibalizumab": {
        ("indication", "ordered for Human immunodeficiency virus [HIV] disease: infection with HIV")
    },
    "inotuzumab_ozogamicin": {
        ("anc", "below 0.1 10*9/L"),
        ("vod_history", "Hepatic veno-occlusive disease: differential, not confirmed"),
    },
}
SETTLED_FOR_ANYBODY = {
    "inebilizumab": {"hepatitis_c"},
    "ibalizumab": {"schedule"},
    "inotuzumab_ozogamicin": {"vaccination"},
}
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
drugs = pytest.mark.parametrize("drug", FINDINGS)


def bundle_of(name):
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def request_of(drug, bundle=None, **more):
    bundle = bundle or bundle_of(drug)
    return {
        "drug": drug,
        "infusion_at": INFUSION_AT[drug],
        "bundle": bundle,
        "searched": SEARCHED,
        **more,
    }


def added(bundle):
    """The resources that were made by hand: the others are named by a UUID."""
    resources = (each["resource"] for each in bundle["entry"])
    return [each for each in resources if not UUID.fullmatch(each["id"])]


@pytest.fixture
def client(new_client):  # noqa: F811
    return new_client()


def made_of(client, document):
    answer = client.post(ADDRESS, data=json.dumps(document), content_type="application/json")
    assert answer.status_code == 201, answer.text
    return answer.json


def trace_of(client, made):
    return client.get(f"{ADDRESS}/{made['id']}/trace").json


def passed_in(made):
    return {each["check"] for each in made["findings"] if each["status"] == "pass"}


def sources_in(finding):
    named = (each["source"] for each in finding["because"] if "source" in each)
    return {one for each in named for one in each.split(", ")}


def the(findings, check, rule):
    return next(each for each in findings if each["check"] == check and each["rule"] == rule)


@drugs
def test_the_chart_is_a_prefetch_of_a_likely_size_in_valid_fhir(drug):
    bundle = bundle_of(drug)
    assert (FOLDER / f"{drug}.json").stat().st_size <= MOST_BYTES
    assert 60 <= len(bundle["entry"]) <= 150
    assert 8 <= len(added(bundle)) <= 13
    assert problems_of(bundle) == []


@drugs
@pytest.mark.any_database
def test_each_finding_of_a_chart_names_the_resources_that_decide_it(drug, client):
    made = made_of(client, request_of(drug))
    assert made["status"] == "block"
    for check, rule, status, kind, sources in FINDINGS[drug]:
        finding = the(made["findings"], check, rule)
        assert (finding["status"], finding["kind"]) == (status, kind), check
        assert sources <= sources_in(finding), check
    for finding in made["findings"]:
        for each in finding["because"]:
            assert "source" in each or each["fact"] == "region", finding["check"]


@drugs
@pytest.mark.any_database
def test_a_chart_is_read_as_it_is_written_and_the_rest_is_asked(drug, client):
    made = made_of(client, request_of(drug))
    lines, by_fact = trace_of(client, made)["reading"], facts_of(drug)
    for fact, value in READ[drug].items():
        known = by_fact.get(fact)
        newest = known[0] if isinstance(known, list) else known
        assert (newest or {}).get("value") == value, fact
    assert ASKED[drug] <= set(made["needs"])
    for fact, says in NOT_UNDERSTOOD[drug]:
        assert any(
            str(line["fact"]) == fact and line["says"].startswith(says) and not line["understood"]
            for line in lines
        ), says
    assert not passed_in(made) & {each["check"] for each in made["findings"] if each["missing"]}


def facts_of(drug, bundle=None):
    """What is read of a chart, as it stands in the record."""
    return json.loads(json.dumps(plain(read_request(request_of(drug, bundle), shipped()).facts)))


@drugs
@pytest.mark.any_database
def test_the_checklist_of_a_chart_is_the_same_when_it_is_replayed(drug, client):
    made = made_of(client, request_of(drug))
    assert client.post(f"{ADDRESS}/{made['id']}/replay").json["identical"] is True


@drugs
@pytest.mark.any_database
def test_the_order_of_the_entries_changes_nothing(drug, client):
    shuffled = bundle_of(drug)
    random.Random(7).shuffle(shuffled["entry"])
    one, other = (made_of(client, request_of(drug, each)) for each in (None, shuffled))
    assert [one[key] for key in ("findings", "needs")] == [other[key] for key in ("findings", "needs")]
    assert trace_of(client, one)["reading"] == trace_of(client, other)["reading"]


@pytest.mark.any_database
def test_with_what_the_nurse_says_the_live_vaccine_of_the_chart_blocks_until_four_weeks_are_over(client):
    made = made_of(client, request_of("inebilizumab", facts={"dose_number": 1}))
    finding = the(made["findings"], "vaccination", "live-vaccine-within-4-weeks")
    assert (finding["status"], finding["eligible_from"]) == ("block", "2026-12-19")
    [because] = [each for each in finding["because"] if each["fact"] == "vaccinations"]
    assert [(each["cvx"], each["on"]) for each in because["value"]] == [("37", "2026-11-21")]
    assert because["source"].startswith("Immunization/yellow-fever, ")
    assert "dose_number" not in made["needs"]
    assert the(made["findings"], "tuberculosis", "tb-screening-incomplete")["status"] == "block"


@pytest.mark.any_database
def test_a_dose_that_was_not_given_is_none_and_a_refuted_allergy_is_none(client):
    made = made_of(client, request_of("ibalizumab"))
    named = {source for finding in made["findings"] for source in sources_in(finding)}
    assert not named & {"MedicationAdministration/refused-dose", "AllergyIntolerance/sucrose"}
    assert "MedicationStatement/darunavir" not in named


@pytest.mark.any_database
def test_without_the_searches_a_chart_settles_fewer_facts_and_passes_no_more(client):
    for drug in FINDINGS:
        whole = made_of(client, request_of(drug))
        part = made_of(client, {**request_of(drug), "searched": {}})
        assert set(whole["needs"]) <= set(part["needs"])
        assert passed_in(part) <= passed_in(whole)


@drugs
@pytest.mark.any_database
def test_a_chart_without_an_order_does_not_clear_anybody(drug, client):
    """Of this child nothing but the age is known; the rest that passes is settled for anybody."""
    made = made_of(client, request_of(drug, bundle_of("without_an_order")))
    assert made["status"] == "block"
    age = next(each for each in made["findings"] if each["check"] == "age")
    assert (age["status"], age["kind"]) == ("block", "contraindication")
    assert {"dose_number", "reactions", "ordered_dose"} <= set(made["needs"])
    assert passed_in(made) == SETTLED_FOR_ANYBODY[drug]
    assert client.post(f"{ADDRESS}/{made['id']}/replay").json["identical"] is True


@drugs
def test_a_chart_of_which_any_one_resource_is_missing_settles_no_more(drug):
    """What was added is left out in turn: no fact is known better without it but where it contradicts."""
    bundle = bundle_of(drug)
    whole = facts_of(drug)
    for each in added(bundle):
        less = copy.deepcopy(bundle)
        less["entry"] = [one for one in less["entry"] if one["resource"]["id"] != each["id"]]
        known = facts_of(drug, less)
        new = {name for name in known if name not in whole}
        assert not new, (each["id"], new)
