"""Text for cards: data that stands in Markdown as plain text, and summaries that stay short."""

import re
import unicodedata

MOST_SUMMARY = 139  # "under 140 characters"
_MORE = "…"
# Markdown reads these anywhere in a line, the others at its start or in an address.
_ANYWHERE = re.compile(r"[\\`*_{}\[\]<>#|~&@$]")
_AT_START = re.compile(r"^([-+=]|\d{1,9}[.)])")
_ADDRESS = re.compile(r"(?i)(?<=www)\.|:(?=//)")


def one_line(text: str) -> str:
    """A text in one line, without characters that cannot be seen."""
    shown = (
        each if unicodedata.category(each)[0] != "C" else " " if each in "\t\r\n" else "" for each in text
    )
    return " ".join("".join(shown).split())


def escaped(text: str) -> str:
    """A text in the middle of a line of Markdown that shows just this text: no markup, no HTML, no link."""
    safe = _ANYWHERE.sub(r"\\\g<0>", one_line(text))
    return _ADDRESS.sub(r"\\\g<0>", safe)


def line(text: str) -> str:
    """The same, where a line begins: no list, no heading either."""
    return _AT_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped(text))


def cut(text: str, most: int) -> str:
    """A text in one line, cut at a word where it is longer; no word at all where the first is too long."""
    line = one_line(text)
    if len(line) <= most:
        return line
    head, space, _ = line[:most].rpartition(" ")
    return f"{head.rstrip(' ,;:.(')}{_MORE}" if space and most > 0 else ""


def summary(name: str, said: str) -> str:
    """`Name: what is said`, short enough for a summary. What is said is cut, the name is not.

    Only a name that alone is too long is cut too.
    """
    name = one_line(name)
    if len(name) > MOST_SUMMARY:
        return f"{name[: MOST_SUMMARY - 1]}{_MORE}"
    short = cut(said, MOST_SUMMARY - len(name) - 2)
    return f"{name}: {short}" if short else name
