"""Rules, checks and packs: what a drug's file says, in the core's types."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property

from service.checklist.conditions import Condition
from service.checklist.facts import Vocabulary
from service.checklist.measures import Measure


class Status(IntEnum):
    """The answer of a check and of a checklist; the worst wins."""

    PASS = 0
    WARN = 1
    BLOCK = 2

    @property
    def word(self) -> str:
        """The stored string."""
        return self.name.lower()


class Kind(StrEnum):
    """What sort of finding it is (public contract, section 2)."""

    OK = "ok"
    NOT_APPLICABLE = "not_applicable"
    CONTRAINDICATION = "contraindication"
    CAUTION = "caution"
    DEFER = "defer"
    MISSING = "missing"
    STALE = "stale"
    CONFLICT = "conflict"
    PREMEDICATION = "premedication"
    DOSE = "dose"
    SCHEDULE = "schedule"
    POLICY = "policy"
    ENGINE = "engine"


class Override(StrEnum):
    """Who may go on in spite of a finding."""

    NEVER = "never"
    PRESCRIBER = "prescriber"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True)
class Source:
    """A document that a rule rests on."""

    id: str
    title: str
    revised: str
    grade: str
    region: str | None


@dataclass(frozen=True)
class Citation:
    """A place in a source, and the ledger row that states it."""

    source: Source
    at: str
    ledger: tuple[str, ...]


@dataclass(frozen=True)
class IfUnknown:
    """What a rule answers when it cannot be decided."""

    status: Status
    action: str


@dataclass(frozen=True)
class Note:
    """A sentence added to a finding's message while its condition is on record."""

    when: Condition
    text: str


@dataclass(frozen=True)
class Rule:
    """One declared concern of a check.

    `applies` narrows it; the `concern` is the whole formula (check, rule and verb together): it holds,
    is ruled out, or cannot be decided. `silent_policies` are the parameters read under *recorded*, whose
    absence would otherwise go unnoticed.
    """

    id: str
    check: str
    status: Status
    kind: Kind
    concern: Condition
    message: str
    action: str
    if_unknown: IfUnknown | None
    override: Override
    citations: tuple[Citation, ...]
    unverified: bool
    notes: tuple[Note, ...]
    applies: Condition | None
    silent_policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One line of the nurse's checklist. `applies` narrows the whole check."""

    id: str
    title: str
    nothing_found: str
    rules: tuple[Rule, ...]
    applies: Condition | None
    not_applicable: str


@dataclass(frozen=True)
class Observation:
    """How long to watch the patient after the infusion: the first plan whose condition certainly holds."""

    minutes_after: int
    when: Condition | None
    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class DoubleCheck:
    """The facts that a second person enters without seeing the first one's, and why."""

    facts: tuple[str, ...]
    because: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Conflict:
    """Two sources that disagree, and which one binds here."""

    about: str
    says: Mapping[str, str]
    chosen: str
    why: str


@dataclass(frozen=True)
class NotChecked:
    """A ledger row (or with `part`, a part of one) that no rule checks before the start, and why."""

    row: str
    reason: str
    used_in: str | None
    part: bool = False


@dataclass(frozen=True, eq=False)
class Pack:
    """Everything known about one drug. `measures` are the places of the measured values, in order.

    `codes` are those by which it is ordered, each with the name of its system. `released` (of this version),
    `developer` and `funding` are None where the pack does not state them.
    """

    id: str
    title: str
    brands: tuple[str, ...]
    aliases: tuple[str, ...]
    drug_class: str
    excipients: tuple[str, ...]
    regions: tuple[str, ...]
    version: str
    status: str
    owner: str
    review_by: str
    released: str | None
    developer: str | None
    funding: str | None
    sources: Mapping[str, Source]
    checks: tuple[Check, ...]
    observations: tuple[Observation, ...]
    double_check: DoubleCheck | None
    conflicts: tuple[Conflict, ...]
    not_checked: tuple[NotChecked, ...]
    look_alikes: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    measures: tuple[tuple[Measure, int, int], ...]
    places: int
    vocabulary: Vocabulary
    digest: str

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every check, in the pack's order."""
        return tuple(rule for check in self.checks for rule in check.rules)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name of the drug, in lower case."""
        return frozenset(name.casefold() for name in (self.id, self.title, *self.aliases, *self.brands))

    @cached_property
    def facts_read(self) -> tuple[str, ...]:
        """The facts that any rule of the pack reads, in the vocabulary's order."""
        read = {name for measure, _, _ in self.measures for name in measure.facts}
        return tuple(name for name in self.vocabulary.facts if name in read)
