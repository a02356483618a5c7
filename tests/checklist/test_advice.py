"""What would make a finding go away, and from which day time alone does.

Every patient here starts from a complete one of the scenario files, who passes.
"""

from datetime import date

import pytest

from tests.builders import request_for, result_for, scenario_file, shipped
from tests.checklist.answers import EVERY_PATIENT, FIRST, INEBILIZUMAB, INOTUZUMAB, THIRD, asked, found, the

# What would make it pass.


def ways(finding):
    return {frozenset(each) for each in finding["would_pass_when"]}


def test_missing_hepatitis_b_markers_pass_when_each_missing_one_is_negative():
    one = the(asked(without=["anti_hbc_total"]), "hepatitis_b")
    assert ways(one) == {frozenset({"anti_hbc_total is negative"})}
    both = the(asked(without=["hbsag", "anti_hbc_total"]), "hepatitis_b")
    assert ways(both) == {frozenset({"hbsag is negative", "anti_hbc_total is negative"})}


def test_a_stale_marker_passes_when_it_is_negative_again():
    stale = the(asked(hbsag={"value": "negative", "at": "2025-01-01"}), "hepatitis_b")
    assert ways(stale) == {frozenset({"hbsag is negative"})}


@pytest.mark.parametrize("milligrams", [600, 200])
def test_a_wrong_dose_passes_when_the_order_is_the_doses_of_the_label(milligrams):
    finding = the(asked(ordered_dose={"value": milligrams, "unit": "mg"}), "dose")
    assert ways(finding) == {frozenset({"ordered_dose is 300 mg"})}


def test_a_missing_dose_passes_when_the_order_is_the_dose_of_the_label():
    assert ways(the(asked(without=["ordered_dose"]), "dose")) == {frozenset({"ordered_dose is 300 mg"})}


def test_a_missing_premedication_passes_when_that_class_is_charted():
    given = [
        {"class": name, "at": "2026-10-06T12:30:00-05:00"} for name in ("corticosteroid", "antihistamine")
    ]
    ((way,),) = the(asked(premedications=given), "premedication")["would_pass_when"]
    assert way.startswith("premedications has entry")
    assert "antipyretic" in way


def test_raised_liver_tests_pass_when_they_are_within_their_multiple_again():
    high = {"value": 200, "unit": "U/L", "ref_high": 40, "at": "2026-08-23"}
    finding = the(asked("cycle 1 day 1, US", INOTUZUMAB, alt=high), "liver")
    assert ways(finding) == {frozenset({"alt is at most 2.5 times its upper limit"})}


def test_two_raised_liver_tests_pass_only_when_both_have_come_down():
    high = {"value": 200, "unit": "U/L", "ref_high": 40, "at": "2026-08-23"}
    finding = the(asked("cycle 1 day 1, US", INOTUZUMAB, alt=high, ast=high), "liver")
    limits = {f"{name} is at most 2.5 times its upper limit" for name in ("alt", "ast")}
    assert ways(finding) == {frozenset(limits)}


def test_history_and_serology_cannot_be_changed_and_no_way_out_is_offered():
    assert the(asked(hbsag={"value": "positive", "at": "2026-09-01"}), "hepatitis_b")["would_pass_when"] == []
    assert the(asked(pml_history="yes"), "pml")["would_pass_when"] == []
    assert the(asked(birth_date="2010-01-01"), "age")["would_pass_when"] == []


BAD_NEWS = [
    (INEBILIZUMAB, FIRST, "anc", "blood_counts"),
    (INEBILIZUMAB, FIRST, "igg", "immunoglobulins"),
    (INOTUZUMAB, "cycle 1 day 1, US", "bilirubin_total", "liver"),
    (INOTUZUMAB, "cycle 1 day 1, US", "alt", "liver"),
]


@pytest.mark.parametrize(("drug", "patient", "fact", "check"), BAD_NEWS)
def test_a_result_on_the_wrong_side_of_its_limit_is_never_said_to_pass(drug, patient, fact, check):
    for finding in found(asked(patient, drug, without=[fact]), check):
        for way in finding["would_pass_when"]:
            assert not any("below its lower limit" in each for each in way), way
            assert not any("above" in each and "upper limit" in each for each in way), way


