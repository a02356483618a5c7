"""The hand evaluator against cases worked out on paper."""

import pytest

from tests.by_hand import DRUGS, SHIPPED_POLICY, check

NEGATIVE = {"value": "negative", "at": "2026-11-20"}

PREMEDICATION = [
    {"class": "corticosteroid", "at": "2026-12-01T08:30:00-05:00"},
    {"class": "antihistamine", "at": "2026-12-01T08:15:00-05:00"},
    {"class": "antipyretic", "at": "2026-12-01T08:00:00-05:00"},
]

WOMAN = {
    "birth_date": "1984-03-02",
    "sex": "female",
    "pregnancy_potential": "yes",
    "pregnant": "no",
    "pregnancy_test": {"value": "negative", "at": "2026-11-30"},
    "breastfeeding": "no",
    "contraception": "effective",
    "active_infection": "none",
    "infection_signs": [],
    "anti_infectives": [],
    "reactions": [],
    "vaccinations": [],
    "route": "iv_infusion",
    "premedications": PREMEDICATION,
    "scheduled_on": "2026-12-01",
}

INEBILIZUMAB = WOMAN | {
    "indication": "nmosd",
    "aqp4_igg": "positive",
    "dose_number": 1,
    "ordered_dose": {"value": 300, "unit": "mg"},
    "hbsag": NEGATIVE,
    "anti_hbc_total": NEGATIVE,
    "hcv_rna": NEGATIVE,
    "tb_test": NEGATIVE,
    "tb_active": "no",
    "latent_tb_treatment": "not_needed",
    "tb_risk_factors": "no",
    "immunosuppressants": [],
    "immunodeficiency": "none",
    "pml_history": "no",
    "pml_signs": "no",
    "active_malignancy": "no",
    "anc": {"value": 3, "unit": "10*9/L", "at": "2026-11-30"},
    "igg": {"value": 8, "unit": "g/L", "ref_low": 7, "at": "2026-11-30"},
}

IBALIZUMAB = WOMAN | {
    "indication": "mdr_hiv1",
    "antiretrovirals": [{"drug": "dolutegravir"}],
    "dose_number": 5,
    "first_dose_on": "2026-10-06",
    "last_dose_on": "2026-11-17",
    "ordered_dose": {"value": 800, "unit": "mg"},
    "infusion_minutes": 15,
}

INOTUZUMAB = WOMAN | {
    "indication": "bcp_all",
    "cd22": "positive",
    "dose_number": 4,
    "cycle": 2,
    "cycle_day": 1,
    "remission": "not_achieved",
    "first_dose_on": "2026-11-03",
    "last_dose_on": "2026-11-17",
    "height": {"value": 160, "unit": "cm", "at": "2026-11-25"},
    "weight": [
        {"value": 80, "unit": "kg", "at": "2026-11-20"},
        {"value": 80, "unit": "kg", "at": "2026-11-30"},
    ],
    "ordered_dose": {"value": 0.8, "unit": "mg/m2"},
    "infusion_minutes": 60,
    "last_reduced_dose": "never",
    "hsct_planned": "no",
    "hsct_history": "no",
    "vod_history": "none",
    "liver_disease": "none",
    "alt": {"value": 40, "unit": "U/L", "ref_high": 40, "at": "2026-11-30"},
    "ast": {"value": 40, "unit": "U/L", "ref_high": 40, "at": "2026-11-30"},
    "bilirubin_total": {"value": 0.6, "unit": "mg/dL", "ref_high": 1.0, "at": "2026-11-30"},
    "gilbert_or_haemolysis": "no",
    "counts_low_due_to_disease": "no",
    "platelet_transfusion_on": "never",
    "anc": {"value": 1, "unit": "10*9/L", "at": "2026-11-30"},
    "platelets": {"value": 50, "unit": "10*9/L", "at": "2026-11-30"},
    "baseline_anc": {"value": 1, "unit": "10*9/L"},
    "baseline_platelets": {"value": 50, "unit": "10*9/L"},
    "nonhaematologic_toxicity_grade": 1,
    "ecg_on": "2026-11-03",
    "electrolytes_on": "2026-11-28",
    "qt_risk": "no",
    "qt_prolonging_drugs": [],
}

CLEAR = {"inebilizumab": INEBILIZUMAB, "ibalizumab": IBALIZUMAB, "inotuzumab_ozogamicin": INOTUZUMAB}
INEB, IBA, INO = CLEAR

LATER = {"dose_number": 4, "first_dose_on": "2025-06-01", "last_dose_on": "2026-06-01"}


def status(drug, name, changes, region="US", policy=None):
    request = {
        "drug": drug,
        "region": region,
        "infusion_at": "2026-12-01T09:00:00-05:00",
        "patient": {"id": "P-1"},
        "facts": CLEAR[drug] | changes,
    }
    return check(request, policy)[name]


