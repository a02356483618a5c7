"""The changes that random patients are made with, each to one clinical thing.

CHANGES is a list of (fact that must be there or None, function of the draft).
"""

from datetime import date, datetime, timedelta, timezone

from tests.patients.doses import (
    dose_at_tolerance,
    fixed_dose,
    gain_and_bilirubin,
    reduced_dose,
    weight_change,
    weight_record,
)
from tests.patients.lists import LIST_CHANGES
from tests.patients.values import CHOICES, LIMITS, NUMBERS, RESULTS, TEST, WORD_RESULTS


def another_value(draft, name):
    rng = draft.rng
    if name in CHOICES:
        draft.facts[name] = rng.choice([v for v in CHOICES[name] if v != draft.facts.get(name)])
    elif name in WORD_RESULTS:
        draft.facts[name] = draft.result(rng.choice(TEST), rng.randint(0, 6))
    elif name in NUMBERS:
        draft.facts[name] = number_result(draft, name, rng.randint(0, 3))


def number_result(draft, name, ago):
    unit, values, more = draft.rng.choice(NUMBERS[name])
    return {"value": draft.rng.choice(values), "unit": unit, "at": moment(draft, ago), **more}


def a_result(draft, name, ago):
    if name in NUMBERS:
        return number_result(draft, name, ago)
    return {"value": draft.rng.choice(TEST), "at": moment(draft, ago)}


def one_answer(draft):
    """One of the questions with few answers gets another one."""
    another_value(draft, draft.rng.choice([name for name in CHOICES if name in draft.facts]))


def moment(draft, ago):
    """That day as a bare date, or as a moment of it, perhaps written in another offset."""
    rng = draft.rng
    if ago <= 0 or rng.random() < 0.6:
        return draft.day(ago) if ago or rng.random() < 0.5 else draft.minute(20)
    day = date.fromisoformat(draft.day(ago))
    hour, minute = rng.choice(((0, 5), (9, 30), (23, 55)))
    here = datetime(day.year, day.month, day.day, hour, minute, tzinfo=draft.at.tzinfo)
    there = timezone(timedelta(hours=rng.choice((-11, 0, 12)))) if rng.random() < 0.5 else here.tzinfo
    return here.astimezone(there).isoformat()


# ---- one result: its age, its standing, its company


def limit_of(draft, name):
    if name == "anc":
        return 90 if draft.drug == "inebilizumab" else 3
    counted_from_first = name in ("hbsag", "anti_hbc_total", "tb_test")
    return LIMITS.get(name, 30) + ((draft.ago("first_dose_on") or 0) if counted_from_first else 0)


def a_present_result(draft):
    present = sorted(RESULTS - {"weight", "height"} & set(draft.facts))
    return draft.rng.choice([name for name in present if name in draft.facts] or ["temperature"])


def age_of_result(draft):
    name = a_present_result(draft)
    ago = limit_of(draft, name) + draft.rng.choice((-1, 0, 1))
    draft.facts[name] = {**keep_or_new(draft, name), "at": moment(draft, ago)}


def keep_or_new(draft, name):
    fact = draft.facts.get(name)
    fact = fact[-1] if isinstance(fact, list) and fact else fact
    return dict(fact) if isinstance(fact, dict) and fact.get("value") else a_result(draft, name, 1)


def standing_of_result(draft):
    """Undated, not final, or collected after the infusion."""
    rng, name = draft.rng, a_present_result(draft)
    result = keep_or_new(draft, name)
    way = rng.choice(("undated", "status", "after", "exactly", "empty"))
    if way == "undated":
        result.pop("at", None)
    elif way == "status":
        result["status"] = rng.choice(
            (
                "final",
                "corrected",
                "amended",
                "preliminary",
                "registered",
                "cancelled",
                "entered-in-error",
                None,
            )
        )
    elif way == "after":
        result["at"] = rng.choice((draft.day(-1), draft.minute(-1)))
    elif way == "exactly":
        result["at"] = draft.minute(0)
    draft.facts[name] = [] if way == "empty" else result


def company_of_result(draft):
    """A list, shuffled: older and newer ones, two of one moment, one that does not count."""
    rng, name = draft.rng, a_present_result(draft)
    mine = keep_or_new(draft, name)
    results = [mine]
    for _ in range(rng.randint(1, 3)):
        other = a_result(draft, name, rng.randint(0, 5))
        way = rng.choice(
            ("as it is", "same time", "same time", "same day", "not counted", "after", "undated", "old")
        )
        if way == "same time":
            other = {**mine, "value": rng.choice((mine["value"], other["value"]))}
            if name in NUMBERS:
                other["value"] = rng.choice((mine["value"], mine["value"] * 2))
        elif way == "same day" and len(mine.get("at") or "") == len("2026-10-06"):
            other["at"] = f"{mine['at']}T00:01:00{draft.at.isoformat()[-6:]}"
        elif way == "not counted":
            other["status"] = "entered-in-error"
        elif way == "after":
            other["at"] = draft.day(-2)
        elif way == "undated":
            other.pop("at")
        elif way == "old":
            other["at"] = draft.day(limit_of(draft, name) + rng.choice((0, 1, 30)))
        results.append(other)
    rng.shuffle(results)
    draft.facts[name] = results


def without_limits(draft):
    """The laboratory's own limits for that result are lost."""
    for name in ("igg", "alt", "ast", "bilirubin_total"):
        fact = draft.facts.get(name)
        if isinstance(fact, dict) and draft.rng.random() < 0.6:
            draft.facts[name] = {k: v for k, v in fact.items() if not k.startswith("ref_")}


