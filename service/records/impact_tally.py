"""What came out of an assessment of impact: counted, put in order, and as the journal tells of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from service.checklist.rules import Pack, Status
from service.intake.errors import FieldError
from service.records.impact import Asked, Assessed, Step
from service.records.stored import Basis

EXAMPLES = 10
_STATUS = {status.word: status for status in Status}


class Way(IntEnum):
    """How a step goes; what asks for the closest look comes first."""

    LESS = 0
    MORE = 1
    OTHER = 2
    WORDS = 3


@dataclass
class Group:
    """How many checklists share something, and the first of them."""

    count: int = 0
    first: list[Assessed] = field(default_factory=list)

    def add(self, one: Assessed) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < EXAMPLES:
            self.first.append(one)


@dataclass
class Tally:
    """What came out, counted; as large as the rules are many, however many checklists there are."""

    assessed: int = 0
    erased: int = 0
    changed: int = 0
    reworded: int = 0
    refused: int = 0
    made_with: Counter[str] = field(default_factory=Counter)
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: dict[Step, Group] = field(default_factory=dict)
    refusals: dict[FieldError, Group] = field(default_factory=dict)
    faults: Group = field(default_factory=Group)

    def add(self, one: Assessed) -> None:
        """Count one checklist."""
        if one.erased:
            self.erased += 1
            return
        self.assessed += 1
        self.made_with[one.made_with or "an unknown version"] += 1
        for error in one.errors:
            self.refusals.setdefault(error, Group()).add(one)
        if one.after is None:
            self.refused += 1
        elif one.changed:
            self.changed += 1
            self.statuses[one.before, one.after] += 1
        elif one.reworded:
            self.reworded += 1
        for step in one.steps:
            self.steps.setdefault(step, Group()).add(one)
        if one.fault:
            self.faults.add(one)

    @property
    def nothing(self) -> bool:
        """Whether every checklist would stay as it is."""
        return not (self.changed or self.reworded or self.refused)


def way_of(step: Step) -> Way:
    """Whether it is less strict, stricter, another answer as strict, or other words."""
    if step.only_words:
        return Way.WORDS
    if step.before == step.after:
        return Way.OTHER
    return Way.LESS if _STATUS[step.after] < _STATUS[step.before] else Way.MORE


def ordered(steps: Mapping[Step, Group], pack: Pack) -> list[Step]:
    """By the way that they go, then as the pack has its rules, then the most frequent first."""
    places = {(rule.check, rule.id): place for place, rule in enumerate(pack.rules)}

    def place(step: Step) -> tuple[Any, ...]:
        known = places.get((step.check, step.rule or ""), len(places))
        return (way_of(step), known, step.check, step.rule or "", -steps[step].count, step)

    return sorted(steps, key=place)


def by_strictness(statuses: Mapping[tuple[str, str], int]) -> list[tuple[tuple[str, str], int]]:
    """How many checklists go from which status to which, what is less strict first."""
    return sorted(statuses.items(), key=lambda item: (_STATUS[item[0][1]] - _STATUS[item[0][0]], item[0][0]))


def entered(tally: Tally, asked: Asked, basis: Basis, *, patients: bool) -> dict[str, Any]:
    """What the journal tells of an assessment; `patients` whether it named them."""
    days = {"since": asked.since, "until": asked.until}
    return {
        **{name: day.isoformat() for name, day in days.items() if day},
        "pack": asked.pack.digest,
        "knowledge": basis.knowledge,
        "policy": basis.policy,
        "assessed": tally.assessed,
        "changed": tally.changed,
        "reworded": tally.reworded,
        "refused": tally.refused,
        "patients_named": patients,
    }