def given(kind, on):
    return {"vaccinations": [{"kind": kind, "on": on}]}


def premedicated(minutes_before, which=0):
    entries = [dict(entry) for entry in PREMEDICATION]
    entries[which]["at"] = (
        f"2026-12-01T{(540 - minutes_before) // 60:02}:{(540 - minutes_before) % 60:02}:00-05:00"
    )
    return {"premedications": entries}


def blood(name, value, **more):
    return {name: {"value": value, "unit": "10*9/L", "at": "2026-11-30"} | more}


def reaction(substance, severity=None, kind=None):
    return {"reactions": [{"substance": substance, "severity": severity, "type": kind}]}


CASES = [
    # inebilizumab: vaccines 27, 28 and 29 days before the first dose
    (INEB, "vaccination", given("live", "2026-11-04"), "block"),
    (INEB, "vaccination", given("live", "2026-11-03"), "pass"),
    (INEB, "vaccination", given("live", "2026-11-02"), "pass"),
    (INEB, "vaccination", given("non_live", "2026-11-04"), "warn"),
    (INEB, "vaccination", {"vaccinations": [{"cvx": "21", "status": "planned", "on": "2027-01-10"}]}, "warn"),
    (INEB, "vaccination", {"vaccinations": [{"cvx": "36", "on": "2026-11-30"}]}, "pass"),
    (INEB, "vaccination", LATER | given("live", "2025-06-01"), "warn"),
    (INEB, "vaccination", LATER | given("live", "2025-05-31"), "pass"),
    # inebilizumab: screening, its age and what outweighs it
    (INEB, "hepatitis_b", {"hbsag": {"value": "negative", "at": "2025-12-01"}}, "pass"),
    (INEB, "hepatitis_b", {"hbsag": {"value": "negative", "at": "2025-11-30"}}, "block"),
    (INEB, "hepatitis_b", {"hbsag": {"value": "positive", "at": "2001-11-30"}}, "block"),
    (INEB, "hepatitis_b", {"anti_hbc_total": "positive", "hepatology_clearance": "yes"}, "warn"),
    (INEB, "hepatitis_b", {"anti_hbc_total": "positive"}, "block"),
    (INEB, "hepatitis_b", LATER | {"hbsag": None}, "block"),
    (INEB, "hepatitis_b", LATER | {"anti_hbc_total": "unknown"}, "warn"),
    (INEB, "hepatitis_b", {"dose_number": None, "anti_hbc_total": None}, "block"),
    (INEB, "hepatitis_b", {"hbsag": [NEGATIVE, NEGATIVE | {"value": "positive"}]}, "block"),
    (INEB, "hepatitis_b", {"hbsag": [NEGATIVE, {"value": "positive", "at": "2026-11-19"}]}, "pass"),
    (INEB, "tuberculosis", {"tb_test": "positive", "latent_tb_treatment": "completed"}, "pass"),
    (INEB, "tuberculosis", {"tb_test": "positive", "latent_tb_treatment": "not_needed"}, "block"),
    (INEB, "tuberculosis", {"tb_risk_factors": None}, "warn"),
    (
        INEB,
        "immunoglobulins",
        {"igg": {"value": 699, "unit": "mg/dL", "ref_low": 700, "at": "2026-11-30"}},
        "warn",
    ),
    (INEB, "immunoglobulins", {"igg": {"value": 8, "unit": "g/L", "at": "2026-11-30"}}, "warn"),
    # inebilizumab: premedication, 15 minutes of tolerance around 30 and around 30 to 60
    (INEB, "premedication", premedicated(15), "pass"),
    (INEB, "premedication", premedicated(14), "warn"),
    (INEB, "premedication", premedicated(46), "warn"),
    (INEB, "premedication", premedicated(75, which=1), "pass"),
    (INEB, "premedication", premedicated(76, which=1), "warn"),
    (INEB, "premedication", premedicated(-1), "block"),
    (INEB, "premedication", {"premedications": []}, "block"),
    (INEB, "age", {"birth_date": "2008-12-01"}, "pass"),
    (INEB, "age", {"birth_date": "2008-12-02"}, "block"),
    (INEB, "dose", {"ordered_dose": {"value": 0.301, "unit": "g"}}, "block"),
    (INEB, "schedule", LATER | {"last_dose_on": "2026-05-17"}, "pass"),
    (INEB, "schedule", LATER | {"last_dose_on": "2026-05-16"}, "warn"),
    (INEB, "infusion_reaction", reaction("UPLIZNA"), "block"),
    (INEB, "infusion_reaction", reaction("uplizna", "severe", "infusion_reaction"), "warn"),
    (INEB, "hypersensitivity", reaction("Polysorbate 80", "mild", "hypersensitivity"), "warn"),
    # ibalizumab: two days late, three days late; the route
    (IBA, "dose", {"scheduled_on": "2026-11-29"}, "pass"),
    (IBA, "dose", {"scheduled_on": "2026-11-28"}, "block"),
    (IBA, "dose", {"scheduled_on": "2026-11-28", "ordered_dose": {"value": 2, "unit": "g"}}, "pass"),
    (IBA, "dose", {"scheduled_on": None, "last_dose_on": None}, "block"),
    (IBA, "route", {"infusion_minutes": 14}, "warn"),
    (IBA, "route", {"route": "iv_push", "infusion_minutes": None}, "pass"),
    (IBA, "lactation", {"sex": "male", "breastfeeding": None}, "pass"),
    (IBA, "antiretroviral_regimen", {"antiretrovirals": [{"drug": "Trogarzo"}]}, "warn"),
    # inotuzumab: limits exactly at and just over; what a gate does not ask
    (INO, "liver", {"alt": {"value": 100, "unit": "U/L", "ref_high": 40, "at": "2026-11-28"}}, "pass"),
    (INO, "liver", {"alt": {"value": 101, "unit": "U/L", "ref_high": 40, "at": "2026-11-28"}}, "block"),
    (INO, "liver", {"alt": {"value": 40, "unit": "U/L", "ref_high": 40, "at": "2026-11-27"}}, "block"),
    (
        INO,
        "liver",
        {"bilirubin_total": {"value": 25.5, "unit": "umol/L", "ref_high": 17, "at": "2026-11-30"}},
        "pass",
    ),
    (INO, "liver", {"liver_disease": "cirrhosis"}, "warn"),
    (INO, "blood_counts", blood("platelets", 49.9), "block"),
    (INO, "blood_counts", blood("platelets", 49.9) | {"cycle_day": 8}, "pass"),
    (INO, "blood_counts", {"platelet_transfusion_on": "2026-11-23"}, "block"),
    (INO, "blood_counts", {"platelet_transfusion_on": "2026-11-22"}, "pass"),
    (INO, "blood_counts", {"baseline_anc": None, "baseline_platelets": None}, "pass"),
    (INO, "blood_counts", blood("anc", 0.5) | blood("baseline_anc", 0.5), "pass"),
    (INO, "dose", {"ordered_dose": {"value": 0.88, "unit": "mg/m2"}}, "pass"),
    (INO, "dose", {"ordered_dose": {"value": 0.8801, "unit": "mg/m2"}}, "block"),
    (INO, "dose", {"ordered_dose": {"value": 0.7199, "unit": "mg/m2"}}, "warn"),
    (INO, "veno_occlusive_disease", {"hsct_history": None}, "warn"),
    (INO, "schedule", {"last_dose_on": "2026-11-25"}, "pass"),
    (INO, "schedule", {"last_dose_on": "2026-11-26"}, "block"),
    (INO, "age", {"birth_date": "2025-12-01"}, "pass"),
    (INO, "age", {"birth_date": "2025-12-02"}, "block"),
    (INO, "contraception", {"pregnancy_potential": "no", "sex": "male", "contraception": "none"}, "warn"),
]


