"""Random valid patients: a clear one, and none to eight changes to what is recorded.

    random_request(random.Random(7), "inebilizumab")

The same generator state gives the same request. A third have at most one change. Nothing here
is refused by the service: the changes are to what is known, never to the shape of a request.
"""

from datetime import date, timedelta

from tests.patients.changes import CHANGES, another_value
from tests.patients.clear import Draft, clear_draft
from tests.patients.values import RESULTS

HOW_MANY = (0, 1, 1, 2, 3, 4, 5, 6, 8)

HISTORY = (
    "first_dose_on",
    "last_dose_on",
    "ecg_on",
    "electrolytes_on",
    "platelet_transfusion_on",
    "immune_globulin_on",
)

SPELLINGS = {
    "inebilizumab": ("UPLIZNA", "Inebilizumab"),
    "ibalizumab": ("Trogarzo", "IBALIZUMAB"),
    "inotuzumab_ozogamicin": ("besponsa", "Inotuzumab ozogamicin"),
}


def random_request(rng, drug):
    draft = clear_draft(rng, drug)
    for _ in range(rng.choice(HOW_MANY)):
        change(draft)
    make_valid(draft)
    request = draft.request()
    if rng.random() < 0.03:
        request["drug"] = rng.choice(SPELLINGS[drug])
    if rng.random() < 0.03:
        del request["region"]
    return request


def change(draft):
    """Something recorded goes missing, is another value, or comes to lie at one of its limits."""
    rng = draft.rng
    if rng.random() < 0.35:
        name = rng.choice(sorted(draft.facts))
        lose(draft, name)
        return
    named = [(name, action) for name, action in CHANGES if name is None or name in draft.facts]
    rng.choice(named)[1](draft)


def lose(draft, name):
    """Absent, null, the word unknown, wrapped, not counting, or another allowed value."""
    rng, fact = draft.rng, draft.facts[name]
    way = rng.choice(("absent", "absent", "null", "unknown", "wrapped", "void", "other", "other"))
    if way == "absent":
        del draft.facts[name]
    elif way in ("null", "unknown"):
        draft.facts[name] = None if way == "null" else "unknown"
    elif way == "other":
        another_value(draft, name)
    elif name in RESULTS and isinstance(fact, dict):
        draft.facts[name] = {**fact, "status": rng.choice(("preliminary", "corrected", "entered-in-error"))}
    elif name not in RESULTS and way == "wrapped" and not isinstance(fact, dict) and fact is not None:
        draft.facts[name] = {"value": fact, "source": "Record/7"}
    elif name not in RESULTS and not isinstance(fact, (dict, list)) and fact is not None:
        draft.facts[name] = {"value": fact, "status": rng.choice(("final", "entered-in-error"))}


# ---- what a valid record can never say


def dates_in(thing):
    """Every date written anywhere in the facts, its time of day left out."""
    if isinstance(thing, dict):
        return [found for key, value in thing.items() if key != "source" for found in dates_in(value)]
    if isinstance(thing, list):
        return [found for value in thing for found in dates_in(value)]
    if isinstance(thing, str) and len(thing) >= 10 and thing[:4].isdigit() and thing[4] == "-":
        return [date.fromisoformat(thing[:10])]
    return []


def bare(fact):
    return fact.get("value") if isinstance(fact, dict) else fact


def as_date(draft, name):
    found = dates_in(bare(draft.facts.get(name)))
    return found[0] if found else None


def make_valid(draft: Draft):
    """The first dose is no later than the last, both before today; nothing happened before birth."""
    facts = draft.facts
    first, last = as_date(draft, "first_dose_on"), as_date(draft, "last_dose_on")
    if first and last and first > last:
        facts["first_dose_on"] = last.isoformat()
    for name in HISTORY:
        day = as_date(draft, name)
        if day and day > draft.today:
            facts[name] = draft.day(1)
    birth = as_date(draft, "birth_date")
    recorded = dates_in({name: fact for name, fact in facts.items() if name != "birth_date"})
    if birth and birth > min(recorded, default=draft.today) - timedelta(days=1):
        facts["birth_date"] = "1975-02-28"
