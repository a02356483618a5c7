"""Inebilizumab (UPLIZNA), rule by rule."""

from datetime import timedelta
from decimal import Decimal

from . import shared
from .facts import BLOCK, PASS, WARN, all_of, months_later, word, worst

DRUG = "inebilizumab"

# Doses 2 and 3 have their own due days; every later dose is like the fourth.
TRY_WHEN_UNKNOWN = {"dose_number": [1, 2, 3, 4]}


def first_or_later(chart, first, later):
    return first if chart.dose_is_first() else later


def day_of_first_dose(chart):
    """Where it is not recorded, the earliest day known to be no earlier than it."""
    if chart.dose_is_first():
        return chart.today
    return chart.day("first_dose_on") or chart.day("last_dose_on") or chart.today


def age(chart):
    # ineb.age.adult
    return PASS if shared.younger_than(chart, 18) is False else BLOCK


def indication(chart):
    # ineb.ind.nmosd, ineb.ind.igg4rd, ineb.ind.gmg, site.indication.other
    found = chart.value("indication")
    if found == "nmosd":
        return PASS if word(chart.newest("aqp4_igg")) == "positive" else WARN
    if chart.region == "EU":
        return WARN
    if found == "gmg":
        antibodies = word(chart.newest("achr_ab")), word(chart.newest("musk_ab"))
        return PASS if "positive" in antibodies else WARN
    return PASS if found == "igg4_rd" else WARN


def screened(chart, test, limit):
    return word(
        chart.newest_within(test, chart.site(limit), day_of_first_dose(chart), never_stale="positive")
    )


def hepatitis_b(chart):
    # ineb.contra.hbv, ineb.screen.hbv, ineb.hbv.core_pos, site.hbv.core_later, site.hbv.dna
    surface = screened(chart, "hbsag", "hbv_screen_max_age_days")
    core = screened(chart, "anti_hbc_total", "hbv_screen_max_age_days")
    if surface == "positive" or word(chart.newest("hbv_dna")) == "positive":
        return BLOCK
    if chart.contradicts_itself("hbv_dna"):
        return BLOCK
    found = [PASS]
    if surface != "negative":
        # Stale, undated or indeterminate is on record; none, or two that contradict each other, is not.
        recorded = chart.newest("hbsag") is not None
        found.append(first_or_later(chart, BLOCK, WARN if recorded else BLOCK))
    if core == "positive":
        cleared = chart.value("hepatology_clearance") == "yes"
        found.append(first_or_later(chart, WARN if cleared else BLOCK, WARN))
    elif core != "negative":
        found.append(first_or_later(chart, BLOCK, WARN))
    return worst(found)


def tuberculosis(chart):
    # ineb.contra.tb, ineb.screen.tb, ineb.tb.negative_but_risk, site.tb.in_progress
    found = [PASS if chart.value("tb_active") == "no" else BLOCK]
    test = screened(chart, "tb_test", "tb_screen_max_age_days")
    treatment = chart.value("latent_tb_treatment")
    if treatment == "not_started" or (treatment is None and test == "positive"):
        found.append(BLOCK)
    elif treatment == "in_progress":
        cleared = chart.value("infectious_disease_clearance") == "yes"
        found.append(WARN if cleared else BLOCK)
    elif treatment == "not_needed" and test == "positive":
        found.append(BLOCK)
    if test == "negative":
        found.append(PASS if chart.value("tb_risk_factors") == "no" else WARN)
    elif test != "positive":
        found.append(first_or_later(chart, BLOCK, WARN))
    return worst(found)


def infection(chart):
    # ineb.infect.hold, ineb.contra.eu_infection
    return shared.infection(chart, localised=BLOCK)


def vaccination(chart):
    # ineb.vacc.4wk, ineb.vacc.live
    before_first = {"live": BLOCK, "non_live": WARN, "unspecified": chart.site("unspecified_vaccine")}
    return shared.vaccination(chart, 28, before_first)


def pregnancy(chart):
    # ineb.preg.risk, ineb.preg.test
    return shared.pregnancy(chart, BLOCK, test_needed=True)


def contraception(chart):
    # ineb.preg.contraception, site.contraception.none
    return shared.contraception(chart, partner_counts=False)


def infusion_reaction(chart):
    # ineb.contra.reaction, ineb.irr.manage, site.reaction.mild
    return shared.infusion_reaction(chart, DRUG, severe=WARN)


def hypersensitivity(chart):
    # ineb.contra.hypersens_eu
    return shared.hypersensitivity(chart, DRUG, BLOCK if chart.region == "EU" else WARN)


