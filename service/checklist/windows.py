"""When what prepares for an infusion must be given, and so when the infusion may begin after it was given.

A window is found by asking the pack's own rules, minute by minute where one of their limits lies: it is made
of the minutes before the infusion at which none of them speaks against an entry, or leaves it open.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeGuard

from service.checklist.conditions import Condition, Not
from service.checklist.evaluate import Situation
from service.checklist.evidence import Case
from service.checklist.facts import Reading
from service.checklist.lists import Entry, FieldTest, TimeTest
from service.checklist.rules import Pack
from service.checklist.terms import Term

Policy = Mapping[str, str | int | Decimal | None]


@dataclass(frozen=True)
class Window:
    """How long before the infusion an entry of a list must be given: whole minutes, both inclusive.

    `entry` are the codes of the entry (class: corticosteroid, status: given), `field` is its time.
    """

    fact: str
    entry: Mapping[str, str]
    field: str
    least: int
    most: int

    def covers(self, item: Mapping[str, object]) -> bool:
        """Whether an entry, with its defaults filled in, is of the sort that this window is about."""
        return all(item.get(name) == code for name, code in self.entry.items())

    def times(self, infusion_at: datetime) -> tuple[datetime, datetime]:
        """The earliest and the latest whole minute at which it may be given before an infusion."""
        minute = infusion_at.replace(second=0, microsecond=0)
        return minute - timedelta(minutes=self.most), minute - timedelta(minutes=self.least)

    def starts(self, given_at: datetime) -> tuple[datetime, datetime]:
        """The earliest and the latest whole minute at which the infusion may begin after it was given."""
        minute = given_at.replace(second=0, microsecond=0)
        if minute < given_at:
            minute += timedelta(minutes=1)
        return minute + timedelta(minutes=self.least), minute + timedelta(minutes=self.most)


def common_start(spans: Iterable[tuple[datetime, datetime]]) -> tuple[datetime, datetime] | None:
    """The earliest and the latest start that suit all of several spans; None where there is none."""
    several = list(spans)
    if not several:
        return None
    first, last = max(begin for begin, _ in several), min(end for _, end in several)
    return (first, last) if first <= last else None


def windows(pack: Pack, situation: Situation, policy: Policy) -> list[Window]:
    """The windows that the rules of a pack set for this patient, in the order of the rules.

    Where the rules leave no single span of minutes, or where it cannot be told whether they apply, there is
    none.
    """
    found = []
    facts, infusion_at, region = situation.facts, situation.infusion_at, situation.region
    case = Case.of(pack.vocabulary, facts, infusion_at, region, dict(policy))
    for fact, entry in _sorts(pack):
        window = _window(pack, case, fact, dict(entry))
        if window is not None:
            found.append(window)
    return found


def _sorts(pack: Pack) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """The sorts of entry whose minutes before the infusion some rule reads."""
    sorts = (
        (entry.fact, _codes(entry))
        for rule in pack.rules
        for entry in _entries(rule.concern)
        if _is_timed(entry)
    )
    return list(dict.fromkeys(sorts))


def _codes(entry: Entry) -> tuple[tuple[str, str], ...]:
    tests = (test for test in entry.tests if isinstance(test, FieldTest))
    return tuple((test.field, test.operand) for test in tests if isinstance(test.operand, str))


def _is_timed(entry: Entry) -> bool:
    return any(_in_minutes(test) for test in entry.tests)


def _in_minutes(test: FieldTest | TimeTest) -> TypeGuard[TimeTest]:
    return isinstance(test, TimeTest) and test.unit == "minutes"


def _entries(condition: Condition) -> Iterator[Entry]:
    for criterion in condition.criteria():
        for term in _within(criterion.measure.terms()):
            if isinstance(term, Entry):
                yield term


def _within(terms: Sequence[Term]) -> Iterator[Term]:
    for term in terms:
        yield term
        yield from _within(term.inputs())


def _window(pack: Pack, case: Case, fact: str, entry: dict[str, str]) -> Window | None:
    about = [(rule, each) for rule in pack.rules for each in _entries(rule.concern) if each.fact == fact]
    timed = [(rule, each) for rule, each in about if _is_timed(each) and dict(_codes(each)) == entry]
    rules = list(dict.fromkeys(rule.id for rule, _ in timed))
    tests = [test for _, each in timed for test in each.tests if _in_minutes(test)]
    limits = [int(value) for test in tests if isinstance(value := test.operand.value(case), int | Decimal)]
    # Between two limits nothing changes: the minutes beside each of them tell all others.
    minutes = sorted({max(0, limit + step) for limit in (0, *limits) for step in (-1, 0, 1)})
    against = [Not(rule.concern) for rule in pack.rules if rule.id in rules]
    field = tests[0].field
    suits = [_suits(against, case, fact, {**entry, field: _before(case, minute)}) for minute in minutes]
    good = [place for place, suit in enumerate(suits) if suit]
    if not good or good[-1] - good[0] + 1 != len(good) or good[-1] == len(minutes) - 1:
        return None
    return Window(fact, entry, field, minutes[good[0]], minutes[good[-1]])


def _before(case: Case, minute: int) -> datetime:
    return case.infusion_at - timedelta(minutes=minute)


def _suits(against: Sequence[Condition], case: Case, fact: str, item: Mapping[str, object]) -> bool:
    """Whether every rule is certainly ruled out for a patient who was given just this."""
    known = case.with_facts(case.facts.replacing(fact, Reading((item,))), {fact})
    return all(each.holds(known) for each in against)
