"""The patients that are evaluated: three typical ones a drug (`requests/`), and random ones."""

import json
import random
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


def mixed(library, drug, count, seed=20_26):
    """Random patients: a clear one, and none to eight changes to what is recorded."""
    source, found = random.Random(seed), []
    while len(found) < count:
        try:
            found.append(read_request(random_request(source, drug), library))
        except BadInput:
            continue  # a random value that the service refuses is no patient
    return found


def case_of(request, library):
    """The case of a request, nothing looked up yet: what `evaluate` begins with."""
    situation = request.situation
    vocabulary, policy = request.pack.vocabulary, dict(library.policy.values)
    return Case.of(vocabulary, situation.facts, situation.infusion_at, situation.region, policy)
