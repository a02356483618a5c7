"""Changes to weight, height and the ordered dose."""

from tests.patients.clear import surface_of


def exact_pair(draft, before, now, unit="kg"):
    scale = {"kg": 1, "g": 1000, "[lb_av]": 2}[unit]
    draft.facts["weight"] = [
        {"value": round(now * scale, 4), "unit": unit, "at": draft.day(2)},
        {"value": round(before * scale, 4), "unit": unit, "at": draft.day(9)},
    ]


def weight_change(draft):
    rng = draft.rng
    before = rng.choice((40, 50, 80))
    factor = rng.choice((1.0249, 1.025, 1.0251, 1.0999, 1.1, 1.1001, 0.9, 0.8999, 0.975, 1))
    exact_pair(draft, before, before * factor, rng.choice(("kg", "g", "[lb_av]")))
    if rng.random() < 0.7:
        dose_for(draft, 1)


def weight_record(draft):
    rng, weight = draft.rng, rng_weight(draft)
    way = rng.choice(("single", "age", "undated", "conflict", "not counted", "agreeing"))
    newest = draft.result(weight, 2, unit="kg")
    if way == "single":
        draft.facts["weight"] = newest
    elif way == "age":
        ago = rng.choice((27, 28, 29, 60))
        draft.facts["weight"] = [
            draft.result(weight, ago, unit="kg"),
            draft.result(weight, ago + 7, unit="kg"),
        ]
    elif way == "undated":
        draft.facts["weight"] = {"value": weight, "unit": "kg"}
    elif way == "conflict":
        draft.facts["weight"] = [newest, draft.result(weight + 1, 2, unit="kg")]
    elif way == "agreeing":
        draft.facts["weight"] = [
            newest,
            draft.result(weight * 1000, 2, unit="g"),
            draft.result(weight, 9, unit="kg"),
        ]
    else:
        draft.facts["weight"] = [
            newest,
            {**draft.result(weight * 2, 1, unit="kg"), "status": "cancelled"},
            draft.result(weight, 9, unit="kg"),
        ]


def rng_weight(draft):
    return draft.rng.choice((50, 54, 90, 71.3))


def measures(draft):
    """Height in centimetres and newest weight in kilograms, as far as they are plainly recorded."""
    height, weights = draft.facts.get("height"), draft.facts.get("weight")
    weights = weights if isinstance(weights, list) else [weights]
    per = {"kg": 1, "g": 0.001, "[lb_av]": 0.45359237, "cm": 1, "m": 100, "[in_i]": 2.54}
    values = [height, *weights]
    if not all(isinstance(v, dict) and v.get("value") and v.get("at") for v in values):
        return None
    newest = max(weights, key=lambda w: w["at"])
    return height["value"] * per[height["unit"]], newest["value"] * per[newest["unit"]]


def dose_for(draft, factor):
    """The protocol's dose for the recorded measures, times a factor."""
    facts, found = draft.facts, measures(draft)
    day_one = facts.get("cycle_day") == 1
    level = 0.8 if day_one and (facts.get("cycle") == 1 or facts.get("remission") == "not_achieved") else 0.5
    if found is None or draft.rng.random() < 0.2:
        facts["ordered_dose"] = {"value": round(level * factor, 6), "unit": "mg/m2"}
        return
    dose = round(level * surface_of(*found) * factor, 6)
    facts["ordered_dose"] = {"value": dose, "unit": "mg"}
    if draft.rng.random() < 0.1:
        facts["ordered_dose"] = {"value": round(dose / 1000, 9), "unit": "g"}


def dose_at_tolerance(draft):
    if draft.rng.random() < 0.5:
        height, weight = draft.rng.choice(((162, 50), (160, 90), (180, 80)))
        draft.facts["height"] = draft.result(height, 3, unit="cm")
        exact_pair(draft, weight, weight)
    dose_for(draft, draft.rng.choice((0.8, 0.89, 0.9, 0.91, 1.09, 1.1, 1.11, 1.3)))


def fixed_dose(draft):
    amounts = (299, 300, 301, 600, 150) if draft.drug == "inebilizumab" else (800, 2000, 1600, 1999, 801)
    amount = draft.rng.choice(amounts)
    grams = draft.rng.random() < 0.3
    draft.facts["ordered_dose"] = {
        "value": amount / 1000 if grams else amount,
        "unit": "g" if grams else "mg",
    }


def reduced_dose(draft):
    level = draft.rng.choice(("never", 0.8, 0.5, 0.4, 0.375))
    draft.facts["last_reduced_dose"] = level if level == "never" else {"value": level, "unit": "mg/m2"}


def gain_and_bilirubin(draft):
    exact_pair(draft, 50, draft.rng.choice((51.25, 51.3)))
    dose_for(draft, 1)
    draft.facts["bilirubin_total"] = [
        draft.result(0.6, draft.rng.randint(4, 9), unit="mg/dL", ref_high=1.0),
        draft.result(draft.rng.choice((0.5, 0.6, 0.7)), 1, unit="mg/dL", ref_high=1.0),
    ]
