"""Where words are printed, and the signs beside them: a colour, a shape and a word, never colour alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
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
    Status.PASS: Sign("●", "GO", "bold green"),
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


def standard_output() -> Console:
    """Colour on a terminal, plain text in a pipe; none at all where NO_COLOR is set."""
    plain: dict[str, Any] = {"color_system": None} if os.environ.get("NO_COLOR") else {}
    console = Console(highlight=False, markup=False, emoji=False, **plain)
    console.width = min(console.width, WIDEST)
    return console


def labelled(rows: list[tuple[str, Text]], indent: int = 2) -> Padding:
    """Lines of text behind a narrow column of labels, each hanging at its own left edge."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, style="dim", min_width=9)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, text)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def heading(text: str) -> Text:
    """The title of a section."""
    return Text(text, "bold underline")
