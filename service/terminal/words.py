"""The words of the command line: of a pack, without what a terminal would obey; of so many things."""

from typing import Any

from service.checklist.findings import Because
from service.knowledge import words
from service.terminal.failures import clean

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def counted(number: int, one: str, many: str = "") -> str:
    """`1 block`, `2 blocks`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


class Words(words.Words):
    """The words of one pack, for a terminal: what came in with a request is cleaned."""

    def value(self, name: str, value: Any, unit: str | None = None) -> str:
        return clean(super().value(name, value, unit))

    def because(self, because: Because, *, labelled: bool = True) -> str:
        return clean(super().because(because, labelled=labelled))
