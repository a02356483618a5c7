"""Ibalizumab (TROGARZO), rule by rule."""

from . import shared
from .facts import BLOCK, PASS, WARN

DRUG = "ibalizumab"

TRY_WHEN_UNKNOWN = {"dose_number": [1, 2]}


def other_antiretrovirals(chart):
    """Is there another antiretroviral than this one? Unknown where nobody asked."""
    drugs = chart.value("antiretrovirals")
    if drugs is None:
        return None
    return any(not shared.is_named(d["drug"], shared.NAMES[DRUG]) for d in drugs)


def age(chart):
    # iba.age
    return PASS if shared.younger_than(chart, 18) is False else BLOCK


def indication(chart):
    # iba.ind, site.indication.other
    resistant = chart.value("indication") == "mdr_hiv1"
    return PASS if resistant and other_antiretrovirals(chart) is True else WARN


def antiretroviral_regimen(chart):
    # iba.combo
    return PASS if other_antiretrovirals(chart) is True else WARN


def hypersensitivity(chart):
    # iba.contra.hypersens (drug or component), iba.irr (any reaction to the drug itself)
    reactions = chart.value("reactions")
    if reactions is not None and any(shared.is_named(r["substance"], shared.NAMES[DRUG]) for r in reactions):
        return BLOCK
    return shared.hypersensitivity(chart, DRUG, BLOCK)


def pregnancy(chart):
    # iba.preg
    return shared.pregnancy(chart, WARN, test_needed=False)


def days_late(chart):
    """Counted from the slot, else from 14 days after the last dose."""
    if chart.value("scheduled_on") is not None:
        return chart.days_since("scheduled_on")
    since_last = chart.days_since("last_dose_on")
    return None if since_last is None else since_last - 14


def dose(chart):
    # iba.dose.load, iba.dose.maint, iba.missed
    ordered = chart.dose_in("mg", "ordered_dose")
    if chart.dose_is_first():
        return PASS if ordered == 2000 else WARN
    late = days_late(chart)
    if late is None:  # on time 800 would be right, three days late 2,000 would be
        return WARN if ordered == 2000 else BLOCK
    if late >= 3:
        return PASS if ordered == 2000 else BLOCK
    return PASS if ordered == 800 else WARN


def route(chart):
    # iba.route.2020, iba.route.2023
    found = chart.value("route")
    if found == "iv_push":
        return WARN if chart.region == "EU" else PASS
    if found != "iv_infusion":
        return WARN
    ordered, minutes = chart.dose_in("mg", "ordered_dose"), chart.value("infusion_minutes")
    least = {2000: 30, 800: 15, None: 30}.get(ordered, 0)
    return PASS if least == 0 or (minutes is not None and minutes >= least) else WARN


def schedule(chart):
    # site.reinitiation
    gap = chart.days_since("last_dose_on")
    later = (chart.value("dose_number") or 1) >= 2
    return WARN if later and gap is not None and gap > chart.site("reinitiation_gap_days") else PASS


CHECKS = {
    "age": age,
    "indication": indication,
    "antiretroviral_regimen": antiretroviral_regimen,
    "hypersensitivity": hypersensitivity,
    "pregnancy": pregnancy,
    "lactation": shared.lactation,
    "dose": dose,
    "schedule": schedule,
    "route": route,
}
