"""What the pages about drugs show, as data; `drugs` makes it."""

from dataclasses import dataclass

from service.knowledge.explained import Branch
from service.pages.presenters.drug_names import DrugName
from service.pages.texts import Later


@dataclass(frozen=True)
class ReviewView:
    """When the pack is to be reviewed; `badge` says that this is soon or past, and `late` that it is past."""

    by: str
    badge: str | None
    late: bool


@dataclass(frozen=True)
class DrugLine:
    """Which pack it is, and who answers for it."""

    id: str
    title: str
    drug_class: str
    brands: tuple[str, ...]
    aliases: tuple[str, ...]
    regions: tuple[str, ...]
    version: str
    status: Later
    digest: str
    owner: str
    review: ReviewView
    look_alikes: tuple[DrugName, ...]
    counted: str


@dataclass(frozen=True)
class Row:
    """A row of the ledger; `used` says where: ids of rules, or words."""

    row: str
    check: str
    statement: str
    severity: str
    unknown: str
    source: str
    verified: str
    rules: tuple[str, ...] = ()
    used: str = ""


@dataclass(frozen=True)
class CitedPlace:
    """A place in a source, with the rows of the ledger that state it."""

    source: str
    title: str
    section: str
    revised: str
    grade: Later
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class PolicyValue:
    """A choice of the site."""

    name: str
    value: str | None
    meaning: str
    basis: str


@dataclass(frozen=True)
class FactLine:
    """A fact that is read, and how it is asked."""

    name: str
    label: str
    question: str
    who: Later


@dataclass(frozen=True)
class Unknown:
    """What a rule answers where it cannot be decided."""

    status: str
    action: str


@dataclass(frozen=True)
class NoteView:
    """A sentence that is added to the message while its condition is on record."""

    when: Branch
    text: str


@dataclass(frozen=True)
class RuleView:
    """One rule. It fires where `when` holds, or with `unless` where it fails."""

    id: str
    status: str
    kind: str
    regions: tuple[str, ...]
    everywhere: bool
    unverified: bool
    applies: Branch | None
    when: Branch
    unless: bool
    message: str
    action: str
    if_unknown: Unknown | None
    notes: tuple[NoteView, ...]
    override: Later
    facts: tuple[str, ...]
    policies: tuple[PolicyValue, ...]
    sources: tuple[CitedPlace, ...]


@dataclass(frozen=True)
class CheckView:
    """One line of the nurse's checklist, with its rules."""

    id: str
    title: str
    nothing_found: str
    applies: Branch | None
    not_applicable: str
    rules: tuple[RuleView, ...]


@dataclass(frozen=True)
class ObservationView:
    """How long to watch, and when."""

    minutes: int
    when: Branch | None
    text: str
    sources: tuple[CitedPlace, ...]


@dataclass(frozen=True)
class DoubleCheckView:
    """What a second person enters without seeing the first one's."""

    facts: tuple[str, ...]
    because: str
    sources: tuple[CitedPlace, ...]


@dataclass(frozen=True)
class NotCheckedView:
    """A statement that no rule checks before the start, and why."""

    row: Row
    part: bool
    reason: str
    used_in: str | None


@dataclass(frozen=True)
class SourceView:
    """A document."""

    id: str
    title: str
    revised: str
    grade: Later
    region: str | None
    cited: int


@dataclass(frozen=True)
class ConflictView:
    """Sources that disagree: who says what, which one binds here, and why."""

    about: str
    says: tuple[tuple[str, str, bool], ...]
    why: str


@dataclass(frozen=True)
class UseView:
    """A kind of personal data, and the ids of the rules that use it."""

    kind: Later
    rules: tuple[str, ...]


@dataclass(frozen=True)
class AttributesView:
    """What the source attributes say of the whole pack, and of each kind of personal data."""

    developer: str | None
    funding: str | None
    released: str | None
    uses: tuple[UseView, ...]


@dataclass(frozen=True)
class PackView:
    """The whole document."""

    line: DrugLine
    excipients: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    checks: tuple[CheckView, ...]
    premedication: tuple[RuleView, ...]
    observations: tuple[ObservationView, ...]
    double_check: DoubleCheckView | None
    not_checked: tuple[NotCheckedView, ...]
    conflicts: tuple[ConflictView, ...]
    policies: tuple[PolicyValue, ...]
    facts: tuple[FactLine, ...]
    sources: tuple[SourceView, ...]
    attributes: AttributesView
    ledger: tuple[Row, ...]
    accounted: str
    policy_digest: str
