"""A list that may have other entries settles only what they cannot change, whatever they turn out to be."""

import random

from hypothesis import given, settings

from service.checklist.truth import UNKNOWN
from tests.laws.asking import LAWS, LIBRARY, SEEDS, ask, compact, is_taken, patients
from tests.laws.leniency import lenient_facts
from tests.laws.test_laws import LISTS, every_drug

EXAMPLES = settings(LAWS, max_examples=40)


def opened(entries):
    return {"value": entries, "complete": "no"}


def with_fact(request, name, fact):
    return {**request, "facts": {**request["facts"], name: fact}}


@every_drug
def test_what_an_open_list_decides_no_further_entry_changes(drug):
    decided = []

    @EXAMPLES
    @given(SEEDS)
    def law(seed):
        rng = random.Random(seed)
        one, other = patients(seed, drug, 2)
        for name in LISTS:
            known, more = (each["facts"].get(name) for each in (one, other))
            if not isinstance(known, list) or not isinstance(more, list):
                continue
            further = with_fact(one, name, rng.sample([*known, *more], len(known) + len(more)))
            if not is_taken(further):
                continue
            before = ask(with_fact(one, name, opened(known))).trace.verdicts
            after = ask(further).trace.verdicts
            for rule in LIBRARY.packs[drug].rules:
                if before[rule.id] is not UNKNOWN and name not in lenient_facts(rule):
                    assert after[rule.id] is before[rule.id], f"{rule.id}, {name}: {compact(further)}"
                    decided.append(rule.id)

    law()
    assert decided