def immunosuppression(chart):
    # ineb.contra.eu_immunocomp, ineb.interact.is
    deficiency, drugs = chart.value("immunodeficiency"), chart.value("immunosuppressants")
    if deficiency == "severe" and chart.region == "EU":
        return BLOCK
    chronic = drugs is None or any((d.get("use") or "chronic") == "chronic" for d in drugs)
    # A mild immunodeficiency is part of the concern in the EU only.
    passing = ("none", "mild") if chart.region == "US" else ("none",)
    return WARN if chronic or deficiency not in passing else PASS


def immunoglobulins(chart):
    # ineb.screen.ig, ineb.lab.ig_threshold, ineb.ig.monitor
    if chart.dose_is_first():
        igg = chart.newest_within("igg", chart.site("immunoglobulin_max_age_days"))
    else:
        igg = chart.newest("igg")
    if igg is None:
        return first_or_later(chart, BLOCK, WARN)
    low = None if igg["ref_low"] is None else igg["value"] < igg["ref_low"]
    low_and_infected = all_of(low, chart.says("active_infection", "serious"))
    if low_and_infected is True:
        return BLOCK
    if low_and_infected is None:
        return first_or_later(chart, BLOCK, WARN)
    return PASS if low is False else WARN


def pml(chart):
    # ineb.contra.eu_pml, ineb.pml
    if chart.value("pml_history") == "yes" or chart.value("pml_signs") != "no":
        return BLOCK
    if chart.value("pml_history") is None:
        return BLOCK if chart.region == "EU" else WARN
    return PASS


def malignancy(chart):
    # ineb.contra.eu_malignancy
    active = chart.value("active_malignancy")
    if active == "yes" and chart.region == "EU":
        return BLOCK
    return PASS if active == "no" else WARN


def hepatitis_c(chart):
    # ineb.screen.eu_extra, site.hcv.positive
    if chart.region != "EU":
        return PASS
    return PASS if word(chart.newest("hcv_rna")) == "negative" else WARN


def blood_counts(chart):
    # ineb.neutropenia
    anc = chart.newest_within("anc", chart.site("neutrophils_max_age_days"))
    if anc is None:
        return WARN
    limit = anc["ref_low"]
    if limit is None:
        limit = Decimal(str(chart.site("neutrophils_low")))
    return WARN if anc["value"] < limit else PASS


def premedication(chart):
    # ineb.premed: about 30 minutes before; 30 to 60 minutes before; widened by the site's tolerance
    if chart.value("premedications") is None:
        return BLOCK
    tolerance = chart.site("premedication_timing_tolerance_minutes")
    windows = {"corticosteroid": (30, 30), "antihistamine": (30, 60), "antipyretic": (30, 60)}
    return worst(
        shared.premedication_class(chart, name, (start - tolerance, end + tolerance), missing=BLOCK)
        for name, (start, end) in windows.items()
    )


def dose(chart):
    # ineb.dose.initial
    ordered = chart.dose_in("mg", "ordered_dose")
    if ordered is None or ordered > 300:
        return BLOCK
    return PASS if ordered == 300 else WARN


def schedule(chart):
    # ineb.dose.initial (two weeks), ineb.dose.maint, ineb.missed, site.reinitiation
    if chart.dose_is_first():
        return PASS
    if (chart.days_since("last_dose_on") or 0) > chart.site("reinitiation_gap_days"):
        return WARN
    second = chart.value("dose_number") == 2
    tolerance = chart.site("second_dose_tolerance_days" if second else "schedule_tolerance_days")
    due, slot = due_by_interval(chart), chart.day("scheduled_on") or chart.today
    on_time = due is not None and abs((chart.today - due).days) <= tolerance
    return PASS if on_time and (chart.today - slot).days <= tolerance else WARN


def due_by_interval(chart):
    """Dose 2 two weeks after the first, dose 3 six months after the first, then six after the last."""
    number = chart.value("dose_number")
    first, last = chart.day("first_dose_on"), chart.day("last_dose_on")
    if number == 2:
        first = first or last
        return first and first + timedelta(days=14)
    start = first if number == 3 else last
    return start and months_later(start, 6)


CHECKS = {
    rule.__name__: rule
    for rule in (
        age,
        indication,
        hepatitis_b,
        tuberculosis,
        infection,
        vaccination,
        pregnancy,
        shared.lactation,
        contraception,
        infusion_reaction,
        hypersensitivity,
        immunosuppression,
        immunoglobulins,
        pml,
        malignancy,
        hepatitis_c,
        blood_counts,
        premedication,
        dose,
        schedule,
    )
}
