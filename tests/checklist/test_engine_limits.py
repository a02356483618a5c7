"""What would be too much for the rules engine: memory that is kept, and rules that are too large."""

from pathlib import Path

import pytest

from service.checklist.compiler import CannotCompile, compile_pack
from service.checklist.engine import Engine, EngineFault
from service.checklist.truth import TRUE
from tests.builders import loaded, pack_of, shipped, verdicts
from tests.checklist.engines import SHIPPED_SETS, leaves, patterns, run_apart, truths, values_for

# Facts stay in memory until they are taken back, and about a thousand sessions are the limit.


def resident():
    """Resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def grown_by(step, times, warm_up):
    for turn in range(warm_up):
        step(turn)
    before = resident()
    for turn in range(times):
        step(turn)
    return resident() - before


def test_memory_stays_flat_over_thousands_of_patients():
    pack = shipped().packs["inebilizumab"]
    patients = [values_for(pack, seed) for seed in range(200)]
    with loaded(pack) as engine:
        grown = grown_by(lambda turn: engine.decide(patients[turn % 200]), times=4000, warm_up=1100)
    # Kept facts would be 0.1 MB a patient and more.
    assert grown < 24


def test_memory_stays_flat_over_patients_whose_answer_fails():
    pack = pack_of({"r": {"warn_if": {"dose_number": {"above": 3}}}})

    def fail(_):
        with pytest.raises(EngineFault):
            engine.decide([1e-07])
        assert engine.decide([9]) == {"r": TRUE}

    with loaded(pack) as engine:
        assert grown_by(fail, times=100, warm_up=20) < 24


def test_loading_a_pack_again_and_again_does_not_pile_up():
    pack = shipped().packs["inebilizumab"]
    # A rule set that is not deleted keeps about 0.4 MB, and this pack has several.
    assert grown_by(lambda _: Engine(pack).close(), times=100, warm_up=10) < 24


# More conditions, productions, groups or keys than the engine holds: errors, endless loops, crashes.


@pytest.mark.parametrize("rule_set", SHIPPED_SETS)
def test_a_rule_set_stays_within_the_limits_of_the_engine_for_the_worst_patient(rule_set):
    found = patterns(rule_set)
    distinct = {repr(leaf) for pattern in found.values() for leaf in leaves(pattern)}
    assert len(distinct) <= 61  # the marker included; 64 true at once are the limit
    assert len(found) <= 201
    assert len(rule_set.rules) <= 60  # 65 that end on one condition are error 303
    assert len(rule_set.keys) + 2 <= 250
    for pattern in found.values():
        assert groups(pattern) <= 15
        assert len(leaves(pattern)) <= 31


def groups(pattern):
    inner = pattern.get("$and", pattern.get("$or"))
    return 0 if inner is None else 1 + sum(map(groups, inner))


def test_more_conditions_than_one_rule_set_holds_are_split_into_several():
    rules = {f"r{limit}": {"warn_if": {"dose_number": {"above": limit}}} for limit in range(100)}
    pack = pack_of(rules)
    sets = compile_pack(pack)
    assert len(sets) > 1
    assert [rule.id for rule_set in sets for rule in rule_set.rules] == list(rules)
    with loaded(pack) as engine:
        for dose in (1, 50, 51, 100, 999):
            found = verdicts(pack, engine, {"dose_number": dose})
            assert found == {f"r{limit}": "yes" if dose > limit else "no" for limit in range(100)}


def test_a_rule_of_many_alternatives_is_split_into_branches():
    any_of = {"any": [{"dose_number": {"is": number}} for number in range(1, 58, 2)]}
    pack = pack_of({"odd": {"warn_if": any_of}})
    with loaded(pack) as engine:
        for dose in range(1, 58):
            assert verdicts(pack, engine, {"dose_number": dose}) == {"odd": "yes" if dose % 2 else "no"}


MULTIPLYING = """
from service.checklist.compiler import CannotCompile, compile_pack
from tests.builders import pack_of
any_of = {"any": [{"dose_number": {"is": number}} for number in range(1, 51)]}
try:
    compile_pack(pack_of({"other": {"warn_if": {"not": {"recorded": any_of}}}}))
except CannotCompile as refused:
    assert "other" in str(refused) and "split it" in str(refused), refused
"""


def test_a_rule_whose_branches_multiply_is_loaded_or_refused_at_once():
    done = run_apart(MULTIPLYING, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")


def test_deeply_nested_alternatives_are_split_until_they_fit():
    parts = [
        {
            "any": [
                {"dose_number": {"is": place}},
                {"all": [{"cycle": {"is": place}}, {"tb_active": {"is": "yes"}}]},
            ]
        }
        for place in range(1, 9)
    ]
    pack = pack_of({"r": {"warn_if": {"any": [{"all": parts[:3]}, {"all": parts[3:]}]}}})
    with loaded(pack) as engine:
        for seed in range(300):
            values = values_for(pack, seed)
            assert engine.decide(values) == truths(pack, values)


TOO_LARGE = [
    (
        {"any": [{"dose_number": {"is": number}} for number in range(1, 70)]},
        "has more than 60 alternatives",
    ),
    ({"all": [{"dose_number": {"is_not": number}} for number in range(1, 40)]}, "has 39 conditions in a row"),
]


@pytest.mark.parametrize(("condition", "said"), TOO_LARGE)
def test_a_rule_that_is_too_large_is_refused_at_load_with_the_way_out(condition, said):
    with pytest.raises(CannotCompile, match=f"big {said}.*: split it"):
        compile_pack(pack_of({"big": {"warn_if": condition}}))


def test_many_rules_on_a_few_conditions_are_split_into_several_rule_sets():
    pairs = [(place % 11, place // 11) for place in range(110)]
    rules = {
        f"r{first}-{second}": {
            "warn_if": {"all": [{"dose_number": {"above": first}}, {"cycle": {"above": second}}]}
        }
        for first, second in pairs
    }
    pack = pack_of(rules)
    with loaded(pack) as engine:
        for seed in range(50):
            values = values_for(pack, seed)
            assert engine.decide(values) == truths(pack, values)


@pytest.mark.parametrize("count", [64, 65, 90])
def test_more_rules_on_one_unknown_fact_than_the_engine_holds_at_once_are_answered(count):
    # 65 productions that end on the same condition are error 303, for that patient only.
    rules = {f"r{place}": {"warn_if": {"dose_number": {"above": place % 3}}} for place in range(count)}
    pack = pack_of(rules)
    with loaded(pack) as engine:
        for values in ([None], [0], [999]):
            assert engine.decide(values) == truths(pack, values)
