"""The answer a nurse reads: findings in order, each with its reason, what would settle it, and from when.

Every patient here starts from a complete one of the scenario files, who passes.
"""

import json

import pytest

from service.checklist.rules import Status
from service.intake.documents import finding_document
from tests.builders import checklist_for, request_for, result_for, scenario_file, shipped
from tests.checklist.answers import (
    EVERY_PATIENT,
    FIRST,
    FOURTH,
    INEBILIZUMAB,
    MAN,
    ORDER,
    SECOND,
    THIRD,
    asked,
    found,
    the,
)

# Every check is answered, and the worst comes first.


@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_every_check_of_a_clear_patient_is_listed_with_what_was_looked_for(drug, patient):
    result = result_for(request_for(drug, patient))
    checks = shipped().packs[drug].checks
    assert [each["check"] for each in result["findings"]] == [check.id for check in checks]
    for finding, check in zip(result["findings"], checks, strict=True):
        applies = finding["kind"] == "ok"
        assert finding["kind"] in ("ok", "not_applicable")
        assert finding["message"] == (check.nothing_found if applies else check.not_applicable)
        assert (finding["rule"], finding["action"], finding["override"]) == (None, None, None)
        assert (finding["missing"], finding["would_pass_when"]) == ([], [])
        assert finding["because"], f"{check.id} says nothing of what was found"


@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_a_patient_of_whom_nothing_is_known_is_held_and_asked_only_for_what_the_pack_reads(drug, patient):
    everything = list(scenario_file(drug)["patients"][patient]["facts"])
    result = result_for(request_for(drug, patient, without=everything))
    pack = shipped().packs[drug]
    assert result["status"] == "block"
    assert {each["check"] for each in result["findings"]} == {check.id for check in pack.checks}
    assert set(result["needs"]) <= set(pack.facts_read)
    assert set(result["needs"]) == {fact for each in result["findings"] for fact in each["missing"]}
    assert len(result["needs"]) == len(set(result["needs"]))


def test_findings_come_worst_first_and_then_in_the_order_of_the_pack():
    result = asked(
        hbsag={"value": "positive", "at": "2026-09-01"},
        breastfeeding="yes",
        active_infection="localised",
        aqp4_igg={"value": "negative", "at": "2026-03-20"},
    )
    shown = [(each["check"], each["status"]) for each in result["findings"] if each["status"] != "pass"]
    assert shown == [
        ("hepatitis_b", "block"),
        ("infection", "block"),
        ("indication", "warn"),
        ("lactation", "warn"),
    ]
    places = [ORDER.index(each["status"]) for each in result["findings"]]
    assert places == sorted(places)


def test_several_rules_of_one_check_are_several_findings_worst_first():
    reaction = {"substance": "UPLIZNA", "type": "infusion_reaction"}
    result = asked(reactions=[{**reaction, "severity": "mild"}, {**reaction, "severity": "life_threatening"}])
    statuses = [(each["rule"], each["status"]) for each in found(result, "infusion_reaction")]
    assert statuses == [("life-threatening-reaction", "block"), ("mild-reaction", "warn")]


# An undecided finding asks for what would settle it, and for nothing twice.


def test_a_missing_hbsag_blocks_and_asks_for_it():
    finding = the(asked(without=["hbsag"]), "hepatitis_b")
    assert (finding["status"], finding["kind"]) == ("block", "missing")
    assert finding["missing"] == ["hbsag"]
    assert "hepatitis B surface antigen (HBsAg)" in finding["message"]


def test_undecided_rules_that_ask_for_the_same_are_merged_into_one_finding():
    # Three rules of this check read HBsAg; a nurse is told once.
    assert len(found(asked(without=["hbsag"]), "hepatitis_b")) == 1
    finding = the(asked(without=["hbsag", "anti_hbc_total"]), "hepatitis_b")
    assert set(finding["missing"]) == {"hbsag", "anti_hbc_total"}


def test_an_undecided_rule_that_asks_for_more_is_not_swallowed_by_a_stricter_one():
    findings = found(asked(without=["immunodeficiency", "immunosuppressants"]), "immunosuppression")
    assert [each["missing"] for each in findings] == [["immunodeficiency"], ["immunosuppressants"]]


