"""YAML read strictly: strings, whole numbers, decimals and null; nothing guessed, nothing repeated.

`yes`, `no`, `on`, dates and times stay strings. `true` and `false`, duplicate keys, aliases and tags are
refused. libyaml does the parsing (fast, with line numbers); what a scalar means is decided here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from service.knowledge.problems import KnowledgeError, Mistake, Problem

Path = tuple[str | int, ...]
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,99})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_NO_ALIAS = "aliases are not allowed: write it out, or make it a definition"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Document:
    """The data of one file, and the line on which each path of it stands."""

    file: str
    data: Any
    lines: dict[Path, int]

    def problem(self, path: Path, message: str, place: str = "") -> Problem:
        """A problem at a path, with the line of the nearest place that has one."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        return Problem(self.file, self.lines.get(at, 1), place or ".".join(map(str, path)), message)

    def error(self, mistake: Mistake, place: str = "") -> KnowledgeError:
        """A mistake as an error of this file."""
        return KnowledgeError([self.problem(mistake.path, mistake.message, place)])


def read(text: str, file: str) -> Document:
    """The document, or KnowledgeError with file, line and what is wrong."""
    lines: dict[Path, int] = {}
    reader = _Reader(file, lines)
    try:
        data = reader.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or "this is not YAML"
        raise KnowledgeError([Problem(file, mark.line + 1 if mark else 0, "", message)]) from None
    if reader.problems:
        raise KnowledgeError(reader.problems)
    return Document(file, data, lines)


class _Reader:
    """Builds the data from the parser's events: tags, anchors and aliases are still to be seen there."""

    def __init__(self, file: str, lines: dict[Path, int]) -> None:
        self.file, self.lines = file, lines
        self.problems: list[Problem] = []

    def document(self, events: Iterator[yaml.Event]) -> Any:
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(event, (), "expected one document in the file, but found another document")
                data = self._value(next(events), events, ())
        if not documents:
            raise KnowledgeError([Problem(self.file, 0, "", "the file is empty")])
        return data

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: Path) -> Any:
        self.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, path, _NO_ALIAS)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(event, path, f"the tag {tag} is not allowed")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._scalar(event, path) if isinstance(event, yaml.ScalarEvent) else None

    def _sequence(self, events: Iterator[yaml.Event], path: Path) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._value(event, events, (*path, len(found))))
        return found

    def _mapping(self, events: Iterator[yaml.Event], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                alias = isinstance(event, yaml.AliasEvent)
                self._refuse(event, path, _NO_ALIAS if alias else "a key must be a word")
                if not alias:
                    self._value(event, events, path)
                self._value(next(events), events, path)
                continue
            key = event.value
            if key in found:
                self._refuse(event, path, f'the key "{key}" stands here twice')
            self.lines[(*path, key)] = _line(event)
            found[key] = self._value(next(events), events, (*path, key))
        return found

    def _scalar(self, event: yaml.ScalarEvent, path: Path) -> Any:
        text = event.value
        if event.style in ("'", '"', "|", ">"):
            return text
        if text in ("", "null"):
            return None
        if text.lower() in ("true", "false"):
            self._refuse(event, path, f"write yes or no (or quote it): {text} is not a value here")
        if _WHOLE.fullmatch(text):
            return int(text)
        return Decimal(text) if _DECIMAL.fullmatch(text) else text

    def _refuse(self, event: yaml.Event, path: Path, message: str) -> None:
        self.problems.append(Problem(self.file, _line(event), ".".join(map(str, path)), message))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 0
