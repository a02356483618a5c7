"""What is wrong in a file of knowledge: file, line, place, what, and the way out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in one file."""

    file: str
    line: int
    place: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}, {self.place}: {self.message}" if self.place else f"{where}: {self.message}"


class KnowledgeError(Exception):
    """The rules cannot be used as they are. `problems` names every mistake; nothing is skipped."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Mistake(Exception):
    """A mistake at a path inside one document, before the file and line are known."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        self.path, self.message = path, message
        super().__init__(message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?` with the nearest known words, or nothing."""
    near = get_close_matches(str(word), [str(each) for each in known], n=2, cutoff=0.6)
    quoted = " or ".join('"' + each + '"' for each in near)
    return f" Did you mean {quoted}?" if near else ""
