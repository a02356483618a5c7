"""The words of the pages: every text that a person reads goes through here, into the catalogue of a language.

Clinical text (messages, actions, titles, questions) comes from the rules and is English in every language.
"""

from typing import Any

import flask_babel
from markupsafe import Markup, escape


def gettext(text: str, **names: Any) -> str:
    """A text in the language of the request, with `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **names))


def ngettext(one: str, several: str, num: int, **names: Any) -> str:
    """The text for one or for several; `%(num)s` is how many."""
    return str(flask_babel.ngettext(one, several, num, **names))


def own_words(text: str) -> Markup:
    """What the service says of itself, in the language of the request; marked where it is English only."""
    said = gettext(text)
    return escape(said) if said != text else in_english(text)


def in_english(text: str) -> Markup:
    """A text that is English in every language, marked as such."""
    return Markup('<span lang="en">{}</span>').format(text)


class Later:
    """A text that is put into the language of the request when it is shown."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return gettext(self._text)

    def __html__(self) -> str:
        """The text for a template, escaped."""
        return str(escape(gettext(self._text)))


def lazy_gettext(text: str) -> Later:
    """A text that is not shown yet, as in a table of words."""
    return Later(text)
