"""What a second person is asked, without a word of what the first one answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.pages.answers import Asked, Control, control_of
from service.pages.presenters.draft_parts import Refused
from service.pages.presenters.findings import Cited, cited
from service.pages.texts import gettext, ngettext


@dataclass(frozen=True)
class Question:
    """One fact as it is asked, and whether it is answered; `refused` where its answer could not be taken."""

    control: Control
    answered: bool
    refused: bool


@dataclass(frozen=True)
class BlindView:
    """The page of a second person."""

    id: str
    patient: str | None
    title: str
    brands: str
    drug_class: str
    infusion_at: datetime
    because: str
    sources: tuple[Cited, ...]
    questions: tuple[Question, ...]

    @property
    def left(self) -> int:
        """How many facts are not answered."""
        return sum(not each.answered for each in self.questions)

    @property
    def left_in_words(self) -> str:
        """The same in words."""
        if not self.left:
            return gettext("All is answered: compare it with what the first person entered.")
        return ngettext("%(num)s answer is left.", "%(num)s answers are left.", self.left)

    @property
    def errors(self) -> tuple[tuple[str, str], ...]:
        """What is to be mended, each with the id of its place on the page."""
        return tuple(error for each in self.questions if each.refused for error in _placed(each.control))


def blind_view(
    result: Mapping[str, Any],
    asked: Sequence[str],
    given: Mapping[str, Any],
    circumstances: Asked,
    refused: Refused | None = None,
) -> BlindView:
    """The questions about a checklist; of its result only whose it is, of which drug, and when."""
    why = result["independent_double_check"]
    return BlindView(
        id=result["id"],
        patient=result["patient"]["id"],
        title=result["title"],
        brands=", ".join(result["brands"]),
        drug_class=result["class"],
        infusion_at=datetime.fromisoformat(result["infusion_at"]).astimezone(circumstances.zone),
        because=why["because"],
        sources=cited(why["sources"]),
        questions=tuple(_question(name, given, circumstances, refused) for name in asked),
    )


def _question(name: str, given: Mapping[str, Any], asked: Asked, refused: Refused | None) -> Question:
    definition, mine = asked.vocabulary[name], given.get(name)
    if refused is not None and refused.fact == name:
        control = control_of(definition, mine, asked, refused.errors, refused.typed)
        return Question(control, name in given, refused=True)
    return Question(control_of(definition, mine, asked), name in given, refused=False)


def _placed(control: Control) -> tuple[tuple[str, str], ...]:
    general = ((control.id, control.general),) if control.general else ()
    return (*general, *control.errors)
