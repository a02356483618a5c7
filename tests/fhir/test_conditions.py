"""Conditions, procedures and planned ones: what they say, and when they say nothing."""

import pytest

from tests.builders import checklist_for
from tests.fhir.builders import AT, SNOMED, concept, condition, lines_about, observation, read, request

TB, HSCT = "A15.0", "234336002"


def tb(**more):
    return read(condition(**more)).facts.get("tb_active")


def planned(**more):
    return {
        "resourceType": "ServiceRequest",
        "id": "1",
        "status": "active",
        "code": concept(HSCT, SNOMED),
        **more,
    }


def done(code=HSCT, **more):
    return {
        "resourceType": "Procedure",
        "id": "1",
        "status": "completed",
        "code": concept(code, SNOMED),
        **more,
    }


@pytest.mark.parametrize("clinical", ["active", "recurrence", "relapse"])
@pytest.mark.parametrize("verified", ["confirmed", None])
def test_an_active_condition_says_yes_and_names_its_resource(clinical, verified):
    fact = tb(clinical=clinical, verified=verified)
    assert (fact["value"], fact["source"]) == ("yes", "Condition/1")
    finding = next(
        each
        for each in checklist_for(request(condition(clinical=clinical))).findings
        if each.check == "tuberculosis" and each.because
    )
    assert [(each.fact, each.value, each.source) for each in finding.because] == [
        ("tb_active", "yes", "Condition/1")
    ]


@pytest.mark.parametrize("clinical", ["resolved", "inactive", "remission"])
def test_a_condition_that_is_over_says_neither_yes_nor_no(clinical):
    assert tb(clinical=clinical) is None
    line = lines_about(read(condition(clinical=clinical)), "Condition/1")[0]
    assert (line.says, line.understood) == (f"a condition: {clinical}", True)


@pytest.mark.parametrize("verified", ["refuted", "entered-in-error"])
def test_a_condition_that_is_confirmed_and_is_not_so_at_once_is_unknown(verified):
    both = {"coding": [{"system": "http://x", "code": each} for each in ("confirmed", verified)]}
    fact = tb(verified=None, verificationStatus=both)
    assert (
        fact["unreadable"] == f"a condition: {' and '.join(sorted(('confirmed', verified)))}, not confirmed"
    )


@pytest.mark.parametrize("verified", ["refuted", "entered-in-error"])
def test_a_condition_that_is_not_so_says_nothing(verified):
    assert tb(verified=verified) is None
    assert lines_about(read(condition(verified=verified)), "Condition/1")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"verified": "unconfirmed"}, "a condition: unconfirmed, not confirmed"),
        ({"verified": "provisional"}, "a condition: provisional, not confirmed"),
        ({"verified": "differential"}, "a condition: differential, not confirmed"),
        ({"verified": "hm"}, "a condition: hm, not confirmed"),
        ({"clinical": None}, "a condition: clinical status missing"),
        ({"clinical": "hm"}, "a condition: clinical status hm"),
        ({"abatementDateTime": "2026-01-01"}, "a condition: active, but with an end"),
        ({"abatementString": "last winter"}, "a condition: active, but with an end"),
        ({"abatementBoolean": True}, "a condition: active, but with an end"),
        ({"modifierExtension": [{"url": "https://x.example/no"}]},
         "a condition: changed by an extension that is not known here"),
    ],
)  # fmt: skip
def test_a_condition_that_is_not_sure_is_unknown_and_the_nurse_is_told(more, words):
    fact = tb(**more)
    assert (fact["value"], fact["unreadable"]) == (None, words)
    unknown = checklist_for(request(condition(**more))).trace.case.evidence("tb_active").unknown
    assert unknown.detail == f"cannot be read: {words} (Condition/1)"


@pytest.mark.parametrize(
    "text",
    [
        "No evidence of tuberculosis",
        "Tuberculosis ruled out",
        "rule out TB",
        "Family history of tuberculosis",
        "Negative for TB",
        "suspected TB",
        "does not have TB",
    ],
)
def test_a_condition_that_its_words_negate_is_not_believed(text):
    fact = tb(code=concept(TB, "http://hl7.org/fhir/sid/icd-10-cm", text=text))
    assert fact["value"] is None
    assert fact["unreadable"].endswith("worded as negated or uncertain")


