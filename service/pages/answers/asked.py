"""For whom, when and under which rules a fact is asked: what a control and its reader need to know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.checklist.facts import FactDefinition, Vocabulary
from service.checklist.rules import Pack
from service.checklist.terms import OwnLimit, Term
from service.checklist.windows import Window
from service.intake.values import LONGEST_TEXT

_SIDES = {"lower": "ref_low", "upper": "ref_high"}
_AT_THE_CHAIR = " at the chair, "
_TOLD_TO = "told by the patient to "


@dataclass(frozen=True)
class Asked:
    """The circumstances of a question.

    `now` and `infusion_at` have offsets, `zone` is the site's; `person` is who answers, by the printed name;
    `given` are the facts of the draft as they are. `limits` are the laboratory's own limits that the pack's
    rules read, by fact; `windows` are those in which its rules want things given before the infusion.
    """

    now: datetime
    zone: ZoneInfo
    infusion_at: datetime
    person: str
    vocabulary: Vocabulary
    given: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    windows: Sequence[Window] = ()

    @property
    def minute(self) -> datetime:
        """The minute it is, at the site; times are charted in whole minutes."""
        return self.now.astimezone(self.zone).replace(second=0, microsecond=0)


def own_limits(pack: Pack) -> dict[str, frozenset[str]]:
    """The laboratory's own limits (ref_low, ref_high) that a pack's rules read, by fact."""
    found: dict[str, set[str]] = {}
    for measure, _, _ in pack.measures:
        for term in _terms(measure.terms()):
            if isinstance(term, OwnLimit):
                found.setdefault(term.fact, set()).add(_SIDES[term.side])
    return {fact: frozenset(sides) for fact, sides in found.items()}


def _terms(terms: tuple[Term, ...]) -> Iterator[Term]:
    for term in terms:
        yield term
        yield from _terms(term.inputs())


def source_of(definition: FactDefinition, asked: Asked) -> str:
    """Who says so, as it is stored beside an answer; never longer than a source may be."""
    at = f"{asked.minute:%Y-%m-%d %H:%M}"
    if definition.answered_by == "patient":
        return f"{_TOLD_TO}{asked.person[: LONGEST_TEXT - 60]}, {at}"
    return f"{asked.person[: LONGEST_TEXT - 60]}{_AT_THE_CHAIR}{at}"


def source_of_list(definition: FactDefinition, asked: Asked, given: Any) -> str:
    """Who says so of a list: where its entries came from before anybody here changed it is kept beside."""
    own = source_of(definition, asked)
    before = given.get("source") if isinstance(given, Mapping) else None
    origin = (before or "").split("; ")[0]
    if not origin or is_from_the_chair(origin):
        return own
    return f"{origin[: LONGEST_TEXT - len(own) - 2]}; {own}"


def is_from_the_chair(source: object) -> bool:
    """Whether a source says that somebody answered it here."""
    return isinstance(source, str) and (_AT_THE_CHAIR in source or source.startswith(_TOLD_TO))
