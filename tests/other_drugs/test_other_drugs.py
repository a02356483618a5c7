"""Eight other drugs, in rule files alone: the language says what they need, right up to their limits.

Every answer is checked against the oracle too.
"""

from pathlib import Path

import pytest

from service.intake.requests import answer, read_request
from service.knowledge.library import load_library
from tests.oracle import verdicts

RULES = Path(__file__).parent / "rules"
LIBRARY = load_library(root=RULES)
INFUSION = "2026-12-01T09:00:00-05:00"


def kind_and_status(drug, facts):
    """Status and kind of the worst finding of the one check."""
    request = {"drug": drug, "infusion_at": INFUSION, "patient": {"id": "P-1"}, "facts": facts}
    checklist = answer(read_request(request, LIBRARY), LIBRARY)
    assert checklist.trace.fault is None
    trace = {"FALSE": "ruled_out", "UNKNOWN": "undecided", "TRUE": "holds"}
    said = {rule: trace[truth.name] for rule, truth in checklist.trace.verdicts.items()}
    assert said == verdicts(request, drug, rules=RULES)
    finding = checklist.findings[0]
    return f"{finding.status.word} {finding.kind.value}"


def kg(value, on="2026-12-01"):
    return {"weight": {"value": value, "unit": "kg", "at": on}}


def mg(value):
    return {"ordered_dose": {"value": value, "unit": "mg"}}


def test_the_rules_of_other_drugs_are_data_alone():
    assert {path.suffix for path in RULES.rglob("*") if path.is_file()} == {".yaml", ".csv"}


# ---- pegloticase: serum urate within 48 hours, and above 6 mg/dL on two consecutive tests


def urate(*results):
    units = ({"value": value, "unit": "mg/dL", "at": at} for value, at in results)
    return {"dose_number": 3, "serum_urate": list(units)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (urate((6, "2026-11-30"), (6.1, "2026-11-16")), "pass ok"),
        (urate((6.1, "2026-11-30"), (6, "2026-11-16")), "warn caution"),
        (urate((6.1, "2026-11-30"), (6.01, "2026-11-16")), "block contraindication"),
        (urate((6.1, "2026-11-30"), (5, "2026-11-23"), (7, "2026-11-16")), "warn caution"),
        (urate((6.1, "2026-11-30")), "warn caution"),
        (urate((5, "2026-11-29T09:00:00-05:00")), "pass ok"),
        (urate((5, "2026-11-29T08:59:00-05:00")), "block stale"),
        (urate((5, "2026-11-29T15:00:00+01:00")), "pass ok"),
        (urate((5, "2026-11-30")), "pass ok"),
        (urate((5, "2026-11-29")), "block stale"),
        (urate((7, "2026-11-20"), (7, "2026-11-13")), "block contraindication"),
        ({"dose_number": 3}, "block missing"),
        ({"dose_number": 1}, "pass not_applicable"),
        (
            {"dose_number": 2, "serum_urate": {"value": 356.88, "unit": "umol/L", "at": "2026-11-30"}},
            "pass ok",
        ),
    ],
)
def test_pegloticase_stops_after_two_high_urates_and_asks_for_one_within_48_hours(facts, expected):
    assert kind_and_status("pegloticase", facts) == expected


# ---- trastuzumab: fallen by 16 points, or below normal and fallen by 10


def hearts(before, now, normal=50):
    limit = {} if normal is None else {"ref_low": normal}
    return {
        "baseline_lvef": {"value": before, "unit": "%", "at": "2026-01-10"},
        "lvef": {"value": now, "unit": "%", "at": "2026-11-20", **limit},
    }


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (hearts(70, 54.1), "pass ok"),
        (hearts(70, 54), "block contraindication"),
        (hearts(59, 49.1), "pass ok"),
        (hearts(59, 49), "block contraindication"),
        (hearts(60, 50), "pass ok"),
        (hearts(60, 49.9), "block contraindication"),
        (hearts(70, 54, normal=None), "block contraindication"),
        (hearts(60, 49, normal=None), "block missing"),
        (hearts(60, 51, normal=None), "pass ok"),
        ({"lvef": hearts(60, 60)["lvef"]}, "block missing"),
    ],
)
def test_trastuzumab_is_withheld_when_the_ejection_fraction_has_fallen(facts, expected):
    assert kind_and_status("trastuzumab", facts) == expected


# ---- tocilizumab: 12 mg for each kilogram of today's weight, within 10 percent


@pytest.mark.parametrize(
    ("weight", "ordered", "expected"),
    [
        (kg(20), 240, "pass ok"),
        (kg(20), 264, "pass ok"),
        (kg(20), 264.1, "block dose"),
        (kg(20), 216, "pass ok"),
        (kg(20), 215.9, "block dose"),
        (kg(29.9), 358.8, "pass ok"),
        (kg(30), 360, "block dose"),
        (kg(30), 240, "pass ok"),
        (kg(20, "2026-11-30"), 240, "block stale"),
        (kg(20, "2026-11-30"), 300, "block dose"),
        ({}, 240, "block missing"),
        ({"weight": {"value": 44.092452, "unit": "[lb_av]", "at": "2026-12-01"}}, 240, "pass ok"),
    ],
)
def test_tocilizumab_is_dosed_by_the_weight_of_the_day(weight, ordered, expected):
    assert kind_and_status("tocilizumab", {"indication": "sjia", **weight, **mg(ordered)}) == expected


# ---- ravulizumab: the weight band chooses the loading dose


