"""Inotuzumab ozogamicin (BESPONSA), rule by rule."""

from decimal import Decimal

from . import shared
from .facts import BLOCK, PASS, WARN, all_of, any_of, one_before, opposite, word, worst
from .inotuzumab_dose import dose, schedule, weight_rose

DRUG = "inotuzumab_ozogamicin"

# Cycle 4 stands for every later one; that an unknown cycle may be past the sixth warns in `dose`.
TRY_WHEN_UNKNOWN = {"dose_number": [1, 2], "cycle": [1, 2, 3, 4], "cycle_day": [1, 8, 15]}


def indication(chart):
    # ino.ind.us and, for CD22, ino.ind.eu; site.indication.other
    documented = word(chart.newest("cd22")) == "positive"
    return PASS if documented and chart.value("indication") == "bcp_all" else WARN


def age(chart):
    # ino.ind.eu, site.age.infant
    youngest = 18 if chart.region == "EU" else 1
    return PASS if shared.younger_than(chart, youngest) is False else BLOCK


def hypersensitivity(chart):
    # ino.contra.hypers
    return shared.hypersensitivity(chart, DRUG, BLOCK)


def infusion_reaction(chart):
    # ino.irr, site.reaction.mild
    return shared.infusion_reaction(chart, DRUG, severe=BLOCK)


def infection(chart):
    # ino.infect
    return shared.infection(chart, localised=WARN)


def vaccination(chart):
    # ino.vacc: European and from memory, so it warns, and only there
    if chart.region != "EU":
        return PASS
    before_first = {"live": WARN, "non_live": PASS, "unspecified": chart.site("unspecified_vaccine")}
    return shared.vaccination(chart, 14, before_first)


def pregnancy(chart):
    # ino.preg; ino.preg.test (US, from memory: it warns, and only before the first dose)
    test_needed = chart.dose_is_first() and chart.region == "US"
    return shared.pregnancy(chart, BLOCK, test_needed)


def contraception(chart):
    # ino.preg for how long; site.contraception.none for whom
    return shared.contraception(chart, partner_counts=True)


# ---- liver


def liver_test(chart, name):
    return chart.newest_within(name, chart.site("liver_tests_max_age_days"))


def above(test, times):
    """Is the result above so many times the laboratory's upper limit?"""
    if test is None or test["ref_high"] is None:
        return None
    return test["value"] > times * test["ref_high"]


def veno_occlusive_disease(chart):
    # ino.contra.vod, site.vod.mild, ino.bbw, ino.dose.weightage
    history = chart.value("vod_history")
    if history not in ("none", "prior_mild"):
        return BLOCK
    transplant_risk = all_of(
        chart.says("hsct_planned", "yes"), above(liver_test(chart, "bilirubin_total"), 1)
    )
    liver_disease = opposite(chart.says("liver_disease", "none"))
    risk = any_of(chart.says("hsct_history", "yes"), transplant_risk, liver_disease)
    gained = weight_rose(chart, Decimal("2.5"))
    if gained is True and bilirubin_rose(chart):
        return BLOCK
    clear = history == "none" and risk is False and gained is False
    return PASS if clear else WARN


def bilirubin_rose(chart):
    latest = liver_test(chart, "bilirubin_total")
    before = latest and one_before(chart.results("bilirubin_total"), latest)
    return bool(before) and latest["value"] > before["value"]


def liver(chart):
    # ino.contra.liver, ino.lab.lft_before_each, ino.lab.bili, ino.lab.astalt, ino.hepatic
    disease = chart.value("liver_disease")
    found = [PASS if disease == "none" else BLOCK]
    if chart.region == "US" and disease in ("cirrhosis", "nodular_regenerative_hyperplasia", "other"):
        found = [WARN]
    for name in ("alt", "ast"):
        if above(liver_test(chart, name), Decimal("2.5")) is not False:
            found.append(BLOCK)
    bilirubin = liver_test(chart, "bilirubin_total")
    unexplained = opposite(chart.says("gilbert_or_haemolysis", "yes"))
    if bilirubin is None or all_of(above(bilirubin, Decimal("1.5")), unexplained) is not False:
        found.append(BLOCK)
    return worst(found)


