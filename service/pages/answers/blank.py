"""The empty fields of one fact, filled again with what was typed, each with why it was refused."""

from collections.abc import Mapping, Sequence

from service.pages.answers.controls import Button, Field, Row
from service.pages.answers.form import ADD, SAVE, SAY
from service.pages.components import Choice, Text

_ACTIONS = (SAVE, ADD)


class Blank:
    """Makes the fields and buttons of one fact: `errors` and `typed` are by the fields' own names."""

    def __init__(self, fact: str, errors: Mapping[str, str], typed: Mapping[str, Sequence[str]]) -> None:
        self._fact, self._errors, self._typed = fact, errors, typed

    def name(self, field: str) -> str:
        """The name under which a field is sent."""
        return f"{self._fact}.{field}"

    def id(self, field: str = "") -> str:
        """The id of a field, or of the whole control."""
        return f"answer-{self._fact}{'-' + field.replace('.', '-') if field else ''}"

    def typed(self, field: str) -> str:
        """What was typed or chosen in a field."""
        return next(iter(self._typed.get(field, ())), "")

    def error(self, field: str) -> str | None:
        """Why a field was refused."""
        return self._errors.get(field)

    def is_touched(self, fields: Sequence[Field]) -> bool:
        """Whether one of the fields was typed in, or refused."""
        start = len(self._fact) + 1
        return any(self.typed(each.name[start:]) or each.error for each in fields)

    def text(self, field: str, label: Text, *, number: bool = False, hint: Text | None = None) -> Field:
        """A field for a text or a number."""
        return Field(
            "text", *self._common(field, label), hint=hint, error=self.error(field), is_number=number
        )

    def date(self, field: str, label: Text, *, hint: Text | None = None) -> Field:
        """A field for a day."""
        return Field("date", *self._common(field, label), hint=hint, error=self.error(field))

    def time(self, field: str, label: Text, *, hint: Text | None = None) -> Field:
        """A field for a time of day."""
        return Field("time", *self._common(field, label), hint=hint, error=self.error(field))

    def hidden(self, field: str, value: str) -> Field:
        """What is sent without being asked."""
        return Field("hidden", self.name(field), self.id(field), "", value)

    def one_of(
        self,
        field: str,
        label: Text,
        choices: tuple[Choice, ...],
        *,
        hint: Text | None = None,
        default: str = "",
    ) -> Field:
        """One of a few; nothing is chosen beforehand but what the definition takes for granted."""
        name, id, _, typed = self._common(field, label)
        return Field("radios", name, id, label, typed or default, hint, self.error(field), choices)

    def tick(self, field: str, label: Text, value: str) -> Field:
        """A box to tick."""
        name, id, _, typed = self._common(field, label)
        return Field("checkbox", name, id, label, typed, error=self.error(field), choices=((value, label),))

    def search(self, field: str, label: Text, choices: tuple[Choice, ...], hint: Text) -> Field:
        """A text beside a list to look in."""
        name, id, _, typed = self._common(field, label)
        return Field("search", name, id, label, typed, hint, self.error(field), choices)

    def button(
        self, field: str, value: str, words: Text, *, quiet: bool = False, chosen: bool = False
    ) -> Button:
        """A button that answers; one that was pressed and refused shows it."""
        pressed = self.typed(field) == value and value not in _ACTIONS
        return Button(self.name(field), value, words, chosen, quiet, pressed)

    def say(self, value: str, words: Text, *, quiet: bool = False, chosen: bool = False) -> Button:
        """A button beside the fields: save, none, not known."""
        return self.button(SAY, value, words, quiet=quiet, chosen=chosen)

    def listed(self, fields: Sequence[Field], rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
        """The errors, each with the id of its field or row; of the control where neither is on the page."""
        shown = {each.name: each.id for each in fields}
        shown |= {
            self.name(field): row.id for row in rows for field in self._errors if self.id(field) == row.id
        }
        return tuple(
            (shown.get(self.name(field), self.id()), message) for field, message in self._errors.items()
        )

    def general(self, fields: Sequence[Field], rows: Sequence[Row]) -> str | None:
        """What was refused as a whole: the errors that neither a field nor a row shows."""
        shown = {each.name for each in fields}
        ids = {row.id for row in rows}
        return (
            " ".join(
                text
                for field, text in self._errors.items()
                if self.name(field) not in shown and self.id(field) not in ids
            )
            or None
        )

    def _common(self, field: str, label: Text) -> tuple[str, str, Text, str]:
        return self.name(field), self.id(field), label, self.typed(field)
