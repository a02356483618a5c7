"""The inebilizumab pack as a programmer would write it by hand for speed: the floor that engines are held to.

It shares no code with the service, and knows the rules as plain ifs. True is "holds", False "ruled out"
and None "undecided". It reads the same typed readings as the service does; the site's parameters are set.
"""

from datetime import timedelta

from benchmarks.floor_facts import Patient, both, equals, inverse, months_later, years_old
from benchmarks.floor_lists import chronic, premedication, reactions, signs_of_infection, vaccination


def verdicts(readings, at, region, policy):
    """The verdict of every rule: True, False or None."""
    # ruff: noqa: PLR0915  one long function is what speed asks for here
    patient = Patient(readings, at)
    value, reading, today = patient.value, patient.reading, patient.today
    found = {}

    first, later = patient.first, patient.later
    screened_before = today
    if later:
        screened_before = patient.first_on or patient.last_on or today

    born = patient.day("birth_date")
    found["under-18"] = None if born is None else years_old(born, today) < 18

    indication = value("indication")
    if indication is None:
        found["indication-outside-label"] = None
    else:
        found["indication-outside-label"] = indication in ("mdr_hiv1", "bcp_all", "other") or (
            region == "EU" and indication in ("igg4_rd", "gmg")
        )
    aqp4 = inverse(equals(value("aqp4_igg"), "positive"))
    found["nmosd-without-aqp4"] = both(equals(indication, "nmosd"), aqp4)
    achr, musk = equals(value("achr_ab"), "positive"), equals(value("musk_ab"), "positive")
    without = False if achr or musk else both(inverse(achr), inverse(musk))
    found["gmg-without-antibody"] = both(equals(indication, "gmg"), without)

    surface, core = reading("hbsag"), reading("anti_hbc_total")
    surface_positive = surface is not None and surface.value == "positive"
    core_positive = core is not None and core.value == "positive"
    cleared = value("hepatology_clearance")
    found["hbv-active"] = None if surface is None else surface_positive
    if surface_positive:
        found["hbv-screening-incomplete"] = found["hbv-screening-incomplete-later"] = False
        found["hbv-core-antibody-uncleared"] = found["hbv-core-antibody"] = False
    else:
        days = policy["hbv_screen_max_age_days"]
        incomplete = inverse(
            both(
                patient.settled(surface, screened_before, days), patient.settled(core, screened_before, days)
            )
        )
        found["hbv-screening-incomplete"] = both(first, incomplete)
        found["hbv-screening-incomplete-later"] = both(later, incomplete)
        uncleared = inverse(equals(cleared, "yes"))
        found["hbv-core-antibody-uncleared"] = both(first, uncleared) if core_positive else False
        found["hbv-core-antibody"] = core_positive and (later is True or cleared == "yes")
    detected = value("hbv_dna") == "positive"
    found["hbv-dna-detected"] = None if "hbv_dna" in patient.contradicting else detected

    test, treatment = reading("tb_test"), value("latent_tb_treatment")
    result = None if test is None else test.value
    found["tb-active"] = equals(value("tb_active"), "yes")
    if treatment == "not_started":
        found["tb-latent-untreated"] = True
    else:
        found["tb-latent-untreated"] = equals(treatment, "not_needed") if result == "positive" else False
    clearance = value("infectious_disease_clearance")
    in_progress = treatment == "in_progress"
    found["tb-treatment-in-progress"] = inverse(equals(clearance, "yes")) if in_progress else False
    found["tb-treatment-in-progress-cleared"] = in_progress and clearance == "yes"
    incomplete = inverse(patient.settled(test, screened_before, policy["tb_screen_max_age_days"]))
    found["tb-screening-incomplete"] = both(first, incomplete)
    found["tb-screening-incomplete-later"] = both(later, incomplete)
    found["tb-negative-but-risk"] = equals(value("tb_risk_factors"), "yes") if result == "negative" else False

    infection = value("active_infection")
    if infection is None:
        found["infection-active"] = found["infection-suspected"] = None
    else:
        found["infection-active"] = infection in ("localised", "serious")
        found["infection-suspected"] = infection == "suspected"
    found["infection-resolved"] = infection == "resolved"
    found["infection-contradiction"] = infection == "none" and signs_of_infection(patient)

    vaccination(found, patient, policy)
    pregnancy(found, patient, policy)
    reactions(found, value("reactions"), region)

    deficiency = value("immunodeficiency")
    severe = equals(deficiency, "severe")
    found["severe-immunodeficiency-eu"] = severe if region == "EU" else False
    found["severe-immunodeficiency-us"] = severe if region == "US" else False
    found["mild-immunodeficiency-eu"] = region == "EU" and deficiency == "mild"
    found["other-immunosuppressants"] = chronic(value("immunosuppressants"))

    any_igg = reading("igg")
    measured = any_igg is not None and patient.fresh(any_igg, today, policy["immunoglobulin_max_age_days"])
    found["igg-not-measured"] = both(first, False if measured else None)
    found["igg-not-measured-later"] = both(later, None if any_igg is None else False)
    igg = patient.amount("igg", "g/L")
    low = None if igg is None or igg.ref_low is None else igg.value < igg.ref_low
    found["igg-low"] = low
    dangerous = both(low, equals(infection, "serious"))
    found["igg-low-with-serious-infection"] = both(first, dangerous)
    found["igg-low-with-serious-infection-later"] = both(later, dangerous)

    anc = patient.amount("anc", "10*9/L")
    low = None
    if anc is not None:
        low = anc.value < (policy["neutrophils_low"] if anc.ref_low is None else anc.ref_low)
        if not low and not patient.fresh(anc, today, policy["neutrophils_max_age_days"]):
            low = None
    found["neutrophils-low"] = low

    found["hepatitis-c-rna"] = inverse(equals(value("hcv_rna"), "negative")) if region == "EU" else False
    history, malignancy = equals(value("pml_history"), "yes"), equals(value("active_malignancy"), "yes")
    found["pml-history-eu"] = history if region == "EU" else False
    found["pml-history-us"] = history if region == "US" else False
    found["pml-signs"] = equals(value("pml_signs"), "yes")
    found["malignancy-eu"] = malignancy if region == "EU" else False
    found["malignancy-us"] = malignancy if region == "US" else False

    premedication(found, patient, policy["premedication_timing_tolerance_minutes"])

    ordered = patient.amount("ordered_dose", "mg")
    found["dose-above-300-mg"] = None if ordered is None else ordered.value > 300
    found["dose-below-300-mg"] = None if ordered is None else ordered.value < 300
    schedule(found, patient, policy)
    return found


