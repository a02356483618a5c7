"""What the tests of the rules engine share: values to decide on, and a look into what was compiled."""

import random
import subprocess
import sys

import pytest

from service.checklist.compiler import compile_pack
from service.checklist.measures import SCALE
from tests.builders import ROOT, shipped

PACKS = sorted(shipped().packs)
SHIPPED_SETS = [
    pytest.param(rule_set, id=rule_set.name)
    for name in PACKS
    for rule_set in compile_pack(shipped().packs[name])
]


def leaves(pattern):
    inner = pattern.get("$and", pattern.get("$or"))
    return [pattern] if inner is None else [leaf for part in inner for leaf in leaves(part)]


def patterns(rule_set):
    return {name: each["all"][0]["m"] for name, each in rule_set.definition.items()}


def values_for(pack, seed):
    """Values as a patient might have them: unknown, at, or beside what they are compared with."""
    rng = random.Random(seed)
    values = [None] * pack.places
    criteria = [criterion for rule in pack.rules for criterion in rule.concern.criteria()]
    rng.shuffle(criteria)
    for criterion in criteria:
        operand = criterion.operand
        if isinstance(operand, int):
            value = operand + rng.choice((-SCALE, -1, 0, 0, 1, SCALE))
        else:
            codes = sorted(operand) if isinstance(operand, frozenset) else [operand]
            value = rng.choice([*codes, "other"])
        value = rng.choice((value, value, None))
        values[criterion.old] = value
        values[criterion.fresh] = rng.choice((value, None)) if criterion.old != criterion.fresh else value
    return values


def truths(pack, values):
    return {rule.id: rule.concern.truth(values) for rule in pack.rules}


def run_apart(script, timeout=60):
    """Run in a process of its own: a hang or a crash of the C module must not take the tests along."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        timeout=timeout,
        capture_output=True,
        text=True,
        check=False,
        # A fresh heap that is not zero, as in a long-lived process.
        env={"MALLOC_PERTURB_": "165", "PYTHONPATH": str(ROOT)},
    )
