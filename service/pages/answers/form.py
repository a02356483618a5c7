"""What was sent for one fact: its fields by name, what each says as it stands, and why one is refused."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from werkzeug.datastructures import MultiDict

from service.intake.values import Refused, read_date
from service.pages.answers.asked import Asked
from service.pages.texts import gettext

# The names of fields and of what buttons say; a fact's own codes stand in `VALUE`.
VALUE, UNIT, ON, TIME, WHEN = "value", "unit", "on", "time", "when"
SAY, REMOVE, SEEN = "say", "remove", "seen"
UNKNOWN, NONE, ALL, ADD, SAVE = "unknown", "none", "all", "add", "save"
NOW, UNDATED = "now", "undated"

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_MOST_DIGITS = 15  # a double holds any decimal of so many digits exactly enough to give it back


class BadAnswer(Exception):
    """An answer that cannot be read: why, by field, and what was typed, to be shown again."""

    def __init__(self, errors: Mapping[str, str], typed: Mapping[str, Sequence[str]]) -> None:
        self.errors, self.typed = dict(errors), dict(typed)
        super().__init__(", ".join(self.errors))


def typed_for(fact: str, form: MultiDict[str, str]) -> dict[str, list[str]]:
    """What was typed into the fields of a fact, by their names without the fact's."""
    start = f"{fact}."
    return {name.removeprefix(start): form.getlist(name) for name in form if name.startswith(start)}


class Sheet:
    """The fields of one fact as they were sent."""

    def __init__(self, fact: str, form: MultiDict[str, str]) -> None:
        self.typed = typed_for(fact, form)
        self.errors: dict[str, str] = {}

    def said(self, field: str) -> str:
        """What a field says, without the spaces around it; empty where it says nothing, or two things."""
        several = dict.fromkeys(each.strip() for each in self.typed.get(field, ()) if each.strip())
        if len(several) > 1:
            self.refuse(field, gettext("Give one answer only."))
            return ""
        return next(iter(several), "")

    def refuse(self, field: str, message: str) -> None:
        """Note why a field cannot be read; the first reason stays."""
        self.errors.setdefault(field, message)

    def close(self) -> None:
        """Raises BadAnswer if anything was refused."""
        if self.errors:
            raise BadAnswer(self.errors, self.typed)

    def number(self, field: str, *, whole: bool = False) -> int | float | None:
        """A number as it was typed, neither rounded nor guessed; None where it was refused."""
        text = self.said(field)
        if not text:
            self.refuse(field, gettext("Enter a number."))
        elif "," in text:
            self.refuse(
                field, gettext("Write a point before the decimals, as in 1.5, and nothing between thousands.")
            )
        elif whole and not _WHOLE.fullmatch(text):
            self.refuse(field, gettext("Enter a whole number, in digits only."))
        elif not _NUMBER.fullmatch(text) or len(text.strip("-").replace(".", "")) > _MOST_DIGITS:
            self.refuse(
                field, gettext("Enter a number in digits, such as 72.5; the unit is chosen beside it.")
            )
        else:
            return float(text) if "." in text else int(text)
        return None

    def day(self, field: str) -> date | None:
        """A date; None where it was refused."""
        try:
            return read_date(self.said(field))
        except Refused:
            self.refuse(field, gettext("Enter a date of the calendar, as year-month-day: 2026-11-10."))
            return None

    def moment(self, on: str, at: str, asked: Asked, *, otherwise: date | None = None) -> str | None:
        """A date, with a time where there is one, as the site's clock shows it; None where it was refused.

        It is a time at which something has happened, so it lies in no future. `otherwise` is the day that an
        empty date stands for.
        """
        day = otherwise if otherwise is not None and not self.said(on) else self.day(on)
        clock = self.said(at)
        if clock and not _CLOCK.fullmatch(clock):
            self.refuse(at, gettext("Enter a time of day, such as 09:30."))
            return None
        if day is None:
            return None
        if not clock:
            if day > asked.minute.date():
                self.refuse(on, gettext("This day lies in the future."))
            return day.isoformat()
        moment = self._at_the_site(day, time.fromisoformat(clock), at, asked)
        if moment is not None and moment > asked.now:
            self.refuse(
                at, gettext("This time lies in the future; it is %(now)s.", now=f"{asked.minute:%H:%M}")
            )
        return moment.isoformat() if moment is not None else None

    def _at_the_site(self, day: date, clock: time, field: str, asked: Asked) -> datetime | None:
        """The one moment at which the site's clock shows this; none or two around a change of the clocks."""
        moments = {
            datetime.combine(day, clock.replace(fold=fold), asked.zone).astimezone(UTC) for fold in (0, 1)
        }
        local = [each.astimezone(asked.zone) for each in moments]
        shown = [each for each in local if (each.date(), each.time()) == (day, clock)]
        if len(shown) == 1:
            return shown[0]
        message = gettext("The clocks changed then: this time came twice. Enter the date alone.")
        if not shown:
            message = gettext("The clocks changed then: there was no such time.")
        self.refuse(field, message)
        return None
