"""Proposals: an answer or a change that might make a finding go away, each with its sentence.

A fact that is unknown may be answered in any way; a known one may change only where the vocabulary says
that something done now can change it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from service.checklist.conditions import Criterion
from service.checklist.evidence import Case
from service.checklist.facts import FactDefinition, Reading
from service.checklist.lists import Entry, FieldTest, TimeTest
from service.checklist.measures import SCALE
from service.checklist.operators import OPPOSITE
from service.checklist.rules import Check, Rule
from service.checklist.terms import DateOf, FactValue, Known, OwnLimit, Term, Word
from service.checklist.trace import Trace
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth

# A result that is not there yet has no limits of its own; any will do, as long as it is the same for all.
_MADE_UP_LIMIT = Decimal(1)


@dataclass(frozen=True, eq=False)
class Proposal:
    """One fact given anew, and how it is said."""

    fact: str
    says: str
    reading: Reading


def proposals(trace: Trace, check: Check, rule: Rule) -> dict[str, list[Proposal]]:
    """Proposals by fact, for the facts that settled a rule which holds or is undecided."""
    pools: dict[str, list[Proposal]] = {}
    for fact in _facts_to_change(trace, rule):
        definition = trace.pack.vocabulary[fact]
        if not definition.advised:
            continue
        found: dict[str, Proposal] = {}  # the same answer is proposed once, in the words of the first
        for criterion in _criteria_about(fact, check, rule):
            for proposal in _propose(criterion, definition, trace.case):
                found.setdefault(repr(proposal.reading), proposal)
        if found:
            pools[fact] = list(found.values())
    return pools


def _facts_to_change(trace: Trace, rule: Rule) -> list[str]:
    facts: dict[str, None] = {}
    for criterion in rule.concern.settled(trace.values)[1]:
        for term in _reading_terms(criterion):
            unknown = trace.case.evidence(term.fact).unknown is not None
            stale = criterion.truth(trace.values) is UNKNOWN
            if unknown or stale or trace.pack.vocabulary[term.fact].may_change:
                facts[term.fact] = None
    return list(facts)


def _reading_terms(criterion: Criterion) -> list[FactValue | Entry]:
    return [term for term in criterion.measure.readers if isinstance(term, FactValue | Entry)]


def _criteria_about(fact: str, check: Check, rule: Rule) -> list[Criterion]:
    own = list(rule.concern.criteria())
    rest = [criterion for other in check.rules if other is not rule for criterion in other.concern.criteria()]
    return [
        criterion
        for criterion in (*own, *rest)
        if any(term.fact == fact for term in _reading_terms(criterion))
    ]


def _propose(criterion: Criterion, definition: FactDefinition, case: Case) -> Iterator[Proposal]:
    left = criterion.measure.left
    match definition.type:
        case "code":
            for code in definition.values:
                yield _plain(definition, f"{definition.name} is {code}", code, case)
        case "list":
            if isinstance(left, Entry) and left.fact == definition.name:
                yield from _entries(left, criterion, definition, case)
        case "date":
            yield from _dates(criterion, definition, case)
        case _:
            yield from _amounts(criterion, left, definition, case)


def _plain(
    definition: FactDefinition, says: str, value: Any, case: Case, unit: str | None = None
) -> Proposal:
    at = case.infusion_at if definition.result else None
    known = case.evidence(definition.name)
    low, high = known.ref_low, known.ref_high
    if unit is not None and definition.result and known.unknown is not None:
        low = high = _MADE_UP_LIMIT
    return Proposal(definition.name, says, Reading(value, unit, at, ref_low=low, ref_high=high))


def _amounts(criterion: Criterion, left: Term, definition: FactDefinition, case: Case) -> Iterator[Proposal]:
    if isinstance(left, Word):
        for word in definition.words:
            yield _plain(definition, f"{definition.name} is {word}", word, case)
        return
    if isinstance(left, Known):
        known = case.evidence(definition.name)
        value = definition.low if known.value is None else known.value
        says = f"{definition.name} is measured anew" if definition.result else f"{definition.name} is known"
        yield _plain(definition, says, value, case, left.unit or definition.unit)
        return
    if not isinstance(left, FactValue) or left.fact != definition.name or left.before:
        return
    for target in (FALSE, TRUE):
        limit = _limit(criterion, case)
        if limit is None:
            continue
        amount = _reaching(criterion, target, limit, whole=definition.type == "integer")
        if amount is None:
            continue
        says = criterion.says(target, ids=True)
        if not definition.result and criterion.measure.right is None:
            says = f"{definition.name} is {_number(amount)} {left.unit or ''}".strip()
        yield _plain(definition, says, amount, case, left.unit)


def _limit(criterion: Criterion, case: Case) -> Decimal | int | None:
    right = criterion.measure.right
    if right is None:
        operand = criterion.operand
        if not isinstance(operand, int):
            return None
        return operand if criterion.measure.left.whole else Decimal(operand) / SCALE
    value = right.value(case)
    if value is None and isinstance(right, OwnLimit):
        return right.times * _MADE_UP_LIMIT
    return value if isinstance(value, int | Decimal) else None


def _reaching(
    criterion: Criterion, target: Truth, limit: Decimal | int, *, whole: bool
) -> Decimal | int | None:
    """An amount of which the criterion has the target truth, as near the limit as may be."""
    name = criterion.operator.name
    if target is FALSE:
        name = {"is": "is_not", "is_not": "is"}.get(name) or OPPOSITE.get(criterion.operator.holds, name)
    step = 1 if whole else Decimal("0.001")
    amount = {
        "is": limit,
        "at_least": limit,
        "at_most": limit,
        "above": limit + step,
        "below": limit - step,
    }.get(name)
    if amount is None:
        return None
    return int(amount) if whole else Decimal(amount)


def _number(amount: Decimal | int) -> str:
    return f"{amount.normalize():f}" if isinstance(amount, Decimal) else str(amount)


def _dates(criterion: Criterion, definition: FactDefinition, case: Case) -> Iterator[Proposal]:
    left = criterion.measure.left
    if isinstance(left, Word):
        for word in definition.words:
            yield _plain(definition, f"{definition.name} is {word}", word, case)
        return
    today = case.infusion_at.date()
    if isinstance(left, Known | DateOf) and left.fact == definition.name:
        yield _plain(definition, f"{definition.name} is {today.isoformat()}", today, case)
        return
    if case.evidence(definition.name).unknown is None or not isinstance(criterion.operand, int):
        return
    start = _with_date(criterion, definition, case, today)
    if start is None:
        return
    for target in (FALSE, TRUE):
        reached = _reaching(criterion, target, criterion.operand, whole=True)
        for sign in (-1, 1):
            day = today + sign * timedelta(days=int(reached or 0) - start)
            measured = _with_date(criterion, definition, case, day) if day <= today else None
            if measured is not None and criterion.operator.test(measured, criterion.operand) is (
                target is TRUE
            ):
                yield _plain(definition, criterion.says(target, ids=True), day, case)
                break


def _with_date(criterion: Criterion, definition: FactDefinition, case: Case, day: date) -> int | None:
    facts = case.facts.replacing(definition.name, Reading(day))
    trial = Case.of(case.vocabulary, facts, case.infusion_at, case.region, case.policy)
    value, _ = criterion.measure.take(trial)
    return value if isinstance(value, int) else None


def _entries(
    entry: Entry, criterion: Criterion, definition: FactDefinition, case: Case
) -> Iterator[Proposal]:
    known = case.evidence(definition.name)
    items: Any = known.value or ()
    without = tuple(item for item in items if entry.truth(item, case) is FALSE)
    if known.unknown is not None or known.others or definition.may_change:
        absent = criterion.says(FALSE, ids=True)
        yield Proposal(definition.name, absent, Reading(without))
    item = _example(entry, case)
    if item is not None:
        present = criterion.says(TRUE, ids=True)
        yield Proposal(definition.name, present, Reading((*without, item)))


def _example(entry: Entry, case: Case) -> Any:
    """An entry that meets every test, or None."""
    item: dict[str, Any] = {
        name: each.default for name, each in case.vocabulary[entry.fact].fields.items() if each.default
    }
    for test in entry.tests:
        if isinstance(test, FieldTest):
            item[test.field] = _code(test, case, entry.fact)
        else:
            moment = _moment(test, case)
            if moment is None:
                return None
            item[test.field] = moment
    if set(item) == {"value"}:
        return item["value"]
    return item if entry.truth(item, case) is TRUE else None


def _code(test: FieldTest, case: Case, fact: str) -> Any:
    if test.operator.name == "is":
        return test.operand
    options = sorted(test.operand) if isinstance(test.operand, frozenset) else [test.operand]
    if test.operator.name == "is_one_of":
        return options[0]
    field = case.vocabulary[fact].fields.get(test.field)
    others = [code for code in (field.values if field else ()) if code not in options]
    return others[0] if others else "other"


def _moment(test: TimeTest, case: Case) -> Any:
    amount = test.operand.value(case)
    if not isinstance(amount, int | Decimal):
        return None
    whole = int(amount) + {"above": 1, "below": -1}.get(test.operator.name, 0)
    if test.unit == "minutes":
        return case.infusion_at - timedelta(minutes=whole)
    anchor = test.to.value(case)
    return anchor - timedelta(days=whole) if isinstance(anchor, date) else None