# ---- blood counts


def count(chart, name):
    return word(chart.newest_within(name, chart.site("blood_counts_max_age_days")))


def at_least(value, limit):
    return None if value is None or limit is None else value >= limit


def platelets_at_least(chart, limit):
    """Low is low; enough counts only where no transfusion has helped."""
    platelets = chart.newest_within("platelets", chart.site("blood_counts_max_age_days"))
    enough = at_least(word(platelets), limit)
    if enough is not True:
        return enough
    transfused = chart.value("platelet_transfusion_on")
    if transfused is None:
        return None
    if transfused == "never":
        return True
    gap = (platelets["when"][0] - chart.day("platelet_transfusion_on")).days
    return None if 0 <= gap <= chart.site("platelet_transfusion_days") else True


def blood_counts(chart):
    # ino.lab.cbc, ino.lab.midcycle, ino.lab.anc_cycle, ino.lab.plt_cycle, ino.lab.lowbaseline
    anc = count(chart, "anc")
    first_day = chart.value("cycle_day") == 1
    if anc is None or count(chart, "platelets") is None:
        return BLOCK if first_day else WARN
    if not first_day or chart.value("cycle") == 1:
        return PASS
    anc_was, platelets_were = word(chart.newest("baseline_anc")), word(chart.newest("baseline_platelets"))
    anc_enough, platelets_enough = at_least(anc, 1), platelets_at_least(chart, 50)
    anc_was_enough, platelets_were_enough = at_least(anc_was, 1), at_least(platelets_were, 50)
    back_at_baseline = all_of(at_least(anc, anc_was), platelets_at_least(chart, platelets_were))
    must_wait = any_of(
        all_of(anc_was_enough, opposite(anc_enough)),
        all_of(platelets_were_enough, opposite(platelets_enough)),
        all_of(
            opposite(all_of(anc_was_enough, platelets_were_enough)),
            opposite(
                any_of(
                    back_at_baseline,
                    all_of(anc_enough, platelets_enough),
                    chart.says("counts_low_due_to_disease", "yes"),
                )
            ),
        ),
    )
    return PASS if must_wait is False else BLOCK


# ---- other gates


def toxicity(chart):
    # ino.tox.grade2
    grade = chart.value("nonhaematologic_toxicity_grade")
    if grade is None:
        return WARN
    return BLOCK if grade >= 2 else PASS


def cytoreduction(chart):
    # ino.cytored
    if not chart.dose_is_first():
        return PASS
    blasts = count(chart, "peripheral_blasts")
    return PASS if blasts is not None and blasts <= 10000 else WARN


def qt(chart):
    # ino.qt.ecg, ino.qt.drugs
    found = [PASS]
    for name, limit in (("ecg_on", "ecg_max_age_days"), ("electrolytes_on", "electrolytes_max_age_days")):
        age_in_days = chart.days_since(name)
        if age_in_days is None or age_in_days > chart.site(limit):
            found.append(BLOCK if chart.dose_is_first() else WARN)
    if chart.value("qt_risk") != "no" or chart.value("qt_prolonging_drugs") != []:
        found.append(WARN)
    return worst(found)


def premedication(chart):
    # ino.premed
    if chart.value("premedications") is None:
        return WARN
    classes = ("corticosteroid", "antihistamine", "antipyretic")
    return worst(shared.premedication_class(chart, c, window=None, missing=WARN) for c in classes)


def route(chart):
    # ino.rate
    an_hour = chart.value("infusion_minutes") == 60
    return PASS if an_hour and chart.value("route") == "iv_infusion" else WARN


CHECKS = {
    rule.__name__: rule
    for rule in (
        indication,
        age,
        infection,
        vaccination,
        pregnancy,
        shared.lactation,
        contraception,
        infusion_reaction,
        hypersensitivity,
        veno_occlusive_disease,
        liver,
        blood_counts,
        toxicity,
        qt,
        cytoreduction,
        premedication,
        dose,
        schedule,
        route,
    )
}
