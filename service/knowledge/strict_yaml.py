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
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
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
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or "this is not YAML"
        raise KnowledgeError([Problem(file, mark.line + 1 if mark else 0, "", message)]) from None
    if node is None:
        raise KnowledgeError([Problem(file, 0, "", "the file is empty")])
    problems: list[Problem] = []
    data = _Reader(file, lines, problems).value(node, ())
    if problems:
        raise KnowledgeError(problems)
    return Document(file, data, lines)


class _Reader:
    def __init__(self, file: str, lines: dict[Path, int], problems: list[Problem]) -> None:
        self.file, self.lines, self.problems = file, lines, problems
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self.seen:
            return self._refuse(node, path, "aliases are not allowed: write it out, or make it a definition")
        self.seen.add(id(node))
        if not node.tag.startswith("tag:yaml.org,2002:"):
            return self._refuse(node, path, f"the tag {node.tag} is not allowed")
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, place)) for place, each in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        known: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(
                    Problem(self.file, line, ".".join(map(str, path)), "a key must be a word")
                )
                continue
            if key in known:
                self.problems.append(
                    Problem(self.file, line, ".".join(map(str, path)), f'the key "{key}" stands here twice')
                )
            known.add(key)
            self.lines[(*path, key)] = line
            yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = node.value
        if node.style in ("'", '"', "|", ">"):
            return text
        if text in ("", "null"):
            return None
        if text.lower() in ("true", "false"):
            return self._refuse(node, path, f"write yes or no (or quote it): {text} is not a value here")
        if _WHOLE.fullmatch(text):
            return int(text)
        return Decimal(text) if _DECIMAL.fullmatch(text) else text

    def _refuse(self, node: yaml.Node, path: Path, message: str) -> None:
        line = node.start_mark.line + 1
        self.problems.append(Problem(self.file, line, ".".join(map(str, path)), message))
