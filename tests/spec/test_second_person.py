"""Where a second person agrees with the first: the same value of the same day, in whatever unit and order."""

import pytest

from service.intake.errors import BadInput
from service.intake.second_person import RulesChanged, compared
from tests.builders import INFUSION_AT, shipped

VOCABULARY = shipped().vocabulary


def anc(value, at="2026-11-30", unit="10*9/L", **more):
    return {"anc": {"value": value, "unit": unit, "at": at, **more}}


def igg(value, **more):
    return {"igg": {"value": value, "unit": "g/L", "at": "2026-11-30", **more}}


def vaccines(*codes):
    return {"vaccinations": [{"cvx": code, "on": "2026-09-01"} for code in codes]}


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        (anc(4), anc(4), True),
        (anc(4), anc(4000, unit="/uL"), True),
        (anc(4), anc(4, at="2026-11-30T08:00:00-05:00", source="Observation/1"), True),
        (anc(4), anc(4, at="2026-12-01T01:00:00Z"), True),
        (anc(4), anc(4.1), False),
        (anc(4), anc(4, at="2026-11-29"), False),
        (anc(4), anc(4, at=None), False),
        (anc(4), anc(4, status="preliminary"), False),
        (igg(8, ref_low=6), igg(8, ref_low=6), True),
        (igg(8, ref_low=6), igg(8, ref_low=7), False),
        ({"anc": [anc(2, at="2026-11-01")["anc"], anc(4)["anc"]]}, anc(4), True),
        (vaccines("187", "140"), vaccines("140", "187"), True),
        (vaccines("187", "187"), vaccines("187"), False),
        (vaccines(), vaccines(), True),
        (
            {"ordered_dose": {"value": 1, "unit": "mg"}},
            {"ordered_dose": {"value": 1, "unit": "mg/m2"}},
            False,
        ),
        ({"dose_number": None}, {"dose_number": "unknown"}, False),
        ({}, {"dose_number": None}, False),
        ({}, {"dose_number": 1}, False),
    ],
)
def test_the_same_agrees_and_unknown_agrees_with_nothing(first, second, agree):
    [found] = compared(list(second), first, second, INFUSION_AT, VOCABULARY)
    assert found.agrees is agree


def test_both_values_are_shown_in_the_unit_of_the_rules_and_what_is_unknown_is_none():
    second = {**anc(4100, unit="/uL"), "dose_number": "unknown"}
    found = compared(list(second), {"dose_number": 2}, second, INFUSION_AT, VOCABULARY)
    assert [(each.fact, each.first, each.second) for each in found] == [
        ("anc", None, {"value": 4.1, "unit": "10*9/L", "at": "2026-11-30"}),
        ("dose_number", {"value": 2}, None),
    ]


def test_a_bad_value_of_the_second_is_refused_and_one_of_the_first_says_that_the_rules_changed():
    with pytest.raises(BadInput) as refused:
        compared(["anc"], {}, anc("4"), INFUSION_AT, VOCABULARY)
    assert [each.path for each in refused.value.errors] == ["facts.anc"]
    with pytest.raises(RulesChanged):
        compared(["anc"], anc("4"), anc(4), INFUSION_AT, VOCABULARY)
    with pytest.raises(BadInput):
        compared(["anc"], {}, None, INFUSION_AT, VOCABULARY)
