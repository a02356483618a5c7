"""Each operator as a table: the values of which it holds, its boundary, the unknown, and its opposite.

Every line is decided by the rules engine and by the trace, which must agree, for the operator and for its
negation alike.
"""

from decimal import Decimal

import pytest

from service.checklist.measures import SCALE
from service.checklist.operators import OPERATORS, OPPOSITE
from tests.builders import loaded, measured, pack_of, verdicts

POSITIVE_NEGATIVE = {"positive": "yes", "negative": "no", "indeterminate": "no"}
SOMETHING = {"none": "no", "suspected": "no", "localised": "yes", "serious": "yes", "resolved": "no"}


def flipped(table):
    return {value: "no" if truth == "yes" else "yes" for value, truth in table.items()}


# Subject, comparison, the fact's value -> the truth. A value that is not in a table is not claimed.
CODES = [
    ("hbsag", {"is": "positive"}, POSITIVE_NEGATIVE),
    ("hbsag", {"is_not": "positive"}, flipped(POSITIVE_NEGATIVE)),
    ("active_infection", {"is_one_of": ["localised", "serious"]}, SOMETHING),
    ("active_infection", {"is_none_of": ["localised", "serious"]}, flipped(SOMETHING)),
    ("active_infection", {"is_one_of": ["none"]}, {"none": "yes", "serious": "no"}),
    ("active_infection", {"is_none_of": ["none"]}, {"none": "no", "serious": "yes"}),
    ("platelet_transfusion_on", {"is": "never"}, {"never": "yes", "2026-11-30": "no"}),
    ("platelet_transfusion_on", {"is_not": "never"}, {"never": "no", "2026-11-30": "yes"}),
]
WHOLE = [
    ("dose_number", {"is": 3}, {2: "no", 3: "yes", 4: "no"}),
    ("dose_number", {"is_not": 3}, {2: "yes", 3: "no", 4: "yes"}),
    ("dose_number", {"above": 3}, {2: "no", 3: "no", 4: "yes"}),
    ("dose_number", {"at_least": 3}, {2: "no", 3: "yes", 4: "yes"}),
    ("dose_number", {"below": 3}, {2: "yes", 3: "no", 4: "no"}),
    ("dose_number", {"at_most": 3}, {2: "yes", 3: "yes", 4: "no"}),
    ("dose_number", {"between": [3, 5]}, {2: "no", 3: "yes", 4: "yes", 5: "yes", 6: "no"}),
    ("dose_number", {"outside": [3, 5]}, {2: "yes", 3: "no", 4: "no", 5: "no", 6: "yes"}),
    # As numbers, not as text, where "10" comes before "9"; and no two-digit number is one of one digit.
    ("dose_number", {"above": 9}, {1: "no", 9: "no", 10: "yes", 90: "yes", 999: "yes"}),
    ("dose_number", {"below": 10}, {9: "yes", 10: "no", 100: "no"}),
    ("nonhaematologic_toxicity_grade", {"above": 0}, {0: "no", 1: "yes"}),
]
AT_38 = {"37.999999": "no", "38": "yes", "38.0": "yes", "38.000001": "yes", "40": "yes"}
OVER_38 = {"37.999999": "no", "38": "no", "38.000000": "no", "38.000001": "yes", "40": "yes"}
DECIMAL = [
    ("temperature", {"at_least": "38.0 Cel"}, AT_38),
    ("temperature", {"below": "38.0 Cel"}, flipped(AT_38)),
    ("temperature", {"above": "38.0 Cel"}, OVER_38),
    ("temperature", {"at_most": "38.0 Cel"}, flipped(OVER_38)),
    ("temperature", {"is": "38.0 Cel"}, {"37.999999": "no", "38": "yes", "38.000001": "no"}),
    ("temperature", {"is_not": "38.0 Cel"}, {"37.999999": "yes", "38": "no", "38.000001": "yes"}),
    (
        "temperature",
        {"between": ["36.0 Cel", "38.0 Cel"]},
        {"35.9": "no", "36": "yes", "38": "yes", "38.1": "no"},
    ),
    (
        "temperature",
        {"outside": ["36.0 Cel", "38.0 Cel"]},
        {"35.9": "yes", "36": "no", "38": "no", "38.1": "yes"},
    ),
    # The limit in another accepted unit is the same limit.
    ("temperature", {"at_least": "100.4 [degF]"}, {"37.999999": "no", "38": "yes"}),
]
COUGH = {(): "no", ("cough",): "yes", ("fever", "cough"): "yes", ("fever",): "no"}
LISTS = [
    ("infection_signs", {"any": {}}, {(): "no", ("cough",): "yes"}),
    ("infection_signs", {"none": {}}, {(): "yes", ("cough",): "no"}),
    ("infection_signs", {"any": {"value": {"is": "cough"}}}, COUGH),
    ("infection_signs", {"none": {"value": {"is": "cough"}}}, flipped(COUGH)),
    (
        "infection_signs",
        {"any": {"value": {"is_none_of": ["cough"]}}},
        {("cough",): "no", ("fever", "cough"): "yes"},
    ),
]
KNOWN = [("hbsag", {"is_recorded": "yes"}, {"positive": "yes", "negative": "yes"})]
TABLES = [*CODES, *WHOLE, *DECIMAL, *LISTS, *KNOWN]
RULES = {
    name: {"warn_if": condition}
    for place, (subject, comparison, _) in enumerate(TABLES)
    for name, condition in (
        (f"r{place}", {subject: comparison}),
        (f"not-r{place}", {"not": {subject: comparison}}),
    )
}
LINES = [
    pytest.param(place, subject, value, truth, id=f"{subject} {comparison} of {value}")
    for place, (subject, comparison, table) in enumerate(TABLES)
    for value, truth in table.items()
]
OPPOSITE_TRUTH = {"yes": "no", "no": "yes", "unknown": "unknown"}