def test_needs_names_the_facts_of_the_worst_findings_first():
    result = asked(without=["breastfeeding", "tb_active", "aqp4_igg", "pml_signs"])
    assert set(result["needs"][:2]) == {"tb_active", "pml_signs"}
    assert set(result["needs"][2:]) == {"breastfeeding", "aqp4_igg"}


def test_a_fact_that_settles_more_findings_is_asked_first():
    needs = asked(without=["dose_number", "anti_hbc_total", "tb_test", "pml_signs"])["needs"]
    # Hepatitis B and tuberculosis both turn on the dose, PML on its signs alone.
    assert needs.index("dose_number") < needs.index("pml_signs")


def test_what_is_already_decided_asks_for_nothing_more():
    result = asked(hbsag={"value": "positive", "at": "2026-09-01"}, without=["anti_hbc_total"])
    assert result["needs"] == []
    assert the(result, "hepatitis_b")["kind"] == "contraindication"


# Because: the value, its date, where it came from.


def test_because_names_the_value_its_unit_its_date_and_its_source():
    igg = {"value": 5.1, "unit": "g/L", "at": "2026-09-01", "source": "Observation/31", "ref_low": 6.5}
    (because,) = the(asked(igg=igg), "immunoglobulins")["because"]
    assert because == {
        "fact": "igg",
        "value": 5.1,
        "unit": "g/L",
        "at": "2026-09-01",
        "source": "Observation/31",
    }


def test_because_names_the_counted_result_of_several():
    results = [
        {"value": "positive", "at": "2026-09-20", "source": "Observation/2"},
        {"value": "negative", "at": "2026-09-01", "source": "Observation/1"},
        {"value": "negative", "at": "2026-09-25", "status": "preliminary", "source": "Observation/3"},
    ]
    (because,) = the(asked(hbsag=results), "hepatitis_b")["because"]
    assert (because["value"], because["source"]) == ("positive", "Observation/2")


def test_because_names_only_the_entries_of_a_list_that_count():
    live, other = {"kind": "live", "on": "2026-09-20"}, {"kind": "live", "on": "2026-01-20"}
    finding = the(asked(vaccinations=[other, live]), "vaccination")
    (vaccines,) = [each["value"] for each in finding["because"] if each["fact"] == "vaccinations"]
    assert [each["on"] for each in vaccines] == ["2026-09-20"]


# Why a fact is not known: missing, stale and in conflict are told apart, in words.


TWO_VALUES = ("negative", "positive")
NOT_KNOWN = [
    (None, "missing", "not recorded"),
    ({"value": "negative", "at": "2026-09-01", "status": "preliminary"}, "missing", "only preliminary"),
    ({"value": "negative", "at": "2026-09-01", "status": "entered-in-error"}, "missing", "entered in error"),
    ({"value": "negative", "at": "2026-10-07"}, "missing", "collected after the infusion time"),
    ({"value": "negative"}, "missing", "no date"),
    ({"value": "negative", "at": "2025-09-01"}, "stale", "400 days old (365 allowed)"),
    (
        [{"value": each, "at": "2026-09-01"} for each in ("negative", "positive")],
        "conflict",
        "different values",
    ),
]


@pytest.mark.parametrize(("hbsag", "kind", "words"), NOT_KNOWN)
def test_missing_stale_and_in_conflict_are_told_apart_with_the_reason_in_words(hbsag, kind, words):
    finding = the(asked(hbsag=hbsag), "hepatitis_b")
    assert (finding["status"], finding["kind"], finding["missing"]) == ("block", kind, ["hbsag"])
    assert words in finding["message"]


def test_a_stale_finding_still_shows_the_old_result():
    old = {"value": "negative", "at": "2025-09-01", "source": "Observation/7"}
    because = {each["fact"]: each for each in the(asked(hbsag=old), "hepatitis_b")["because"]}
    assert (because["hbsag"]["at"], because["hbsag"]["source"]) == ("2025-09-01", "Observation/7")


# How long to watch, and who may go on.


