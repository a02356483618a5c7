"""The rules engine beside its one importer: each way in which it misbehaves, and that ours does not meet it.

The hazards were found by running durable-rules 2.0.28; the tests run the real engine.
"""

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import durable_rules_engine as durable
import orjson
import pytest

from service.checklist import compiler
from service.checklist.compiler import MARKER, SENTINEL, CannotCompile
from service.checklist.evidence import Case
from service.checklist.measures import SCALE
from service.checklist.trace import measure
from service.checklist.truth import FALSE, TRUE, UNKNOWN
from service.intake.errors import BadInput
from service.intake.requests import read_request
from tests.builders import (
    INFUSION_AT,
    loaded,
    measured,
    pack_of,
    request_for,
    scenario_file,
    shipped,
    verdicts,
)
from tests.checklist.engines import PACKS, SHIPPED_SETS, leaves, patterns, run_apart, truths, values_for
from tests.random_patients import random_request

# An event is taken by the first rule it fires; a fact fires all of them.


def test_every_rule_that_holds_is_found_and_not_only_the_first():
    pack = pack_of({f"r{limit}": {"warn_if": {"dose_number": {"above": limit}}} for limit in range(10)})
    with loaded(pack) as engine:
        assert verdicts(pack, engine, {"dose_number": 6}) == {
            f"r{limit}": "yes" if limit < 6 else "no" for limit in range(10)
        }


# An alternative fires once for each branch that holds, and alternatives inside *all* multiply.


def test_alternatives_that_hold_together_are_one_answer():
    both = [{"dose_number": {"above": 1}}, {"cycle": {"above": 1}}]
    others = [{"tb_active": {"is": "yes"}}, {"pml_signs": {"is": "yes"}}]
    pack = pack_of({"r": {"warn_if": {"all": [{"any": both}, {"any": others}]}}})
    facts = {"dose_number": 5, "cycle": 5, "tb_active": "yes", "pml_signs": "yes"}
    with loaded(pack) as engine:
        assert verdicts(pack, engine, facts) == {"r": "yes"}


# A pattern on a missing value also matches the engine's own messages, for ever: hence a marker in each.


@pytest.mark.parametrize("rule_set", SHIPPED_SETS)
def test_every_pattern_asks_first_for_the_marker_that_only_our_messages_have(rule_set):
    for name, pattern in patterns(rule_set).items():
        assert pattern == MARKER if name == SENTINEL else pattern["$and"][0] == MARKER


ALL_UNKNOWN = """
from service.checklist.engine import Engine
from service.checklist.evidence import Case
from service.checklist.trace import measure
from service.checklist.truth import FALSE
from service.knowledge.library import load_library
for pack in load_library().packs.values():
    engine = Engine(pack)
    nothing = [None] * pack.places
    expected = {rule.id: rule.concern.truth(nothing) for rule in pack.rules}
    assert engine.decide(nothing) == expected == engine.decide(nothing)
    assert set(expected.values()) != {FALSE}
    engine.close()
"""


def test_a_patient_of_whom_nothing_is_known_never_hangs_the_engine():
    done = run_apart(ALL_UNKNOWN)
    assert (done.returncode, done.stderr) == (0, "")


# A message that no rule matches is an error that quotes the patient, and forgetting it crashes.


@pytest.mark.parametrize("rule_set", SHIPPED_SETS)
def test_a_sentinel_of_the_lowest_priority_matches_every_message(rule_set):
    assert rule_set.definition[SENTINEL] == {"all": [{"m": MARKER}], "pri": 1}
    assert [name for name, each in rule_set.definition.items() if "pri" in each] == [SENTINEL]


def test_a_patient_with_no_finding_is_answered_like_any_other():
    pack = pack_of({"r": {"warn_if": {"dose_number": {"above": 3}}}})
    with loaded(pack) as engine:
        for _ in range(3):
            assert engine.decide([1]) == {"r": FALSE}
            assert engine.decide([9]) == {"r": TRUE}


# Exceptions in actions are swallowed, and some callables are taken for asynchronous: we have no actions.


