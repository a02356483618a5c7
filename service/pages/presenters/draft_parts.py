"""What stands on the page of a checklist in the making, part by part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.pages.answers import Control
from service.pages.presenters.findings import FindingView, ResultView
from service.pages.presenters.windows import Windows


@dataclass(frozen=True)
class Refused:
    """An answer that was refused: for which fact, why by field, and what was typed."""

    fact: str
    errors: Mapping[str, str]
    typed: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Said:
    """What was said of a fact, and when, in the words of the site's clock; `by` is who answered it here."""

    fact: str
    label: str
    says: tuple[str, ...]
    by: str


@dataclass(frozen=True)
class Question:
    """One fact that is asked, or asked again. `waits_for` are labels of what is to be asked before it.

    `said` is what was answered so far. `place` is where it stands among all questions of the page.
    """

    fact: str
    label: str
    text: str
    place: int
    control: Control
    said: Said | None
    of_patient: bool
    waits_for: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Its name within the page."""
        return f"ask-{self.fact}"


@dataclass(frozen=True)
class Card:
    """A finding, with what is asked in place, what is asked at another, and what may change.

    `is_only_asked`: that something is missing is all that it says, and nobody was asked yet.
    """

    finding: FindingView
    questions: tuple[Question, ...]
    elsewhere: tuple[tuple[str, str], ...]
    correctable: tuple[tuple[str, str], ...]
    is_only_asked: bool = False


@dataclass(frozen=True)
class Group:
    """Findings under one heading, worst first."""

    name: str
    heading: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class DraftView:
    """The page: the result, the questions at their findings, what is known, and when it may begin.

    `beside` are needed and missed by no finding. `focus` is the anchor where somebody goes on. `answered` was
    said in this draft, `known` came with it.
    """

    id: str
    result: ResultView
    groups: tuple[Group, ...]
    beside: tuple[Question, ...]
    answered: tuple[Said, ...]
    known: tuple[Said, ...]
    change: Question | None
    windows: Windows
    planned: datetime
    now: datetime
    kept_by: str
    kept_at: datetime
    questions: tuple[Question, ...] = ()
    focus: str = ""
    notice: str = ""

    @property
    def is_late(self) -> bool:
        """Whether the planned start has passed."""
        return self.now > self.planned

    @property
    def open_count(self) -> int:
        """How many questions nobody has answered yet."""
        return sum(each.said is None for each in self.questions)
