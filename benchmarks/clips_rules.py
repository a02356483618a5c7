"""A pack's rules in CLIPS, two for each: that it certainly and that it possibly holds."""

import json

import clips

from benchmarks.bounds import Comparison, bounds, places
from service.checklist.truth import FALSE, TRUE, UNKNOWN

SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
FRESH_FOR = 2_000


class ClipsRules:
    """Decides as the engine does: measured values in, the verdict of every rule out."""

    def __init__(self, pack):
        pairs = [bounds(rule.concern) for rule in pack.rules]
        used = sorted(set().union(*(places(bound) for pair in pairs for bound in pair)))
        self.keys = [(f"v{place}", place) for place in used]
        self.rules = [rule.id for rule in pack.rules]
        slots = " ".join(f"(slot {key})" for key, _ in self.keys)
        self.constructs = [
            f"(deftemplate patient {slots})",
            "(defglobal ?*certain* = (create$))",
            "(defglobal ?*possible* = (create$))",
        ]
        for number, pair in enumerate(pairs):
            for name, bound in zip(("certain", "possible"), pair, strict=True):
                self.constructs.append(_rule(name, number, bound))
        self.decided = FRESH_FOR
        self.refresh()

    def refresh(self):
        """Start afresh where many facts have been held: CLIPS slows down with each of them."""
        if self.decided < FRESH_FOR:
            return
        self.decided = 0
        self.environment = clips.Environment()
        for construct in self.constructs:
            self.environment.build(construct)
        self.environment.reset()
        self.patient = self.environment.find_template("patient")
        self.certain = self.environment.find_global("certain")
        self.possible = self.environment.find_global("possible")

    def decide(self, values):
        """The verdict of every rule."""
        self.decided += 1
        self.certain.value = self.possible.value = ()
        fact = self.patient.assert_fact(
            **{key: values[place] for key, place in self.keys if values[place] is not None}
        )
        self.environment.run()
        certain, possible = set(self.certain.value), set(self.possible.value)
        fact.retract()
        return {
            rule: TRUE if number in certain else UNKNOWN if number in possible else FALSE
            for number, rule in enumerate(self.rules)
        }


def _rule(name, number, bound):
    slots = " ".join(f"(v{place} ?v{place})" for place in sorted(places(bound)))
    return (
        f"(defrule {name}-{number} (patient {slots}) (test {_said(bound)})"
        f" => (bind ?*{name}* ?*{name}* {number}))"
    )


def _said(bound):
    if not isinstance(bound, Comparison):
        return f"({bound.joint} " + " ".join(_said(part) for part in bound.parts) + ")"
    name, operand = f"?v{bound.place}", bound.operand
    match bound.comparison:
        case "eq":
            said = f"(eq {name} {json.dumps(operand)})"
        case "neq":
            said = f"(neq {name} {json.dumps(operand)})"
        case "in":
            said = "(or " + " ".join(f"(eq {name} {json.dumps(each)})" for each in operand) + ")"
        case "out":
            said = f"(neq {name} {' '.join(json.dumps(each) for each in operand)})"
        case comparison:
            said = f"({SIGNS[comparison]} {name} {operand})"
    true_of_nil = bound.comparison in ("neq", "out")
    if bound.unknown:
        return said if true_of_nil else f"(or (eq {name} nil) {said})"
    return said if bound.comparison in ("eq", "in") else f"(and (neq {name} nil) {said})"