@pytest.mark.parametrize("rule_set", SHIPPED_SETS)
def test_no_production_has_an_action(rule_set):
    assert all(set(each) <= {"all", "pri"} and len(each["all"]) == 1 for each in rule_set.definition.values())


# A host starts timer threads for every rule set, which run rules behind the caller's back.


def test_loading_and_deciding_starts_no_thread():
    before = threading.active_count()
    pack = shipped().packs["inebilizumab"]
    with loaded(pack) as engine:
        engine.decide([None] * pack.places)
        assert threading.active_count() == before


# The same content twice in one session, or a session shared by two patients.


def test_the_same_facts_twice_in_a_row_are_answered_twice():
    pack = shipped().packs["inebilizumab"]
    with loaded(pack) as engine:
        for seed in range(5):
            values = values_for(pack, seed)
            assert engine.decide(values) == engine.decide(values) == truths(pack, values)


@pytest.mark.parametrize("name", PACKS)
def test_a_thousand_patients_in_turn_are_each_answered_alone(name):
    pack = shipped().packs[name]
    with loaded(pack) as engine:
        for seed in range(1000):
            values = values_for(pack, seed)
            assert engine.decide(values) == truths(pack, values)


def test_a_patient_who_lacks_what_the_one_before_had_does_not_inherit_it():
    pack = pack_of(
        {"a": {"block_if": {"tb_active": {"is": "yes"}}}, "b": {"block_if": {"pml_signs": {"is": "yes"}}}}
    )
    with loaded(pack) as engine:
        assert engine.decide(["yes", None]) == {"a": TRUE, "b": UNKNOWN}
        assert engine.decide([None, "yes"]) == {"a": UNKNOWN, "b": TRUE}
        assert engine.decide([None, None]) == {"a": UNKNOWN, "b": UNKNOWN}
        assert engine.decide(["no", "no"]) == {"a": FALSE, "b": FALSE}


def test_eight_threads_that_share_an_engine_get_the_answers_of_one():
    pack = shipped().packs["inebilizumab"]
    patients = [values_for(pack, seed) for seed in range(400)]
    with loaded(pack) as engine:
        alone = [engine.decide(values) for values in patients]
        start = threading.Barrier(8)

        def work(offset):
            start.wait()
            turn = [*range(offset, len(patients)), *range(offset)]
            return all(engine.decide(patients[place]) == alone[place] for place in turn)

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(work, range(0, 400, 50))) == [True] * 8


# Values: numbers that are text, booleans, numbers too long or with an exponent, null.

LIMITS = [0, 1, -1, 28, 2**31, -(2**31), 2**32, 2**53 + 1, -(2**53) - 1, 2**62]


@pytest.mark.parametrize("operator", ["is", "is_not", "above", "at_least", "below", "at_most"])
def test_whole_numbers_of_any_size_are_compared_as_python_compares_them(operator):
    rules = {f"r{place}": {"warn_if": {"days": {operator: limit}}} for place, limit in enumerate(LIMITS)}
    days = {"label": "days", "unit": None, "is": {"days": {"from": "last_dose_on", "to": "infusion"}}}
    pack = pack_of(rules, quantities={"days": days})
    with loaded(pack) as engine:
        for value in {limit + step for limit in LIMITS for step in (-1, 0, 1)}:
            assert engine.decide([value]) == truths(pack, [value])


@pytest.mark.parametrize("amount", ["0", "0.000001", "0.1", "0.3", "37.999999", "38", "38.000001"])
def test_a_decimal_reaches_the_engine_as_a_whole_number_without_an_exponent(amount):
    pack = pack_of({"r": {"warn_if": {"anc": {"at_least": "38 10*9/L"}}}})
    _, values = measured(pack, {"anc": {"value": Decimal(amount), "unit": "10*9/L"}})
    assert values == [int(Decimal(amount) * SCALE)]
    with loaded(pack) as engine:
        assert engine.decide(values) == {"r": TRUE if Decimal(amount) >= 38 else FALSE}


def test_no_plausible_amount_exceeds_what_the_engine_can_count():
    for fact in shipped().vocabulary.facts.values():
        for limit in (fact.low, fact.high):
            assert limit is None or abs(limit) * SCALE < 2**62


