"""The patients that are evaluated: three typical ones a drug (`requests/`), and random ones."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

from service.checklist.evidence import Case
from service.intake.errors import BadInput
from service.intake.requests import read_request
from tests.random_patients import random_request

REQUESTS = Path(__file__).parent / "requests"
TYPICAL = {"first": "first dose, clear", "later": "later dose, clear", "findings": "1 or 2 findings"}


def typical(library, drug, name):
    """One of the typical patients of a drug."""
    text = (REQUESTS / f"{drug}_{name}.json").read_text(encoding="utf-8")
    return read_request(json.loads(text), library)


def mixed(library, drug, count, *, seed=20_26, change=None):
    """Random patients: a clear one, and none to eight changes to what is recorded."""
    source, found = random.Random(seed), []
    while len(found) < count:
        document = random_request(source, drug)
        if change is not None:
            change(document, source)
        try:
            found.append(read_request(document, library))
        except BadInput:
            continue  # a random value that the service refuses is no patient
    return found


def with_old_premedication(request, source):
    """Now and then a premedication is of the day before, which random patients do not have by themselves."""
    charted = request["facts"].get("premedications")
    if source.random() < 0.2 and isinstance(charted, list):
        for each in charted:
            if each.get("at") and source.random() < 0.5:
                minutes = source.choice((1439, 1440, 1441, 3000))
                before = datetime.fromisoformat(request["infusion_at"]) - timedelta(minutes=minutes)
                each["at"] = before.isoformat()


def case_of(request, policy):
    """The case of a request, nothing looked up yet: what `evaluate` begins with."""
    situation = request.situation
    vocabulary = request.pack.vocabulary
    return Case.of(vocabulary, situation.facts, situation.infusion_at, situation.region, dict(policy))
