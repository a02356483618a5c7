"""The trace: every rule's verdict recomputed from its criteria, as an auditor would, and why.

`settling` is the whole theory of explanation: under min and max, the parts whose truth is the whole's
are the parts that settled it. The same few lines answer why, why not, and what to ask.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from service.checklist.amounts import Named
from service.checklist.conditions import (
    SCALE,
    AllOf,
    AnyOf,
    Condition,
    Criterion,
    Defined,
    Not,
    Recorded,
    Scaled,
)
from service.checklist.evidence import Case, Unknown
from service.checklist.facts import Item
from service.checklist.findings import Because
from service.checklist.lists import Entry
from service.checklist.rules import Pack, Rule
from service.checklist.terms import FactValue, Infusion, Region
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
        values = self.values
        return {rule.id: rule.concern.truth(values) for rule in self.pack.rules}

    def unknowns(self, condition: Condition) -> tuple[Unknown, ...]:
        """The facts (and policy parameters) that keep a condition undecided, each once."""
        found: dict[str, Unknown] = {}
        for criterion in condition.settling(self.values):
            for unknown in criterion.measure.unknowns(self.case):
                found.setdefault(unknown.fact, unknown)
        return tuple(found.values())

    def because(self, condition: Condition) -> tuple[Because, ...]:
        """The known facts that settled a condition; of an undecided one, those that keep it open."""
        found: dict[str, Because] = {}
        for criterion in self._reasons(condition):
            for because in self._facts_of(criterion):
                found.setdefault(because.fact, because)
        return tuple(found.values())

    def _reasons(self, condition: Condition) -> Iterator[Criterion]:
        truth = condition.truth(self.values)
        if truth is not UNKNOWN or not condition.parts:
            yield from condition.settling(self.values)
            return
        for part in condition.parts:
            yield from self._reasons(part)

    def _facts_of(self, criterion: Criterion) -> Iterator[Because]:
        for term in _readers(criterion.measure.terms()):
            if isinstance(term, Region):
                yield Because("region", self.case.region)
                continue
            if isinstance(term, Infusion):
                continue
            known = self.case.evidence(term.fact)
            if known.unknown is not None:
                continue
            value: Any = known.value
            if isinstance(term, Entry):
                value = _matched(term, self.case, value)
            yield Because(term.fact, value, known.unit, known.at, known.source)

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
        leaf["facts"] = [because.fact for because in self._facts_of(criterion)]
        return leaf


def _readers(terms: tuple[Any, ...]) -> Iterator[Any]:
    """The terms that read a fact, or the region, behind a measure."""
    for term in terms:
        if isinstance(term, FactValue | Entry | Region):
            yield term
        if isinstance(term, Entry | Named) or not isinstance(term, FactValue):
            yield from _readers(term.inputs())


def _matched(entry: Entry, case: Case, everything: tuple[Item, ...]) -> Any:
    """The entries that matched; else those that might; else all of them."""
    return entry.entries(case, TRUE) or entry.entries(case, UNKNOWN) or list(everything)


def _shown(criterion: Criterion, values: list[Scaled]) -> str | int | None:
    value = values[criterion.fresh] if values[criterion.fresh] is not None else values[criterion.old]
    if isinstance(value, int) and not criterion.measure.left.whole:
        return f"{Decimal(value) / SCALE:.9f}".rstrip("0").rstrip(".")
    return value