def pregnancy(found, patient, policy):
    potential, sex = patient.value("pregnancy_potential"), patient.value("sex")
    known, reading = patient.value("pregnant"), patient.reading("pregnancy_test")
    test = None if reading is None else reading.value
    sure = test == "positive" or known == "yes"
    fresh = reading is not None and patient.fresh(
        reading, patient.today, policy["pregnancy_test_max_age_days"]
    )
    if potential is not None:
        possible = potential == "yes"
    else:
        possible = True if sure else None
        if sex == "male" and not sure:
            possible = False
    pregnant = True if sure else None
    settled = not sure and "pregnancy_test" not in patient.contradicting
    if settled and (known == "no" or (test == "negative" and fresh)):
        pregnant = False
    found["pregnant"] = both(possible, pregnant)
    untested = None
    if sure or (test == "negative" and fresh):
        untested = False
    elif test == "indeterminate":
        untested = True
    found["pregnancy-test-missing"] = both(possible, untested)

    feeding = patient.value("breastfeeding")
    if feeding is None:
        found["breastfeeding"] = False if sex == "male" else None
    else:
        found["breastfeeding"] = feeding == "yes"
    contraception = patient.value("contraception")
    found["no-contraception"] = both(possible, inverse(equals(contraception, "effective")))


def schedule(found, patient, policy):
    today, dose = patient.today, patient.dose
    first_on, last_on = patient.first_on, patient.last_on
    second, usual = policy["second_dose_tolerance_days"], policy["schedule_tolerance_days"]

    def off(due, tolerance):
        return None if due is None else abs((today - due).days) > tolerance

    def six_months_after(day):
        return None if day is None else months_later(day, 6)

    found["second-dose-off-schedule"] = found["third-dose-off-schedule"] = False
    found["later-dose-off-schedule"] = False
    start = first_on or last_on
    if dose is None or dose == 2:
        due = None if start is None else start + timedelta(days=14)
        found["second-dose-off-schedule"] = both(equals(dose, 2), off(due, second))
    if dose is None or dose == 3:
        late = off(six_months_after(first_on), usual)
        found["third-dose-off-schedule"] = both(equals(dose, 3), late)
    if dose is None or dose >= 4:
        late = off(six_months_after(last_on), usual)
        found["later-dose-off-schedule"] = both(None if dose is None else True, late)

    slot = patient.day("scheduled_on")
    missed = False
    if slot is not None and dose is not None and dose >= 2:
        missed = (today - slot).days > (second if dose == 2 else usual)
    found["dose-missed"] = missed
    gap = last_on is not None and (today - last_on).days > policy["reinitiation_gap_days"]
    found["possible-reinitiation"] = dose != 1 and gap
