"""Random patients: engine, trace, oracle and a clinician's plain Python come to the same answer."""

from functools import partial
from math import ceil

import pytest
from hypothesis import given, settings

from tests.by_hand import check
from tests.laws.asking import DRUGS, LAWS, SEEDS, ask, compact, decide, in_words, patients, smallest, statuses
from tests.oracle import verdicts as by_the_oracle

PATIENTS = 20_000
PARTS = range(4)
BY_HAND = 2_500  # clinical differences show long before
BATCH = 20


def rules_in_dispute(drug, request):
    """The rules on which engine, trace and oracle differ: (engine, trace, oracle) for each."""
    made = decide(request)
    engine, trace, oracle = in_words(made.decided), in_words(made.verdicts), by_the_oracle(request, drug)
    assert engine.keys() == trace.keys() == oracle.keys()
    return {
        rule: (engine[rule], trace[rule], oracle[rule])
        for rule in trace
        if not engine[rule] == trace[rule] == oracle[rule]
    }


def checks_in_dispute(request):
    """The checks whose worst status is another by hand: (service, by hand) for each."""
    service, hand = statuses(ask(request)), check(request)
    return {
        name: (service.get(name), hand.get(name))
        for name in {**service, **hand}
        if service.get(name) != hand.get(name)
    }


def in_each_batch(drug, part, how_many, disputes):
    """Fail on the first patient of whom `disputes` names something, with no more facts than it takes."""

    @settings(LAWS, max_examples=ceil(how_many / BATCH))
    @given(SEEDS)
    def agree(seed):
        for request in patients(f"{part} {seed}", drug, BATCH):
            for name, said in disputes(request).items():
                least = smallest(request, partial(still_says, disputes, name, said))
                pytest.fail(f"{name}: {said}: {compact(least)}")

    agree()


def still_says(disputes, name, said, request):
    return disputes(request).get(name) == said


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("drug", DRUGS)
def test_engine_trace_and_oracle_agree_on_every_rule(drug, part):
    in_each_batch(drug, part, PATIENTS / (len(DRUGS) * len(PARTS)), partial(rules_in_dispute, drug))


@pytest.mark.parametrize("drug", DRUGS)
def test_every_check_says_what_a_clinician_says_by_hand(drug):
    in_each_batch(drug, 0, BY_HAND / len(DRUGS), checks_in_dispute)
