"""What may be known about a patient: the vocabulary's types, and the facts of one request.

A fact is a list of *readings*. A result has as many as were sent, everything else has one. Facts hold
what was received, typed and in canonical units; which reading counts is decided in `evidence`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

FINAL_STATUSES = frozenset({"final", "amended", "corrected"})
OTHER_STATUSES = frozenset({"registered", "preliminary", "cancelled", "entered-in-error", "unknown"})

Item = Mapping[str, Any]
Value = str | int | Decimal | date | tuple[Item | str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """An accepted UCUM unit and its exact conversion to the canonical one: minus, then times, then over."""

    name: str
    canonical: str
    minus: Decimal = Decimal(0)
    times: Decimal = Decimal(1)
    over: Decimal = Decimal(1)

    def convert(self, amount: Decimal) -> Decimal:
        """The amount in the canonical unit."""
        if self.name == self.canonical:
            return amount
        return (amount - self.minus) * self.times / self.over


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of the items of a list fact. `type`: text, code, date, time or quantity."""

    name: str
    type: str
    label: str
    values: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    default: str | None = None
    codes: str | None = None
    from_code: str | None = None
    latest: str | None = None
    earliest: str | None = None


@dataclass(frozen=True, slots=True)
class FactDefinition:
    """One fact of the vocabulary (`rules/facts.yaml`).

    `low` and `high` are the plausible range in the canonical unit, inclusive. `words` are the answers
    allowed beside a date or a quantity (never); `never_stale` are values that would not clear; `advised`
    is false where no answer is ever offered as a way out (who the patient is, which dose it is). Those in
    `asked_after` are asked first; what is `lasting` still holds at a later visit. `fields` describe the items
    of a list; a list without fields holds plain codes from `values`. `reported_as` are the kinds of personal
    data that it is (`service.knowledge.source_attributes`).
    """

    name: str
    label: str
    type: str
    question: str
    help: str
    answered_by: str
    may_change: bool
    result: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[int, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    units: Mapping[str, Unit] = field(default_factory=dict)
    low: Decimal | None = None
    high: Decimal | None = None
    latest: str | None = None
    earliest: str | None = None
    item: str = ""
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)
    at_least_one_of: tuple[str, ...] = ()
    refused_after_infusion: "ItemTiming | None" = None
    ignored_after_infusion: "ItemTiming | None" = None
    confusions: Mapping[str, str] = field(default_factory=dict)
    never_stale: frozenset[str] = frozenset()
    advised: bool = True
    asked_after: tuple[str, ...] = ()
    lasting: bool = False
    reported_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemTiming:
    """Items whose `field` lies after the infusion, where `when` (field: code) holds of them."""

    field: str
    when: Mapping[str, str]

    def covers(self, item: Item) -> bool:
        """Whether the item is of the sort that this timing speaks about."""
        return all(item.get(name) == code for name, code in self.when.items())


@dataclass(frozen=True, slots=True)
class Code:
    """An entry of a code list (`rules/codes/`): its label and the fields it settles (kind: live)."""

    label: str
    settles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every fact that a rule may ask about, and the code lists their items use."""

    facts: Mapping[str, FactDefinition]
    codes: Mapping[str, Mapping[str, Code]]
    digest: str

    def __getitem__(self, name: str) -> FactDefinition:
        return self.facts[name]

    def __contains__(self, name: object) -> bool:
        return name in self.facts


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one fact as received, in the canonical unit.

    `at` is a date, or a datetime with an offset; `value` is None where it was said to be unknown.
    `ref_low` and `ref_high` are the laboratory's own limits for this very result, in the same unit.
    `unreadable` says of one without a value what is there and could not be read. A list that is not
    `complete` may have other entries than these.
    """

    value: Value | None
    unit: str | None = None
    at: date | datetime | None = None
    status: str = "final"
    source: str | None = None
    ref_low: Decimal | None = None
    ref_high: Decimal | None = None
    unreadable: str | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """The known facts of one patient: name -> readings. A fact that is not here is unknown."""

    readings: Mapping[str, tuple[Reading, ...]]

    def replacing(self, name: str, *readings: Reading) -> "Facts":
        """The same facts with one of them given anew (the originals stay as they are)."""
        return Facts({**self.readings, name: readings})

    def as_far_as_known(self) -> "Facts":
        """The same facts as if no list had other entries than those that are known."""
        if all(reading.complete for several in self.readings.values() for reading in several):
            return self
        closed = {
            name: tuple(replace(reading, complete=True) for reading in several)
            for name, several in self.readings.items()
        }
        return Facts(closed)
