"""Advice: what would make a finding go away, and from which day time alone does.

Every piece of advice is proposed from the criteria that settled the finding and verified by evaluating the
check again with the change in place; what does not verify is not said.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import combinations, product

from service.checklist import calendar
from service.checklist.conditions import Condition, Criterion
from service.checklist.dates import Years
from service.checklist.evidence import Case
from service.checklist.lists import Entry, flip_amounts
from service.checklist.measures import Measure, Scaled
from service.checklist.proposals import Proposal, proposals
from service.checklist.rules import Check, Rule
from service.checklist.terms import DateOf, Term
from service.checklist.trace import Trace, measure
from service.checklist.truth import FALSE, TRUE, Truth

MOST_TRIALS = 150
MOST_ANSWERS = 4
MOST_FACTS = 3
FURTHEST = 45_000


def would_pass_when(trace: Trace, check: Check, rule: Rule) -> tuple[tuple[str, ...], ...]:
    """The smallest sets of answers or changes after which the rule is ruled out and nothing else is worse.

    At most four sets of at most three facts; none where nothing done now can help.
    """
    pools = proposals(trace, check, rule)
    if not pools:
        return ()
    trial = _Trial(trace, check, rule, frozenset(pools))
    found: list[frozenset[Proposal]] = []
    for trials, chosen in enumerate(_choices(pools)):
        if trials >= MOST_TRIALS or len(found) >= MOST_ANSWERS:
            break
        if not any(smaller <= set(chosen) for smaller in found) and trial.passes(chosen):
            found.append(frozenset(chosen))
    return _said(found)


def _choices(pools: dict[str, list[Proposal]]) -> Iterator[tuple[Proposal, ...]]:
    """One answer for one fact, then for two, then for three."""
    for size in range(1, min(MOST_FACTS, len(pools)) + 1):
        for facts in combinations(pools, size):
            yield from product(*(pools[fact] for fact in facts))


class _Trial:
    """Evaluates a rule and its check again with some facts given anew."""

    def __init__(self, trace: Trace, check: Check, rule: Rule, facts: frozenset[str]) -> None:
        self.trace, self.rule = trace, rule
        self.others = [other for other in check.rules if other is not rule]
        measures = _measures_of([each.concern for each in check.rules])
        self.measures = [each for each in measures if not facts.isdisjoint(each[0].facts)]

    def passes(self, chosen: tuple[Proposal, ...]) -> bool:
        """Whether the rule is ruled out, its neighbours are no worse, and no check gains a finding as bad."""
        changed = _changed(self.trace.case, chosen)
        values = _values(self.trace, self.measures, changed)
        if self.rule.concern.truth(values) is not FALSE:
            return False
        verdicts = self.trace.verdicts
        if not all(_no_worse(other.concern.truth(values), verdicts[other.id]) for other in self.others):
            return False
        everything = measure(self.trace.pack, changed)
        return not any(
            each.status >= self.rule.status
            and verdicts[each.id] is not TRUE
            and each.concern.truth(everything) is TRUE
            for each in self.trace.pack.rules
        )


def _said(found: list[frozenset[Proposal]]) -> tuple[tuple[str, ...], ...]:
    said = (tuple(sorted(proposal.says for proposal in chosen)) for chosen in found)
    return tuple(dict.fromkeys(said))


def _no_worse(now: Truth, then: Truth) -> bool:
    return now is FALSE or now is then


def _changed(case: Case, chosen: tuple[Proposal, ...]) -> Case:
    facts = case.facts
    for proposal in chosen:
        facts = facts.replacing(proposal.fact, proposal.reading)
    return case.with_facts(facts, {proposal.fact for proposal in chosen})


def _measures_of(conditions: list[Condition]) -> list[tuple[Measure, int, int]]:
    criteria = {
        (criterion.fresh, criterion.old): criterion.measure
        for condition in conditions
        for criterion in condition.criteria()
    }
    return [(each, fresh, old) for (fresh, old), each in criteria.items()]


def _values(trace: Trace, measures: list[tuple[Measure, int, int]], case: Case) -> list[Scaled]:
    values = list(trace.values)
    for each, fresh, old in measures:
        values[fresh], values[old] = each.take(case)
    return values


def eligible_from(trace: Trace, rules: list[Rule]) -> date | None:
    """The first date on which all these rules are ruled out with the same facts, or None.

    Dates are tried where a criterion that time moves can change, and each is verified by measuring again.
    A rule that fired did so by entries that are known: it lifts when these no longer count.
    """
    offsets = sorted({days for rule in rules for days in _flips(trace, rule) if 0 < days <= FURTHEST})
    if not offsets:
        return None
    measures = _measures_of([rule.concern for rule in rules])
    start = trace.case.infusion_at
    for days in offsets:
        later = trace.case.at(start + timedelta(days=days))
        values = _values(trace, measures, later)
        known = later.as_far_as_known()
        fired = values if known is later else _values(trace, measures, known)
        if all(
            rule.concern.truth(fired if trace.verdicts[rule.id] is TRUE else values) is FALSE
            for rule in rules
        ):
            return later.infusion_at.date()
    return None


def _flips(trace: Trace, rule: Rule) -> Iterator[int]:
    for criterion in rule.concern.criteria():
        # What an age limit does with time is no way out: evidence only gets older.
        terms = (criterion.measure.left, criterion.measure.right)
        if not any(term is not None and term.moves for term in terms):
            continue
        if isinstance(criterion.measure.left, Entry):
            for days in flip_amounts(criterion.measure.left, trace.case):
                yield from (days, days + 1)
            continue
        if (years := _years(criterion.measure.left)) is not None:
            yield from _birthdays(years, criterion, trace.case)
            continue
        value, operand = trace.values[criterion.fresh], criterion.operand
        if isinstance(value, int) and isinstance(operand, int):
            yield from (operand - value, operand - value + 1, value - operand, value - operand + 1)


def _years(term: Term) -> Years | None:
    while not isinstance(term, Years):
        inner = term.inputs()
        if len(inner) != 1:
            return None
        term = inner[0]
    return term


def _birthdays(years: Years, criterion: Criterion, case: Case) -> Iterator[int]:
    born = years.start.value(case) if isinstance(years.start, DateOf) else None
    if isinstance(born, date) and isinstance(criterion.operand, int):
        for age in (criterion.operand, criterion.operand + 1):
            yield (calendar.birthday(born, age) - case.infusion_at.date()).days
