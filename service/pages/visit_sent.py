"""What a form of a visit sent: read field by field, with all that is to be mended told at once."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from service.access.passwords import MOST_CHARACTERS
from service.intake.values import Refused, read_text
from service.pages.texts import gettext

SECRET = "secret"
LONGEST_COMMENT, LONGEST_NAME = 2000, 200
Code = TypeVar("Code", bound=StrEnum)


class BadForm(Exception):
    """A form that cannot be taken; `errors` say by field what is to be mended."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = errors
        super().__init__()


class Sent:
    """A form as it was sent. What cannot be taken is remembered until `check` is asked."""

    def __init__(self, form: MultiDict[str, str]) -> None:
        self._form = form
        self._errors: dict[str, str] = {}

    def check(self) -> None:
        """Return where everything could be taken. Raises BadForm."""
        if self._errors:
            raise BadForm(self._errors)

    def text(self, name: str, longest: int, lacking: str | None = None) -> str | None:
        """A text, None where it is empty; `lacking` says that it may not be."""
        raw = self._form.get(name, "")
        if not raw.strip():
            self._lacks(name, lacking)
            return None
        try:
            return read_text(raw, longest)
        except Refused:
            self._lacks(name, gettext("Write at most %(most)s plain characters.", most=longest))
            return None

    def code(self, name: str, codes: type[Code], lacking: str | None = None) -> Code | None:
        """One of these codes, None where none was chosen; `lacking` says that one must be."""
        raw = self._form.get(name, "")
        found = next((each for each in codes if each.value == raw), None)
        if found is None:
            self._lacks(name, lacking)
        return found

    def secret(self) -> str:
        """A PIN or password, which is kept nowhere; empty where it was not given."""
        given = self._form.get(SECRET, "")
        if not 1 <= len(given) <= MOST_CHARACTERS:
            self._lacks(SECRET, gettext("Enter your PIN or your password: this is a signature."))
        return given

    def _lacks(self, name: str, said: str | None) -> None:
        if said is not None:
            self._errors[name] = said
