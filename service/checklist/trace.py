"""The trace: every rule's verdict recomputed from its criteria, as an auditor would, and why.

`settling` is the whole theory of explanation: under min and max, the parts whose truth is the whole's
are the parts that settled it. The same few lines answer why, why not, and what to ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from service.checklist.conditions import AllOf, AnyOf, Condition, Criterion, Defined, Not, Recorded
from service.checklist.evidence import Case, Unknown
from service.checklist.findings import Because
from service.checklist.lists import Entry
from service.checklist.measures import SCALE, Scaled
from service.checklist.rules import Pack, Rule
from service.checklist.terms import Region
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth

VERDICTS = {TRUE: "holds", UNKNOWN: "undecided", FALSE: "ruled_out"}


def measure(pack: Pack, case: Case) -> list[Scaled]:
    """The values that the pack's criteria compare, by place; None where unknown."""
    values: list[Scaled] = [None] * pack.places
    for each, fresh, old in pack.measures:
        values[fresh], values[old] = each.take(case)
    return values


@dataclass(frozen=True)
class Trace:
    """One evaluation, open to every question: the case, the measured values, the engine's verdicts."""

    pack: Pack
    case: Case
    values: list[Scaled]
    decided: Mapping[str, Truth]
    fault: str | None = None

    @cached_property
    def verdicts(self) -> dict[str, Truth]:
        """The truth of every rule's concern, from the criteria alone."""
        return {rule.id: self._settled(rule.concern)[0] for rule in self.pack.rules}

    @cached_property
    def _memory(self) -> dict[int, tuple[Truth, Sequence[Criterion]]]:
        return {}

    def _settled(self, condition: Condition) -> tuple[Truth, Sequence[Criterion]]:
        """A condition's truth and what settles it, worked out once."""
        known = self._memory.get(id(condition))
        if known is None:
            known = self._memory[id(condition)] = condition.settled(self.values)
        return known

    def unknowns(self, condition: Condition) -> tuple[Unknown, ...]:
        """The facts (and policy parameters) that keep a condition undecided, each once."""
        found: dict[str, Unknown] = {}
        for criterion in self._settled(condition)[1]:
            for unknown in criterion.measure.unknowns(self.case):
                found.setdefault(unknown.fact, unknown)
        return tuple(found.values())

    def because(self, *conditions: Condition) -> tuple[Because, ...]:
        """The known facts that settled conditions; of an undecided one, those that keep it open."""
        criteria: dict[int, Criterion] = {}
        for condition in conditions:
            for criterion in self._reasons(condition):
                criteria.setdefault(criterion.fresh, criterion)
        found: dict[str, Because] = {}
        for criterion in criteria.values():
            self._add_facts_of(criterion, found)
        return tuple(found.values())

    def _reasons(self, condition: Condition) -> Sequence[Criterion]:
        truth, criteria = self._settled(condition)
        if truth is not UNKNOWN or not condition.parts:
            return criteria
        return [each for part in condition.parts for each in self._reasons(part)]

    def _add_facts_of(self, criterion: Criterion, found: dict[str, Because]) -> None:
        for term in criterion.measure.readers:
            name = "region" if isinstance(term, Region) else term.fact
            if name in found:
                continue
            if isinstance(term, Region):
                found[name] = Because(name, self.case.region)
                continue
            known = self.case.evidence(name)
            if known.unknown is None:
                value: Any = known.value
                if isinstance(term, Entry) and self.values[criterion.fresh] != 0:
                    value = term.entries(self.case, TRUE) or term.entries(self.case, UNKNOWN) or value
                found[name] = Because(name, value, known.unit, known.at, known.source)

    # The trace as a document, for the auditor and for replay.

    def rule(self, rule: Rule) -> dict[str, Any]:
        """One rule: its verdict, the engine's, and the tree of its criteria with the values compared."""
        engine = self.decided.get(rule.id)
        return {
            "rule": rule.id,
            "check": rule.check,
            "verdict": VERDICTS[self.verdicts[rule.id]],
            "engine": VERDICTS[engine] if engine is not None else None,
            "status_if_it_holds": rule.status.word,
            "status_if_undecided": rule.if_unknown.status.word if rule.if_unknown else None,
            "ledger": [row for citation in rule.citations for row in citation.ledger],
            "concern": self.node(rule.concern),
        }

    def node(self, condition: Condition) -> dict[str, Any]:
        """A condition and its parts, with the truth of each."""
        truth = condition.truth(self.values)
        if isinstance(condition, Criterion):
            return self._leaf(condition, truth)
        joints: dict[type[Condition], str] = {AllOf: "all", AnyOf: "any", Not: "not", Recorded: "recorded"}
        if isinstance(condition, Defined):
            return {"definition": condition.name, "truth": truth.word, "of": [self.node(condition.part)]}
        return {
            "joined_by": joints[type(condition)],
            "truth": truth.word,
            "of": [self.node(part) for part in condition.parts],
        }

    def _leaf(self, criterion: Criterion, truth: Truth) -> dict[str, Any]:
        leaf: dict[str, Any] = {
            "criterion": criterion.says(),
            "truth": truth.word,
            "value": _shown(criterion, self.values),
        }
        if truth is UNKNOWN:
            leaf["unknown"] = [
                {"fact": unknown.fact, "reason": unknown.reason.value, "detail": unknown.detail}
                for unknown in criterion.measure.unknowns(self.case)
            ]
        leaf["facts"] = list(dict.fromkeys(_name(term) for term in criterion.measure.readers))
        return leaf


def _name(term: Any) -> str:
    return "region" if isinstance(term, Region) else str(term.fact)


def _shown(criterion: Criterion, values: list[Scaled]) -> str | int | None:
    value = values[criterion.fresh] if values[criterion.fresh] is not None else values[criterion.old]
    if isinstance(value, int) and not criterion.measure.left.whole:
        return f"{Decimal(value) / SCALE:.9f}".rstrip("0").rstrip(".")
    return value
