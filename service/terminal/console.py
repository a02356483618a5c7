"""Where words are printed, and the signs beside them: a colour, a shape and a word, never colour alone."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from service.checklist.rules import Status
from service.checklist.truth import FALSE, TRUE, UNKNOWN, Truth

WIDEST = 110  # longer lines are hard to follow


@dataclass(frozen=True)
class Sign:
    """A shape, a word and a style that mean the same."""

    shape: str
    word: str
    style: str

    @property
    def text(self) -> Text:
        """The sign, ready to print."""
        return Text(f"{self.shape} {self.word}", self.style)

    @property
    def badge(self) -> Text:
        """The sign as a block of colour."""
        return Text(f" {self.shape} {self.word} ", f"{self.style} reverse")


# Each of these tables has an entry for every status or truth.
STATUSES: Mapping[Status, Sign] = {
    Status.BLOCK: Sign("■", "BLOCK", "bold red"),
    Status.WARN: Sign("▲", "WARN", "bold yellow"),
    Status.PASS: Sign("●", "PASS", "green"),
}
DECISIONS: Mapping[Status, Sign] = {
    Status.BLOCK: Sign("■", "HOLD", "bold red"),
    Status.WARN: Sign("▲", "CHECK", "bold yellow"),
    Status.PASS: Sign("●", "PASS", "bold green"),
}
NOT_APPLICABLE = Sign("○", "n/a ", "dim")
VERDICTS: Mapping[Truth, Sign] = {
    TRUE: Sign("◆", "holds", "bold"),
    UNKNOWN: Sign("?", "undecided", "bold magenta"),
    FALSE: Sign("·", "ruled out", "dim"),
}
ANSWERS: Mapping[Truth, Sign] = {
    TRUE: Sign("+", "yes", ""),
    UNKNOWN: Sign("?", "unknown", "magenta"),
    FALSE: Sign("-", "no", "dim"),
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would exit with 1, which here means an internal error


def standard_output() -> Console:
    """Colour on a terminal, plain text in a pipe; none at all where NO_COLOR is set."""
    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    console = _Console(highlight=False, markup=False, emoji=False, **plain)
    console.width = min(console.width, WIDEST)
    return console


@dataclass(frozen=True)
class Hanging:
    """Text behind a label, wrapped at its own left edge; no line ends in spaces."""

    text: Text
    label: str = ""
    indent: int = 0
    label_width: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        edge = self.indent + self.label_width
        lines = self.text.wrap(console, max(options.max_width - edge, 20))
        for place, line in enumerate(lines):
            line.rstrip()
            label = self.label.ljust(self.label_width) if place == 0 else " " * self.label_width
            yield Text.assemble(" " * self.indent, (label, "dim"), line)


@dataclass(frozen=True)
class OneLine:
    """Text on one line of a terminal, cut off at its edge; in a pipe nothing is cut off."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = self.text.copy()
        if console.is_terminal:
            line.truncate(options.max_width, overflow="ellipsis")
        yield line if console.is_terminal else Hanging(line)


@dataclass(frozen=True)
class Indented:
    """Anything printed further right; no line ends in spaces."""

    inner: RenderableType
    indent: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrower = options.update(width=options.max_width - self.indent)
        for segments in console.render_lines(self.inner, narrower, pad=False):
            line = Text.assemble(" " * self.indent, *((each.text, each.style or "") for each in segments))
            line.rstrip()
            yield line


def labelled(rows: Iterable[tuple[str, Text]], indent: int = 2, label_width: int = 10) -> Group:
    """Lines of text behind a column of labels, wide enough for the longest."""
    lines = list(rows)
    width = max([label_width, *(len(label) + 1 for label, _ in lines)])
    return Group(*(Hanging(text, label, indent, width) for label, text in lines))


def heading(text: str) -> Text:
    """The title of a section."""
    return Text(text, "bold underline")