@pytest.mark.parametrize("text", ["Tuberculosis of lung without cavities", "TB, not otherwise specified"])
def test_the_name_of_a_code_may_have_a_without_in_it(text):
    fact = tb(code=concept(TB, "http://hl7.org/fhir/sid/icd-10-cm", display=text, text=text))
    assert fact["value"] == "yes"


def test_an_end_to_come_is_no_end_and_a_beginning_to_come_is_none():
    assert tb(abatementDateTime="2027-01-01")["value"] == "yes"
    assert tb(onsetDateTime="2027-01-01") is None


def test_a_code_of_another_system_says_nothing():
    assert tb(code=concept(TB, "http://hl7.org/fhir/sid/icd-9-cm")) is None
    assert tb(code={"text": "Tuberculosis"}) is None


def test_no_condition_is_no_answer():
    assert "tb_active" not in read().facts


def test_two_conditions_that_say_different_things_of_one_fact_leave_it_unknown():
    pregnant = condition("1", "Z33.1")
    not_pregnant = {"valueCodeableConcept": concept("60001007", SNOMED)}
    fact = read(pregnant, observation("2", "82810-3", at="2026-12-01", **not_pregnant)).facts["pregnant"]
    assert (fact["value"], fact["unreadable"]) == (None, "Condition/1 says yes; Observation/2 says no")


def test_a_yes_counts_beside_one_that_is_not_sure():
    fact = read(condition("1"), condition("2", verified="provisional")).facts["tb_active"]
    assert (fact["value"], fact["source"]) == ("yes", "Condition/1")


# Procedures


def test_a_procedure_that_was_done_says_so():
    fact = read(done(performedDateTime="2020-02-01")).facts["hsct_history"]
    assert (fact["value"], fact["at"], fact["source"]) == ("yes", "2020-02-01", "Procedure/1")


@pytest.mark.parametrize("status", ["not-done", "preparation"])
def test_a_procedure_that_was_not_done_says_nothing(status):
    assert "hsct_history" not in read(done(status=status)).facts


@pytest.mark.parametrize("status", ["in-progress", "stopped", "on-hold", "unknown", None])
def test_a_procedure_that_may_have_been_done_is_unknown(status):
    assert read(done(status=status)).facts["hsct_history"]["value"] is None


def test_an_order_for_a_procedure_is_a_plan_and_a_procedure_is_none():
    facts = read(planned()).facts
    assert facts["hsct_planned"]["value"] == "yes"
    assert "hsct_history" not in facts
    assert "hsct_planned" not in read(done()).facts


@pytest.mark.parametrize("more", [{"status": "revoked"}, {"status": "completed"}, {"doNotPerform": True}])
def test_what_is_not_to_be_done_is_no_plan(more):
    assert "hsct_planned" not in read(planned(**more)).facts


@pytest.mark.parametrize("status", ["draft", "on-hold", "unknown", None])
def test_a_plan_that_is_not_sure_is_unknown(status):
    assert read(planned(status=status)).facts["hsct_planned"]["value"] is None


def transfused(id, **more):
    return {**done("12719002"), "id": id, **more}


def test_the_last_of_several_dates_counts():
    first = transfused("1", performedDateTime="2026-11-20")
    last = transfused("2", performedPeriod={"start": "2026-11-27T08:00:00Z", "end": "2026-11-27T09:00:00Z"})
    for several in ((first, last), (last, first)):
        fact = read(*several).facts["platelet_transfusion_on"]
        assert (fact["value"], fact["source"]) == ("2026-11-27", "Procedure/2")


def test_a_date_of_a_month_may_be_the_last_one_and_leaves_the_fact_unknown():
    first = transfused("1", performedDateTime="2026-10-20")
    for written, on in (("2026-11", None), ("2026", None), ("2026-09", "2026-10-20")):
        facts = read(first, transfused("2", performedDateTime=written)).facts
        assert facts["platelet_transfusion_on"]["value"] == on


def test_what_comes_after_the_infusion_has_not_happened():
    assert AT.date().isoformat() == "2026-12-01"
    assert "platelet_transfusion_on" not in read(transfused("1", performedDateTime="2026-12-02")).facts