@pytest.fixture(scope="module")
def rules():
    pack = pack_of(RULES)
    with loaded(pack) as engine:
        yield pack, engine


def received(subject, value):
    if subject == "temperature":
        return {"value": Decimal(value), "unit": "Cel"}
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("place", "subject", "value", "truth"), LINES)
def test_an_operator_holds_exactly_where_its_table_says(rules, place, subject, value, truth):
    found = verdicts(*rules, {subject: received(subject, value)})
    assert found[f"r{place}"] == truth
    assert found[f"not-r{place}"] == OPPOSITE_TRUTH[truth]


@pytest.mark.parametrize("nothing", [{}, "unknown", None], ids=["absent", "the word unknown", "null"])
def test_of_an_unknown_value_every_operator_and_its_negation_are_unknown(rules, nothing):
    facts = {} if nothing == {} else {subject: nothing for subject, _, _ in TABLES}
    assert set(verdicts(*rules, facts).values()) == {"unknown"}


def test_every_operator_of_the_language_has_a_table():
    told = {key for _, comparison, _ in TABLES for key in comparison}
    alone = {name for name, each in OPERATORS.items() if each.takes not in ("entries", "nothing")}
    assert told == alone | {"any", "none", "is_recorded", "between", "outside"}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_an_operator_and_its_opposite_are_named_as_opposites(operator):
    opposites = {
        "eq": "neq",
        "neq": "eq",
        "in": "out",
        "out": "in",
        "gt": "lte",
        "lte": "gt",
        "gte": "lt",
        "lt": "gte",
    }
    assert opposites[operator.holds] == operator.fails
    assert operator.says != operator.negated
    if operator.holds in OPPOSITE:
        assert OPERATORS[OPPOSITE[operator.holds]].holds == operator.fails


def test_an_integer_is_compared_as_itself_and_a_decimal_as_a_whole_number_of_small_steps():
    pack = pack_of(
        {"r": {"warn_if": {"any": [{"dose_number": {"is": 3}}, {"temperature": {"is": "38.5 Cel"}}]}}}
    )
    _, values = measured(pack, {"dose_number": 3, "temperature": {"value": Decimal("38.5"), "unit": "Cel"}})
    assert values == [3, int(Decimal("38.5") * SCALE)]


def test_the_result_before_the_newest_is_compared_by_its_own_name():
    pack = pack_of({"r": {"warn_if": {"hbsag.previous": {"is": "negative"}}}})
    newest = {"value": "positive", "at": "2026-11-20"}
    with loaded(pack) as engine:
        before = {"value": "negative", "at": "2026-11-10"}
        assert verdicts(pack, engine, {"hbsag": [newest, before]}) == {"r": "yes"}
        assert verdicts(pack, engine, {"hbsag": [newest]}) == {"r": "unknown"}


SINCE = "2026-11-03"  # 28 days before the infusion
ENTRIES = [
    ([], "no"),
    ([{"kind": "live", "on": "2026-11-04"}], "yes"),
    ([{"kind": "live", "on": SINCE}], "no"),
    ([{"kind": "non_live", "on": "2026-11-04"}], "no"),
    ([{"kind": "live"}], "unknown"),
    ([{"kind": "live", "on": None}, {"kind": "live", "on": "2026-11-04"}], "yes"),
    # Both halves must be true of one and the same entry.
    ([{"kind": "live", "on": "2026-06-01"}, {"kind": "non_live", "on": "2026-11-30"}], "no"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("entries", "truth"), ENTRIES)
def test_an_entry_matches_only_where_one_and_the_same_entry_meets_every_test(entries, truth):
    recent = {
        "vaccinations": {"any": {"kind": {"is": "live"}, "on": {"days_before": "infusion", "below": 28}}}
    }
    pack = pack_of({"r": {"warn_if": recent}, "not-r": {"warn_if": {"not": recent}}})
    with loaded(pack) as engine:
        found = verdicts(pack, engine, {"vaccinations": entries})
    assert found == {"r": truth, "not-r": OPPOSITE_TRUTH[truth]}


MARGINS = [
    ({"value": 120, "ref_high": 40}, "no"),
    ({"value": Decimal("120.000001"), "ref_high": 40}, "yes"),
    ({"value": Decimal("119.999999"), "ref_high": 40}, "no"),
    ({"value": 500}, "unknown"),
]


@pytest.mark.parametrize(("result", "truth"), MARGINS)
def test_a_result_is_compared_with_the_limit_of_its_own_laboratory(result, truth):
    pack = pack_of({"r": {"warn_if": {"alt": {"above": {"times_upper_limit": 3}}}}})
    with loaded(pack) as engine:
        assert verdicts(pack, engine, {"alt": {**result, "unit": "U/L"}}) == {"r": truth}
