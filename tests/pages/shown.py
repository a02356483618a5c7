"""The words of a page as people read them, and whether a text stands among them."""

import html
import re

_UNREAD = re.compile(r"<(script|style|head|title)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")


def words_of(page):
    """What stands between the tags of a page; a tag ends no word and begins none."""
    return html.unescape(_TAG.sub("", _UNREAD.sub(" ", page)))


def squeezed(text):
    """A text without its spaces: where a line breaks, or two parts of a page meet, says nothing."""
    return _SPACE.sub("", text)


def shown_in(words, text):
    """Whether a text stands in these words, in one piece."""
    return squeezed(text) in squeezed(words)
