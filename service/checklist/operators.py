"""The operators of a criterion: when each holds, how it is said, and its form in the rules engine.

A value is compared as the engine compares it: a code as text, a whole number as itself, a decimal as a
whole number of billionths.
"""

import operator as py
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operator:
    """A comparison. `holds` and `fails` are the engine's names of it and of its opposite."""

    name: str
    says: str
    negated: str
    test: Callable[[Any, Any], bool]
    holds: str
    fails: str
    takes: str

    def __repr__(self) -> str:
        return self.name


_ALL = (
    Operator("is", "is", "is not", py.eq, "eq", "neq", "any"),
    Operator("is_not", "is not", "is", py.ne, "neq", "eq", "any"),
    Operator("is_one_of", "is one of", "is none of", lambda v, o: v in o, "in", "out", "codes"),
    Operator("is_none_of", "is none of", "is one of", lambda v, o: v not in o, "out", "in", "codes"),
    Operator("above", "is above", "is at most", py.gt, "gt", "lte", "number"),
    Operator("at_least", "is at least", "is below", py.ge, "gte", "lt", "number"),
    Operator("below", "is below", "is at least", py.lt, "lt", "gte", "number"),
    Operator("has", "has", "has no", py.eq, "eq", "neq", "entries"),
    Operator("conflict", "contradicts itself", "does not contradict itself", py.eq, "eq", "neq", "nothing"),
    Operator("known", "is known", "is not known", py.eq, "eq", "neq", "nothing"),
    Operator("at_most", "is at most", "is above", py.le, "lte", "gt", "number"),
)
OPERATORS = {each.name: each for each in _ALL}
OPPOSITE = {"gt": "at_most", "lt": "at_least", "gte": "below", "lte": "above"}
