"""The random patients: valid, repeatable, and reaching what the checks can say."""

import json
import random
from collections import defaultdict
from datetime import date, datetime

import pytest

from tests.by_hand import DRUGS, check
from tests.patients.clear import clear_draft
from tests.patients.values import CHOICES
from tests.random_patients import bare, dates_in, random_request


@pytest.mark.parametrize("drug", DRUGS)
def test_random_patients_repeat_and_reach_every_status(drug):
    rng, again = random.Random(11), random.Random(11)
    seen = defaultdict(set)
    for _ in range(3000):
        request = random_request(rng, drug)
        assert json.dumps(request) == json.dumps(random_request(again, drug))
        assert_valid(request)
        for name, found in check(request).items():
            seen[name].add(found)
    assert {name for name, statuses in seen.items() if len(statuses) < 2} == set()


@pytest.mark.parametrize("drug", DRUGS)
def test_random_patients_start_clear(drug):
    for seed in range(300):
        assert set(check(clear_draft(random.Random(seed), drug).request()).values()) == {"pass"}


def assert_valid(request):
    """What the service would refuse is not in there."""
    facts, today = request["facts"], datetime.fromisoformat(request["infusion_at"]).date()
    for name, allowed in CHOICES.items():
        found = bare(facts.get(name))
        assert found in (*allowed, None, "unknown") or type(found) is type(allowed[0]) is int, name
    assert bare(facts.get("cycle_day")) in (1, 8, 15, None, "unknown")
    birth = dates_in(bare(facts.get("birth_date")))
    assert not birth or birth[0] < min(dates_in({k: v for k, v in facts.items() if k != "birth_date"}))
    for name in ("first_dose_on", "last_dose_on", "ecg_on", "electrolytes_on", "platelet_transfusion_on"):
        assert max(dates_in(facts.get(name)), default=date.min) <= today
    vaccines = facts.get("vaccinations")
    for vaccine in vaccines if isinstance(vaccines, list) else []:
        if vaccine.get("status") != "planned":
            assert max(dates_in(vaccine.get("on")), default=date.min) <= today
