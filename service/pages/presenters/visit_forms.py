"""The forms of a visit as they are shown: what was typed into a refused one, and what is wrong in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.pages.presenters.visit_acts import OUTCOMES
from service.pages.texts import gettext
from service.records.reasons import OutcomeReason, Reason
from service.records.record import Outcome

Choices = tuple[tuple[str, str], ...]
# The ids of the forms of which a page has one.
SIGN, OUTCOME, ENDED = "sign", "outcome-form", "ended"

# Offered at once, as each says enough by itself; the others open on demand.
COMMON_TO_ACKNOWLEDGE = (
    Reason.ALREADY_DONE,
    Reason.RISK_MITIGATED,
    Reason.BENEFIT_OUTWEIGHS_RISK,
    Reason.NOT_APPLICABLE,
    Reason.NOT_FEASIBLE,
)
COMMON_TO_OVERRIDE = (
    Reason.BENEFIT_OUTWEIGHS_RISK,
    Reason.CONCERNED_ABOUT_OUTCOME,
    Reason.RISK_MITIGATED,
    Reason.EXPERT_DISAGREES,
    Reason.ALREADY_DONE,
)


@dataclass(frozen=True)
class Refused:
    """A form that was sent and refused: its id, what was typed but for secrets, and what is wrong.

    `errors` are by the name of a field; under "" is what is wrong with the whole.
    """

    form: str
    typed: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """One form of the page."""

    id: str
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether this is the form that was refused."""
        return bool(self.errors)

    def field(self, name: str) -> str:
        """The id of a field."""
        return f"{self.id}-{name}"

    def value(self, name: str) -> str:
        """What was typed."""
        return self.typed.get(name, "")

    def error(self, name: str) -> str | None:
        """What is wrong with a field."""
        return self.errors.get(name)


class Forms:
    """The forms of a page, and which of them was refused."""

    def __init__(self, refused: Refused | None) -> None:
        self._refused = refused
        self._shown: set[str] = set()

    def form(self, id: str) -> Form:
        """The form with this id, as it is shown."""
        self._shown.add(id)
        if self._refused is not None and self._refused.form == id:
            return Form(id, self._refused.typed, self._refused.errors)
        return Form(id)

    def errors(self) -> tuple[tuple[str | None, str], ...]:
        """All that is wrong, each with the id of its field where it stands on the page."""
        return tuple(self._errors())

    def lost(self) -> str | None:
        """The words that were typed into a form that is not on the page any longer."""
        if self._refused is None or self._refused.form in self._shown:
            return None
        return self._refused.typed.get("comment") or None

    def _errors(self) -> Iterator[tuple[str | None, str]]:
        if self._refused is None:
            return
        shown = self._refused.form in self._shown
        for name, said in self._refused.errors.items():
            place = f"{self._refused.form}-{name}" if name else self._refused.form
            yield (place if shown else None), said


def answer_form_id(check: str, rule: str | None) -> str:
    """The id of the form that answers a finding."""
    return f"answer-{check}-{rule or ''}"


def acknowledge_choices() -> Choices:
    """The reasons that are offered at once."""
    return _worded(COMMON_TO_ACKNOWLEDGE)


def reason_choices(first: tuple[Reason, ...] = ()) -> Choices:
    """All reasons for an answer, these first; before them that none is chosen."""
    return (
        ("", gettext("Choose a reason")),
        *_worded((*first, *(each for each in Reason if each not in first))),
    )


def outcome_choices() -> Choices:
    """How a visit may have ended."""
    return tuple((each.value, str(OUTCOMES[each])) for each in Outcome)


def outcome_reason_choices() -> Choices:
    """All reasons for an outcome; before them that none is chosen."""
    return (("", gettext("Choose a reason")), *((each.value, gettext(each.words)) for each in OutcomeReason))


def _worded(reasons: tuple[Reason, ...]) -> Choices:
    return tuple((each.value, gettext(each.words)) for each in reasons)