def codes_of(name):
    """The codes that a fact may be; none where it is no fact, or not a code."""
    facts = shipped().vocabulary.facts
    return set(facts[name].values) if name in facts else set()


@pytest.mark.parametrize(("drug", "patient"), EVERY_PATIENT)
def test_an_answer_that_is_said_to_settle_a_finding_does_settle_it(drug, patient):
    """Each way out that names codes alone is put to the service as the answer it is."""
    complete = scenario_file(drug)["patients"][patient]
    vocabulary = shipped().vocabulary
    tried = 0
    for fact in complete["facts"]:
        if fact not in shipped().packs[drug].facts_read:
            continue
        for finding in asked(patient, drug, without=[fact])["findings"]:
            for way in finding["would_pass_when"]:
                answers = dict(each.partition(" is ")[::2] for each in way)
                if any(
                    name not in vocabulary or each not in vocabulary[name].values
                    for name, each in answers.items()
                ):
                    continue
                at = complete["infusion_at"]
                given = {
                    name: {"value": each, "at": at} if vocabulary[name].result else each
                    for name, each in answers.items()
                }
                without = [] if fact in given else [fact]
                after = asked(patient, drug, without=without, **given)
                assert finding["rule"] not in {each["rule"] for each in after["findings"]}, (fact, way)
                tried += 1
    assert tried >= 2


# From which day.


def test_a_live_vaccine_lifts_28_days_after_it():
    result = asked(vaccinations=[{"kind": "live", "on": "2026-09-20"}])
    finding = the(result, "vaccination")
    assert (finding["kind"], finding["eligible_from"]) == ("defer", "2026-10-18")
    assert result["eligible_from"] == "2026-10-18"


def test_of_two_vaccines_the_later_one_counts():
    vaccines = [{"kind": "live", "on": "2026-09-20"}, {"kind": "live", "on": "2026-09-25"}]
    assert the(asked(vaccinations=vaccines), "vaccination")["eligible_from"] == "2026-10-23"


BIRTHDAYS = [("2008-10-07", "2026-10-07"), ("2012-02-29", "2030-03-01"), ("2010-02-28", "2028-02-28")]


@pytest.mark.parametrize(("born", "eligible"), BIRTHDAYS)
def test_an_age_lifts_on_the_birthday_and_29_february_on_1_march(born, eligible):
    assert the(asked(birth_date=born), "age")["eligible_from"] == eligible


def test_a_dose_that_is_early_lifts_on_the_first_day_of_its_tolerance():
    result = asked(THIRD, first_dose_on="2026-06-01", last_dose_on="2026-06-15")
    # Due on 1 December, six months after the first dose, give or take 14 days.
    assert the(result, "schedule")["eligible_from"] == "2026-11-17"


def test_a_dose_that_is_late_is_never_lifted_by_waiting():
    assert (
        the(asked(THIRD, first_dose_on="2026-02-01", last_dose_on="2026-02-15"), "schedule")["eligible_from"]
        is None
    )


def test_of_several_findings_that_time_lifts_the_result_names_the_day_when_none_remains():
    result = asked(birth_date="2008-11-01", vaccinations=[{"kind": "live", "on": "2026-09-20"}])
    assert the(result, "age")["eligible_from"] == "2026-11-01"
    assert the(result, "vaccination")["eligible_from"] == "2026-10-18"
    assert result["eligible_from"] == "2026-11-01"


def test_time_alone_lifts_no_infection_and_no_missing_result():
    result = asked(active_infection="localised", without=["hbsag"])
    assert {each["eligible_from"] for each in result["findings"]} == {None}
    assert result["eligible_from"] is None


@pytest.mark.parametrize("born", ["2008-10-07", "2012-02-29", "2009-01-31"])
def test_on_the_day_named_the_finding_is_gone_and_on_the_day_before_it_is_not(born):
    day = date.fromisoformat(asked(birth_date=born)["eligible_from"])
    for offset, expected in ((-1, "block"), (0, "pass")):
        infusion_at = f"{date.fromordinal(day.toordinal() + offset)}T13:00:00-05:00"
        request = request_for(INEBILIZUMAB, FIRST, with_={"birth_date": born}, infusion_at=infusion_at)
        (age,) = [each for each in result_for(request)["findings"] if each["check"] == "age"]
        assert age["status"] == expected
