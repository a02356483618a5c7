"""What was read of a bundle, for people: fact by fact, then what was not understood."""

from collections.abc import Iterable

from rich.console import Console, Group
from rich.text import Text

from service.checklist.facts import Vocabulary
from service.fhir.reading import ChartReading, Line
from service.terminal.console import Hanging, heading
from service.terminal.failures import clean
from service.terminal.words import counted


def print_reading(reading: ChartReading, vocabulary: Vocabulary, console: Console) -> None:
    """The lines of a reading: each fact with the resources that it was read from."""
    read = [line for line in reading.lines if line.understood and line.fact is not None]
    other = [line for line in reading.lines if line.understood and line.fact is None]
    open_ = [line for line in reading.lines if not line.understood]
    for name, definition in vocabulary.facts.items():
        _print(definition.label, (line for line in read if line.fact == name), console)
    _print("Not taken for any fact", other, console)
    labels = {name: definition.label for name, definition in vocabulary.facts.items()}
    _print("Not understood", open_, console, labels)
    known = [name for name, fact in reading.facts.items() if not _is_unknown(fact)]
    console.print(
        f"{counted(len(known), 'fact')} read, {counted(len(open_), 'thing')} not understood. "
        "What is not read is unknown."
    )


def _is_unknown(fact: object) -> bool:
    several = fact if isinstance(fact, list) else [fact]
    return all(each.get("value") is None for each in several if isinstance(each, dict))


def _print(title: str, lines: Iterable[Line], console: Console, labels: dict[str, str] | None = None) -> None:
    rows = []
    for line in lines:
        about = f"{labels.get(line.fact, line.fact)}: " if labels and line.fact is not None else ""
        said = Text(clean(f"{about}{line.says}  "))
        rows.append(Hanging(said.append(clean(line.resource), "dim"), indent=2))
    if rows:
        console.print(heading(title))
        console.print(Group(*rows))
        console.print()