# ---- days


def at_birthday(draft):
    """The 18th (or, for inotuzumab, also the first) birthday is today, tomorrow or was yesterday."""
    years = draft.rng.choice((18, 1) if draft.drug == "inotuzumab_ozogamicin" else (18,))
    day = draft.today + timedelta(days=draft.rng.choice((-1, 0, 1)))
    leap = (day.month, day.day) == (2, 29)
    draft.facts["birth_date"] = day.replace(year=day.year - years, day=28 if leap else day.day).isoformat()
    if draft.rng.random() < 0.2 or draft.today.isoformat() in ("2026-02-28", "2026-03-01"):
        draft.facts["birth_date"] = "2008-02-29"


def last_dose(draft):
    if draft.drug == "inotuzumab_ozogamicin":
        ago = draft.rng.choice((4, 5, 6, 7, 8, 9, 10, 14, 28, 365, 366))
    elif draft.drug == "ibalizumab":
        ago = draft.rng.choice((13, 14, 15, 16, 17, 18, 365, 366))
    else:
        ago = draft.rng.choice((10, 11, 17, 18, 182, 196, 200, 364, 365, 366))
    draft.facts["last_dose_on"] = draft.day(ago)
    if draft.facts.get("dose_number") == 2:
        draft.facts["first_dose_on"] = draft.day(ago)


def six_months_and_some(draft):
    """The start of the half year moved to the ends of its tolerance."""
    name = "first_dose_on" if draft.facts.get("dose_number") == 3 else "last_dose_on"
    ago = (draft.today - date.fromisoformat(draft.months_ago(6))).days
    draft.facts[name] = draft.day(ago + draft.rng.choice((-17, -16, -15, -14, -13, 13, 14, 15, 16)))


def slot(draft):
    draft.facts["scheduled_on"] = draft.day(
        draft.rng.choice((-15, -14, -4, -3, -2, -1, 1, 2, 3, 4, 6, 7, 13, 14, 15, 29))
    )
    if draft.rng.random() < 0.2:
        draft.facts["scheduled_on"] = None


def heart_and_salts(draft):
    name, around = draft.rng.choice((("ecg_on", 28), ("electrolytes_on", 3)))
    draft.facts[name] = draft.day(around + draft.rng.choice((-1, 0, 1)))


def transfusion(draft):
    draft.facts["platelet_transfusion_on"] = draft.day(draft.rng.choice((0, 1, 6, 7, 8, 9, 30)))


# ---- things that only matter together


def together(**choices):
    def change(draft):
        for name, values in choices.items():
            value = draft.rng.choice(values)
            draft.facts[name] = (
                draft.result(value, draft.rng.randint(1, 400)) if name in WORD_RESULTS else value
            )

    return change


def low_counts(draft):
    for name in ("anc", "platelets", "baseline_anc", "baseline_platelets"):
        if draft.rng.random() < 0.6:
            draft.facts[name] = number_result(draft, name, draft.rng.randint(0, 3))
    another_value(draft, "counts_low_due_to_disease")
    draft.facts.update(cycle=2, cycle_day=draft.rng.choice((1, 1, 1, 8)))


def low_igg(draft):
    draft.facts["igg"] = draft.result(4.1, draft.rng.choice((1, 90, 91)), unit="g/L", ref_low=6.5)
    draft.facts["active_infection"] = draft.rng.choice(("none", "serious", "localised", None))


MAN = together(
    sex=("male",),
    pregnancy_potential=(None, "yes", "no"),
    pregnant=(None, "no", "yes"),
    breastfeeding=(None, "no", "yes"),
    partner_pregnancy_potential=("yes", "no", None),
)
PREGNANCY = together(
    pregnancy_potential=("yes", "yes", None),
    pregnant=("yes", "no", None),
    pregnancy_test=TEST,
    contraception=("effective", "none"),
)

CHANGES = [
    (None, action)
    for action in (
        one_answer,
        one_answer,
        one_answer,
        one_answer,
        one_answer,
        age_of_result,
        age_of_result,
        standing_of_result,
        standing_of_result,
        company_of_result,
        company_of_result,
        at_birthday,
        last_dose,
        slot,
        MAN,
        PREGNANCY,
    )
] + [
    ("igg", low_igg),
    ("igg", without_limits),
    ("alt", without_limits),
    ("hbsag", fixed_dose),
    ("antiretrovirals", fixed_dose),
    ("hbsag", six_months_and_some),
    ("hbsag", together(hbsag=TEST, anti_hbc_total=("positive",), hepatology_clearance=("yes", "no", None))),
    (
        "tb_test",
        together(
            tb_test=("positive",),
            latent_tb_treatment=(*CHOICES["latent_tb_treatment"], None),
            infectious_disease_clearance=("yes", "no", None),
        ),
    ),
    ("weight", weight_change),
    ("weight", weight_record),
    ("weight", dose_at_tolerance),
    ("weight", reduced_dose),
    ("weight", heart_and_salts),
    ("weight", transfusion),
    ("weight", low_counts),
    ("weight", gain_and_bilirubin),
    (
        "weight",
        together(cycle=(3, 4, 7), remission=("cr", "not_achieved", None), hsct_planned=("yes", "no", None)),
    ),
    ("bilirubin_total", together(hsct_planned=("yes", None))),
    *LIST_CHANGES,
]
