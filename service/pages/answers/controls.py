"""The parts of a control, as a template shows them one after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from service.checklist.facts import FactDefinition
from service.pages.answers.given import Known
from service.pages.components import Choice, Text
from service.pages.texts import gettext

_MOST_BUTTONS = 6


@dataclass(frozen=True)
class Button:
    """A button that sends the form with one answer.

    `chosen` is the answer as it is, `pressed` was pressed before and refused; what is asked for less is
    `quiet`.
    """

    name: str
    value: str
    words: Text
    chosen: bool = False
    quiet: bool = False
    pressed: bool = False


@dataclass(frozen=True)
class Field:
    """A field: `name` as it is sent, `id` on the page, what was typed in it and why that was refused.

    A field of kind *search* is a text beside a list of `choices` to look in.
    """

    kind: Literal["text", "date", "time", "radios", "checkbox", "search", "hidden"]
    name: str
    id: str
    label: Text
    value: str = ""
    hint: Text | None = None
    error: str | None = None
    choices: tuple[Choice, ...] = ()
    is_number: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a chart: a class of medicine, what is charted of it, and how more is charted.

    `then` is the button for what is typed in `fields`, folded until they are wanted (`is_open`). `window`
    says when the infusion would have to begin.
    """

    id: str
    title: str
    known: tuple[Known, ...]
    buttons: tuple[Button, ...]
    fields: tuple[Field, ...]
    then: Button | None
    is_open: bool
    window: str
    error: str | None


@dataclass(frozen=True)
class Control:
    """How one fact is asked and answered.

    `confusions` pairs a look-alike fact with the difference. `adding` are the fields of a new entry, folded
    until they are wanted (`is_adding`). `together` says which start suits everything in the rows. `errors`
    pairs the id of a field with why it was refused, `general` is what was refused as a whole. `note` says
    what else the nurse should know. `seen` is a key of what is known, to be sent with the answer.
    """

    name: str
    id: str
    seen: str
    question: str
    help: str
    kind: str
    answered_by: str
    confusions: tuple[tuple[str, str], ...]
    known: tuple[Known, ...]
    can_remove: bool
    fields: tuple[Field, ...]
    adding: tuple[Field, ...]
    is_adding: bool
    rows: tuple[Row, ...]
    together: str
    buttons: tuple[Button, ...]
    errors: tuple[tuple[str, str], ...]
    general: str | None
    note: str

    @property
    def remove_name(self) -> str:
        """The name under which the key of a reading or entry is sent that is to be removed."""
        return f"{self.name}.remove"

    @property
    def seen_name(self) -> str:
        """The name under which `seen` is sent."""
        return f"{self.name}.seen"


def english(text: str) -> Markup:
    """A text of the rules, which are in English whatever the language of the page; it begins large."""
    return Markup('<span lang="en">{}</span>').format(text[:1].upper() + text[1:])


def choices_of(values: Mapping[str, str]) -> tuple[Choice, ...]:
    """The choices of a code: No before Yes, everything else in its own order."""
    if set(values) == {"no", "yes"}:
        return (("no", gettext("No")), ("yes", gettext("Yes")))
    return tuple((value, english(words)) for value, words in values.items())


def few_numbers(definition: FactDefinition) -> tuple[int, ...]:
    """The numbers of an integer that are few enough to be buttons; none where it is typed."""
    if definition.type != "integer" or definition.numbers:
        return definition.numbers
    low, high = definition.low, definition.high
    if low is None or high is None or high - low >= _MOST_BUTTONS:
        return ()
    return tuple(range(int(low), int(high) + 1))
