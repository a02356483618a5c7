"""The three packs once more, by hand: plain Python written from the contract and the ledger.

It shares no code with the service and knows no rule files. Where it and the service differ
about a patient, one of the two has misread the specification.

    from tests.by_hand import check
    check(request)  ->  {"age": "pass", "hepatitis_b": "block", ...}
"""

from itertools import product

from . import ibalizumab, inebilizumab, inotuzumab
from .facts import BLOCK, Chart, PolicyNotSet, worst
from .shared import NAMES, is_named

SHIPPED_POLICY = {
    "region": "US",
    "hbv_screen_max_age_days": 365,
    "tb_screen_max_age_days": 365,
    "immunoglobulin_max_age_days": 90,
    "pregnancy_test_max_age_days": 7,
    "liver_tests_max_age_days": 3,
    "blood_counts_max_age_days": 3,
    "weight_max_age_days": 28,
    "platelet_transfusion_days": 7,
    "electrolytes_max_age_days": 3,
    "neutrophils_max_age_days": 90,
    "neutrophils_low": "1.0",
    "ecg_max_age_days": 28,
    "schedule_tolerance_days": 14,
    "second_dose_tolerance_days": 3,
    "dose_tolerance_percent": 10,
    "premedication_timing_tolerance_minutes": 15,
    "bsa_formula": "mosteller",
    "unspecified_vaccine": "warn",
    "reinitiation_gap_days": 365,
}

DRUGS = {
    "inebilizumab": inebilizumab,
    "ibalizumab": ibalizumab,
    "inotuzumab_ozogamicin": inotuzumab,
}


def check(request, policy=None):
    """The worst status of each check of the drug, for a valid request."""
    policy = SHIPPED_POLICY if policy is None else policy
    drug = next(DRUGS[d] for d, names in NAMES.items() if is_named(request["drug"], names))
    answers = {}
    for chart in possible_charts(request, policy, drug.TRY_WHEN_UNKNOWN):
        for name, rule in drug.CHECKS.items():
            answers.setdefault(name, []).append(answer(rule, chart))
    return {name: worst(statuses) for name, statuses in answers.items()}


def possible_charts(request, policy, values_to_try):
    """The chart as it is; where the number of the dose is unknown, one chart for each it may be.

    An unknown dose number (or cycle, or day of the cycle) takes the strictest of the answers.
    """
    recorded = Chart(request, policy)
    unknown = [name for name in values_to_try if recorded.value(name) is None]
    for values in product(*(values_to_try[name] for name in unknown)):
        yield Chart(request, policy, dict(zip(unknown, values, strict=True)))


def answer(rule, chart):
    try:
        return rule(chart)
    except PolicyNotSet:
        return BLOCK