def test_the_observation_plan_is_the_first_whose_condition_holds():
    drug = "ibalizumab"
    assert asked("loading dose, US", drug)["observation"]["minutes_after"] == 60
    assert asked("ninth dose, US", drug)["observation"]["minutes_after"] == 15
    reaction = {"substance": "ibalizumab", "severity": "mild", "type": "infusion_reaction"}
    assert asked("ninth dose, US", drug, reactions=[reaction])["observation"]["minutes_after"] == 60
    assert asked("ninth dose, US", drug, without=["reactions"])["observation"]["minutes_after"] == 60


@pytest.mark.parametrize("patient", [FIRST, MAN, SECOND, THIRD, FOURTH])
def test_after_inebilizumab_an_hour_is_watched_at_every_dose(patient):
    plan = asked(patient)["observation"]
    assert plan["minutes_after"] == 60
    assert plan["sources"]


OVERRIDES = [
    # What is known, the check, and who may go on.
    ({"hbsag": {"value": "positive", "at": "2026-09-01"}}, "hepatitis_b", "never"),
    ({"tb_active": "yes"}, "tuberculosis", "never"),
    ({"active_infection": "localised"}, "infection", "prescriber"),
    ({"pregnant": "yes"}, "pregnancy", "prescriber"),
    ({"breastfeeding": "yes"}, "lactation", "acknowledge"),
    ({"hbsag": None}, "hepatitis_b", "prescriber"),
    ({"breastfeeding": None}, "lactation", "acknowledge"),
]


@pytest.mark.parametrize(("facts", "check", "override"), OVERRIDES)
def test_a_finding_says_who_may_go_on(facts, check, override):
    assert found(asked(**facts), check)[0]["override"] == override


@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_a_warning_is_acknowledged_and_never_overridden_otherwise(drug, patient):
    everything = list(scenario_file(drug)["patients"][patient]["facts"])
    for finding in result_for(request_for(drug, patient, without=everything))["findings"]:
        allowed = {"warn": ("acknowledge",), "block": ("prescriber", "never"), "pass": (None,)}
        assert finding["override"] in allowed[finding["status"]]


# Checks that do not apply.


def test_a_check_that_does_not_apply_says_why():
    result = asked(MAN)
    texts = {
        each["check"]: each["message"] for each in result["findings"] if each["kind"] == "not_applicable"
    }
    assert texts == {
        "pregnancy": "The patient cannot become pregnant.",
        "contraception": "The patient cannot become pregnant.",
        "lactation": "Breastfeeding does not apply to this patient.",
    }


def test_a_check_of_the_other_regions_label_does_not_apply():
    (finding,) = [each for each in asked(FIRST)["findings"] if each["check"] == "hepatitis_c"]
    assert (finding["status"], finding["kind"]) == ("pass", "not_applicable")


def test_where_it_is_not_known_whether_a_check_applies_it_is_asked():
    finding = found(asked(without=["pregnancy_potential", "sex", "pregnant", "pregnancy_test"]), "pregnancy")[
        0
    ]
    assert (finding["status"], finding["kind"]) == ("block", "missing")


# The document and the source of each finding.


def test_every_finding_that_is_no_pass_cites_its_sources_and_says_what_to_do():
    everything = list(scenario_file(INEBILIZUMAB)["patients"][FIRST]["facts"])
    for finding in result_for(request_for(INEBILIZUMAB, FIRST, without=everything))["findings"]:
        if finding["status"] != "pass":
            assert finding["action"]
            assert all(
                source["ledger"] and source["section"] and source["title"] for source in finding["sources"]
            )
            assert finding["sources"]


def test_a_rule_that_nobody_has_verified_only_warns_and_says_so():
    checklist = checklist_for(request_for(INEBILIZUMAB, FOURTH, with_={"scheduled_on": "2026-09-01"}))
    (finding,) = [each for each in checklist.findings if each.unverified]
    assert (finding.status, finding_document(finding)["tags"]) == (Status.WARN, ["unverified"])


def test_the_same_request_gives_the_same_document():
    request = request_for(INEBILIZUMAB, FIRST, without=["hbsag", "dose_number", "reactions"])
    assert json.dumps(result_for(request)) == json.dumps(result_for(request))
