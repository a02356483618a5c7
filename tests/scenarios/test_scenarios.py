"""Every scenario of every drug, from the request as received to the result as sent.

A scenario starts from a complete patient, who passes; `with` gives facts anew, `without` leaves them out.
"""

import json

import pytest

from service.intake.errors import BadInput
from tests.builders import SCENARIOS, request_for, result_for, scenario_file, shipped

DRUGS = sorted(path.stem for path in SCENARIOS.glob("*.yaml") if path.stem in shipped().packs)
PATIENTS = [
    pytest.param(drug, patient, id=f"{drug}: {patient}")
    for drug in DRUGS
    for patient in scenario_file(drug)["patients"]
]
EVERY = [(drug, scenario) for drug in DRUGS for scenario in scenario_file(drug)["scenarios"]]
ANSWERED = [
    pytest.param(drug, each, id=f"{drug}: {each['name']}")
    for drug, each in EVERY
    if "refused" not in each["expect"]
]
REFUSED = [
    pytest.param(drug, each, id=f"{drug}: {each['name']}")
    for drug, each in EVERY
    if "refused" in each["expect"]
]
SEVERITY = ("pass", "warn", "block")
KEYS = {"name", "ledger", "patient", "with", "without", "region", "infusion_at", "drug", "expect"}
EXPECTATIONS = {"status", "checks", "kinds", "missing", "not_missing", "eligible_from", "refused"}


def requested(drug, scenario):
    changes = {key: scenario[key] for key in ("region", "infusion_at", "drug") if key in scenario}
    return request_for(
        drug,
        scenario["patient"],
        with_=scenario.get("with"),
        without=scenario.get("without", ()),
        **changes,
    )


def findings_of(result, check):
    found = [finding for finding in result["findings"] if finding["check"] == check]
    assert found, f"no check {check} in the result"
    return found


def asked_by(result, check):
    return {fact for finding in findings_of(result, check) for fact in finding["missing"]}


@pytest.mark.parametrize(("drug", "patient"), PATIENTS)
def test_a_complete_patient_passes_and_is_asked_for_nothing(drug, patient):
    result = result_for(request_for(drug, patient))
    assert [finding for finding in result["findings"] if finding["status"] != "pass"] == []
    assert (result["status"], result["needs"], result["eligible_from"]) == ("pass", [], None)


@pytest.mark.parametrize(("drug", "scenario"), ANSWERED)
def test_a_scenario_is_answered_as_its_ledger_rows_say(drug, scenario):
    result = json.loads(json.dumps(result_for(requested(drug, scenario))))
    expect = scenario["expect"]
    if "status" in expect:
        assert result["status"] == expect["status"], shown(result)
    for check, status in expect.get("checks", {}).items():
        worst = max((finding["status"] for finding in findings_of(result, check)), key=SEVERITY.index)
        assert (check, worst) == (check, status), shown(result)
    for check, kind in expect.get("kinds", {}).items():
        assert (check, findings_of(result, check)[0]["kind"]) == (check, kind), shown(result)
    for check, facts in expect.get("missing", {}).items():
        assert set(facts) <= asked_by(result, check) & set(result["needs"]), shown(result)
    for check, facts in expect.get("not_missing", {}).items():
        assert not set(facts) & asked_by(result, check), shown(result)
    if "eligible_from" in expect:
        assert result["eligible_from"] == expect["eligible_from"], shown(result)


def shown(result):
    """What a reader of a failure needs to see: the findings that are not a pass."""
    parts = ("check", "status", "kind", "rule", "missing", "eligible_from")
    findings = [each for each in result["findings"] if each["status"] != "pass"]
    return "\n".join(" ".join(str(each[part]) for part in parts) for each in findings)


@pytest.mark.parametrize(("drug", "scenario"), ANSWERED)
def test_a_scenario_answers_every_check_and_takes_the_worst_status(drug, scenario):
    result = result_for(requested(drug, scenario))
    checks = {check.id for check in shipped().packs[drug].checks}
    assert {finding["check"] for finding in result["findings"]} == checks
    statuses = [SEVERITY.index(finding["status"]) for finding in result["findings"]]
    assert statuses == sorted(statuses, reverse=True)
    assert SEVERITY.index(result["status"]) == statuses[0]


@pytest.mark.parametrize(("drug", "scenario"), REFUSED)
def test_a_bad_request_is_refused_with_the_path_of_every_bad_field(drug, scenario):
    with pytest.raises(BadInput) as refused:
        result_for(requested(drug, scenario))
    errors = refused.value.errors
    named = scenario["expect"]["refused"]
    assert [each for each in named if not any(each in error.path for error in errors)] == []
    # A wrong birth date makes good dates look wrong beside it.
    blamed = [error.path for error in errors if "before the birth date" not in error.message]
    assert [path for path in blamed if not any(each in path for each in named)] == []


@pytest.mark.parametrize(
    ("drug", "scenario"), [pytest.param(*each, id=f"{each[0]}: {each[1]['name']}") for each in EVERY]
)
def test_a_scenario_is_written_in_the_words_of_the_format(drug, scenario):
    assert set(scenario) <= KEYS
    assert set(scenario["expect"]) <= EXPECTATIONS
    assert scenario["expect"]
    assert set(scenario.get("ledger", ())) <= set(shipped().ledger)


@pytest.mark.parametrize("drug", DRUGS)
def test_every_ledger_row_checked_before_the_start_has_a_scenario(drug):
    rows = {row.row for row in shipped().ledger.values() if drug in row.drugs and row.check != "-"}
    told = {row for each in scenario_file(drug)["scenarios"] for row in each.get("ledger", ())}
    assert rows - told == set()


@pytest.mark.parametrize("drug", DRUGS)
def test_no_two_scenarios_of_a_drug_share_a_name(drug):
    names = [each["name"] for each in scenario_file(drug)["scenarios"]]
    assert len(names) == len(set(names))