@pytest.mark.parametrize("rule_set", SHIPPED_SETS)
def test_a_condition_compares_one_key_with_one_whole_number_or_one_short_code(rule_set):
    kinds = {}
    for pattern in patterns(rule_set).values():
        for leaf in leaves(pattern):
            # The engine ignores a second key in silence.
            assert len(leaf) == 1
            ((key, operand),) = leaf.items()
            if key.startswith("$"):
                assert len(operand) == 1
                ((name, operand),) = operand.items()
            else:
                name = key
            if key == "$nex" or leaf == MARKER:
                continue
            assert name == f"v{int(name[1:])}"
            assert type(operand) in (int, str)
            assert isinstance(operand, int) or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", operand)
            kinds.setdefault(name, set()).add(type(operand))
    # Text and numbers are never compared with one another: "10" is not below 9, and "3" is.
    assert all(len(types) == 1 for types in kinds.values())


@pytest.mark.parametrize("name", PACKS)
def test_what_reaches_the_engine_is_a_whole_number_or_a_code_and_never_the_patients_words(name):
    pack = shipped().packs[name]
    kinds = {}
    for rule in pack.rules:
        for criterion in rule.concern.criteria():
            for place in (criterion.fresh, criterion.old):
                kinds[place] = int if isinstance(criterion.operand, int) else str
    codes = {code for fact in pack.vocabulary.facts.values() for code in (*fact.values, *fact.words)}
    policy = {value for value in shipped().policy.values.values() if isinstance(value, str)}
    for patient in scenario_file(name)["patients"]:
        complete = request_for(name, patient)
        _, values = measured(pack, complete["facts"], region=complete["region"])
        check_kinds(values, kinds, codes | policy | {"given", "US", "EU"})
    rng = random.Random(name)
    for _ in range(300):
        try:
            facts = read_request(random_request(rng, name), shipped()).situation.facts
        except BadInput:
            continue  # implausible: refused before it is measured
        case = Case.of(pack.vocabulary, facts, INFUSION_AT, "US", dict(shipped().policy.values))
        check_kinds(measure(pack, case), kinds, codes | policy | {"given", "US", "EU"})


def check_kinds(values, kinds, codes):
    for place, kind in kinds.items():
        value = values[place]
        assert value is None or type(value) is kind
        assert not isinstance(value, str) or value in codes


def test_no_code_of_the_vocabulary_looks_like_a_number_or_a_truth():
    for fact in shipped().vocabulary.facts.values():
        for code in (
            *fact.values,
            *fact.words,
            *(each for field in fact.fields.values() for each in field.values),
        ):
            assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
            assert code not in ("true", "false", "null", "nan", "inf", "infinity")


# Names are 32-bit hashes, never compared as text.


def test_two_names_that_the_engine_takes_for_one_are_refused():
    with pytest.raises(CannotCompile, match="fact_739192 and fact_522789 are one name to the engine"):
        compiler._refuse_collisions(["k", "fact_522789", "v0", "fact_739192"])
    compiler._refuse_collisions(["k", "fact_522789", "fact_522789", "fact_739193"])


def test_the_engine_does_take_two_such_names_for_one():
    definition = {
        "r": {"all": [{"m": {"$and": [MARKER, {"$gt": {"fact_522789": 3}}]}}]},
        SENTINEL: {"all": [{"m": MARKER}]},
    }
    handle = durable.create_ruleset("collision", orjson.dumps(definition).decode())
    text = '{"sid":"1","k":"f","fact_739192":5}'
    _, state = durable.assert_fact(handle, text)
    found, fired = durable.start_action_for_state(handle, state)[1], []
    while found is not None:
        fired.append(found[2 : found.index('"', 2)])
        found = durable.complete_and_start_action(handle, state)
    durable.retract_fact(handle, text)
    durable.delete_ruleset(handle)
    assert sorted(fired) == ["r", SENTINEL]


def test_no_pack_uses_names_that_the_engine_would_take_for_one():
    names = {f"v{place}" for place in range(2000)} | {f"p{place}" for place in range(2000)}
    names |= {SENTINEL, "k", "sid", "id", "$s"}
    compiler._refuse_collisions(sorted(names))
