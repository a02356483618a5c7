"""A pack's rules in zen-engine: every rule's verdict in one compiled expression."""

import json

import zen

from benchmarks.bounds import Comparison, bounds, places
from service.checklist.truth import FALSE, TRUE, UNKNOWN

SIGNS = {"eq": "==", "neq": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "in": "in", "out": "not in"}
VERDICTS = {0.0: FALSE, 1.0: UNKNOWN, 2.0: TRUE}


class ZenRules:
    """Decides as the engine does: measured values in, the verdict of every rule out."""

    def __init__(self, pack):
        pairs = [bounds(rule.concern) for rule in pack.rules]
        used = set().union(*(places(bound) for pair in pairs for bound in pair))
        self.keys = [(f"v{place}", place) for place in sorted(used)]
        self.rules = [rule.id for rule in pack.rules]
        self.expression = zen.compile_expression("[" + ", ".join(_verdict(*pair) for pair in pairs) + "]")

    def decide(self, values):
        """The verdict of every rule."""
        known = {key: values[place] for key, place in self.keys if values[place] is not None}
        found = self.expression.evaluate(known)
        return {rule: VERDICTS[verdict] for rule, verdict in zip(self.rules, found, strict=True)}


def _verdict(certain, possible):
    holds, may_hold = _said(certain), _said(possible)
    return f"({holds} ? 2 : 0)" if holds == may_hold else f"({holds} ? 2 : {may_hold} ? 1 : 0)"


def _said(bound):
    if not isinstance(bound, Comparison):
        return "(" + f" {bound.joint} ".join(_said(part) for part in bound.parts) + ")"
    name = f"v{bound.place}"
    said = f"{name} {SIGNS[bound.comparison]} {json.dumps(bound.operand)}"
    true_of_null = bound.comparison in ("neq", "out")
    if bound.unknown:
        return said if true_of_null else f"({name} == null or {said})"
    return said if bound.comparison in ("eq", "in") else f"({name} != null and {said})"