@pytest.mark.parametrize(("drug", "name", "changes", "expected"), CASES)
def test_a_case_worked_out_on_paper(drug, name, changes, expected):
    assert status(drug, name, changes) == expected


@pytest.mark.parametrize(
    ("drug", "name", "changes", "expected"),
    [
        (INEB, "hypersensitivity", reaction("trehalose", "mild", "anaphylaxis"), "block"),
        (INEB, "malignancy", {"active_malignancy": "yes"}, "block"),
        (INEB, "pml", {"pml_history": None}, "block"),
        (INEB, "hepatitis_c", {"hcv_rna": None}, "warn"),
        (IBA, "route", {"route": "iv_push"}, "warn"),
        (INO, "age", {"birth_date": "2008-12-02"}, "block"),
        (INO, "liver", {"liver_disease": "cirrhosis"}, "block"),
    ],
)
def test_europe_is_stricter_here(drug, name, changes, expected):
    assert status(drug, name, changes, region="EU") == expected
    assert status(drug, name, changes, region="US") != expected


@pytest.mark.parametrize("drug", CLEAR)
def test_nothing_against_the_infusion(drug):
    assert {status(drug, name, {}) for name in DRUGS[drug].CHECKS} == {"pass"}


def test_a_parameter_that_is_not_set_blocks():
    policy = {k: v for k, v in SHIPPED_POLICY.items() if k != "dose_tolerance_percent"}
    assert status(INO, "dose", {}, policy=policy) == "block"


def test_dubois_is_the_smaller_surface_here():
    ordered = {
        "ordered_dose": {"value": 1.65, "unit": "mg"}
    }  # 0.8 x 1.886 x 1.1 = 1.659; 0.8 x 1.834 x 1.1 = 1.614
    assert status(INO, "dose", ordered) == "pass"
    assert status(INO, "dose", ordered, policy=SHIPPED_POLICY | {"bsa_formula": "dubois"}) == "block"
