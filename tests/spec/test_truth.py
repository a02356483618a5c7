"""Kleene's tables, written out: what *all*, *any*, *not* and *recorded* mean when something is unknown.

Each table is checked three times: on the truth values, on the conditions, and on the rules engine.
"""

import itertools
import random

import pytest

from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth, conjunction, disjunction, negation
from tests.builders import loaded, pack_of, verdicts

WORDS = {"no": FALSE, "?": UNKNOWN, "yes": TRUE}
SAID = {"no": "no", "?": "unknown", "yes": "yes"}

ALL = """
        no    ?     yes
no      no    no    no
?       no    ?     ?
yes     no    ?     yes
"""
ANY = """
        no    ?     yes
no      no    ?     yes
?       ?     ?     yes
yes     yes   yes   yes
"""
NOT = {"no": "yes", "?": "?", "yes": "no"}
RECORDED = {"no": "no", "?": "no", "yes": "yes"}
NOT_RECORDED = {"no": "yes", "?": "yes", "yes": "no"}
RECORDED_NOT = {"no": "yes", "?": "no", "yes": "no"}


def cells(table):
    head, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], column, cell) for row in rows for column, cell in zip(head, row[1:], strict=True)]


PAIRS = [("all", *cell) for cell in cells(ALL)] + [("any", *cell) for cell in cells(ANY)]
A, B, C = {"tb_active": {"is": "yes"}}, {"pml_signs": {"is": "yes"}}, {"pregnant": {"is": "yes"}}
SINGLE = [
    *(("not", given, then) for given, then in NOT.items()),
    *(("recorded", given, then) for given, then in RECORDED.items()),
    *(("not recorded", given, then) for given, then in NOT_RECORDED.items()),
    *(("recorded not", given, then) for given, then in RECORDED_NOT.items()),
]
RULES = {
    "all": {"warn_if": {"all": [A, B]}},
    "any": {"warn_if": {"any": [A, B]}},
    "not": {"warn_if": {"not": A}},
    "recorded": {"warn_if": {"recorded": A}},
    "not-recorded": {"warn_if": {"not": {"recorded": A}}},
    "recorded-not": {"warn_if": {"recorded": {"not": A}}},
}


@pytest.fixture(scope="module")
def joints():
    pack = pack_of(RULES)
    with loaded(pack) as engine:
        yield pack, engine


def facts_of(**answers):
    names = {"a": "tb_active", "b": "pml_signs", "c": "pregnant"}
    return {names[key]: answer for key, answer in answers.items() if answer != "?"}


@pytest.mark.parametrize(("joint", "a", "b", "then"), PAIRS)
def test_all_and_any_follow_the_table_in_either_order(joint, a, b, then):
    join = conjunction if joint == "all" else disjunction
    assert join([WORDS[a], WORDS[b]]) is WORDS[then]
    assert join([WORDS[b], WORDS[a]]) is WORDS[then]


@pytest.mark.parametrize(("joint", "a", "b", "then"), PAIRS)
def test_all_and_any_follow_the_table_in_the_rules_engine(joints, joint, a, b, then):
    assert verdicts(*joints, facts_of(a=a, b=b))[joint] == SAID[then]


@pytest.mark.parametrize(("joint", "given", "then"), SINGLE)
def test_not_and_recorded_follow_the_table_in_the_rules_engine(joints, joint, given, then):
    assert verdicts(*joints, facts_of(a=given))[joint.replace(" ", "-")] == SAID[then]


@pytest.mark.parametrize(("given", "then"), NOT.items())
def test_not_follows_the_table(given, then):
    assert negation(WORDS[given]) is WORDS[then]


def test_of_nothing_all_holds_and_any_does_not():
    assert conjunction([]) is TRUE
    assert disjunction([]) is FALSE


def test_the_words_of_a_truth_are_those_of_a_trace():
    assert [truth.word for truth in Truth] == ["no", "unknown", "yes"]


def formula(rng, depth):
    """A random condition in the rule language, and the same as a function of three truths."""
    kind = rng.choice(("leaf", "all", "any", "not", "recorded")) if depth else "leaf"
    if kind == "leaf":
        place = rng.randrange(3)
        return (A, B, C)[place], lambda truths: truths[place]
    if kind in ("not", "recorded"):
        tree, holds = formula(rng, depth - 1)
        table = NOT if kind == "not" else RECORDED
        return {kind: tree}, lambda truths: table[holds(truths)]
    parts = [formula(rng, depth - 1) for _ in range(rng.choice((2, 2, 3)))]
    order = ["no", "?", "yes"]
    pick = min if kind == "all" else max
    return {kind: [tree for tree, _ in parts]}, lambda truths: pick(
        (holds(truths) for _, holds in parts), key=order.index
    )


@pytest.mark.parametrize("seed", range(40))
def test_any_formula_is_decided_by_the_tables_alone(seed):
    rng = random.Random(seed)
    made = {f"r{place}": formula(rng, 3) for place in range(4)}
    pack = pack_of({name: {"warn_if": tree} for name, (tree, _) in made.items()})
    with loaded(pack) as engine:
        for truths in itertools.product(WORDS, repeat=3):
            found = verdicts(pack, engine, facts_of(**dict(zip("abc", truths, strict=True))))
            assert found == {name: SAID[holds(truths)] for name, (_, holds) in made.items()}