@pytest.mark.parametrize(
    ("weight", "ordered", "expected"),
    [
        (39.9, 2400, "pass not_applicable"),
        (40, 2400, "pass ok"),
        (59.9, 2400, "pass ok"),
        (60, 2400, "block dose"),
        (60, 2700, "pass ok"),
        (99.9, 2700, "pass ok"),
        (99.9, 3000, "block dose"),
        (100, 2700, "block dose"),
        (100, 3000, "pass ok"),
        (100, 3000.1, "block dose"),
    ],
)
def test_ravulizumab_is_loaded_by_weight_band(weight, ordered, expected):
    assert kind_and_status("ravulizumab", {"dose_number": 1, **kg(weight), **mg(ordered)}) == expected


def test_ravulizumab_without_a_weight_is_held():
    assert kind_and_status("ravulizumab", {"dose_number": 1, **mg(2700)}) == "block missing"


# ---- eculizumab: both meningococcal families 14 days ago, or an antibiotic


def vaccines(*given):
    return {"dose_number": 1, "vaccinations": [{"cvx": code, "on": on} for code, on in given]}


IN_TIME, TOO_LATE = "2026-11-17", "2026-11-18"
BRIDGE = {"anti_infectives": [{"drug": "penicillin V", "purpose": "prophylaxis"}]}
NO_BRIDGE = {"anti_infectives": []}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (vaccines(("114", IN_TIME), ("162", IN_TIME)) | NO_BRIDGE, "pass ok"),
        (vaccines(("203", IN_TIME), ("163", TOO_LATE)) | NO_BRIDGE, "block contraindication"),
        (vaccines(("136", TOO_LATE), ("163", IN_TIME)) | NO_BRIDGE, "block contraindication"),
        (vaccines(("316", IN_TIME)) | NO_BRIDGE, "pass ok"),
        (vaccines(("328", TOO_LATE)) | NO_BRIDGE, "block contraindication"),
        (vaccines(("114", IN_TIME)) | NO_BRIDGE, "block contraindication"),
        (vaccines(("114", IN_TIME), ("164", IN_TIME)) | NO_BRIDGE, "block contraindication"),
        (vaccines() | BRIDGE, "pass ok"),
        (vaccines(("316", TOO_LATE)) | BRIDGE, "pass ok"),
        (vaccines(), "block missing"),
        ({"dose_number": 1} | NO_BRIDGE, "block missing"),
        ({"dose_number": 1} | BRIDGE, "pass ok"),
        (
            {"dose_number": 1, "vaccinations": [{"kind": "non_live", "on": IN_TIME}]} | NO_BRIDGE,
            "block missing",
        ),
        ({"dose_number": 1, "vaccinations": [{"cvx": "316"}]} | NO_BRIDGE, "block missing"),
        ({"dose_number": 2}, "pass not_applicable"),
    ],
)
def test_eculizumab_waits_for_both_meningococcal_vaccines_or_an_antibiotic(facts, expected):
    assert kind_and_status("eculizumab", facts) == expected


# ---- daratumumab: premedication 1 to 3 hours before, 15 minutes of tolerance


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-12-01T05:44:00-05:00", "block premedication"),
        ("2026-12-01T05:45:00-05:00", "pass ok"),
        ("2026-12-01T07:00:00-05:00", "pass ok"),
        ("2026-12-01T08:15:00-05:00", "pass ok"),
        ("2026-12-01T08:16:00-05:00", "block premedication"),
        ("2026-12-01", "block missing"),
    ],
)
def test_daratumumab_is_premedicated_one_to_three_hours_before(at, expected):
    others = [{"class": name, "at": "2026-12-01T07:00:00-05:00"} for name in ("antihistamine", "antipyretic")]
    facts = {"premedications": [{"class": "corticosteroid", "at": at}, *others]}
    assert kind_and_status("daratumumab", facts) == expected


# ---- ferumoxytol: a reaction to any intravenous iron


@pytest.mark.parametrize(
    ("substance", "expected"),
    [
        ("FERAHEME", "block contraindication"),
        ("iron sucrose", "block contraindication"),
        (" Ferric Carboxymaltose ", "block contraindication"),
        ("iron", "pass ok"),
        ("penicillin", "pass ok"),
    ],
)
def test_ferumoxytol_is_not_given_after_a_reaction_to_any_intravenous_iron(substance, expected):
    facts = {"reactions": [{"substance": "latex"}, {"substance": substance, "severity": "mild"}]}
    assert kind_and_status("ferumoxytol", facts) == expected


def test_ferumoxytol_asks_for_reactions_that_nobody_recorded():
    assert kind_and_status("ferumoxytol", {}) == "block missing"
    assert kind_and_status("ferumoxytol", {"reactions": []}) == "pass ok"


# ---- rituximab: HBsAg anew after a gap longer than the site allows


def after_a_gap(last_dose, screened, value="negative"):
    return {
        "dose_number": 5,
        "last_dose_on": last_dose,
        "hbsag": [{"value": value, "at": screened}, {"value": "negative", "at": "2020-01-01"}],
    }


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (after_a_gap("2025-12-01", "2021-05-05"), "pass not_applicable"),
        (after_a_gap("2025-11-30", "2021-05-05"), "block missing"),
        (after_a_gap("2025-11-30", "2025-11-30"), "block missing"),
        (after_a_gap("2025-11-30", "2025-12-01"), "pass ok"),
        (after_a_gap("2025-11-30", "2025-12-01", "indeterminate"), "block missing"),
        ({"dose_number": 5, "last_dose_on": "2025-11-30"}, "block missing"),
        ({"dose_number": 5, "last_dose_on": "2025-11-30", "hbsag": "negative"}, "block missing"),
        ({"dose_number": 5}, "block missing"),
        ({"dose_number": 1}, "pass not_applicable"),
    ],
)
def test_rituximab_is_screened_again_after_a_long_gap(facts, expected):
    assert kind_and_status("rituximab", facts) == expected
