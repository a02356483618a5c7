"""Words of ours that no page writes, for the catalogue: `make texts` reads them here.

Each function is an extractor as Babel asks for one: it gives line, function, text and comments of each text.
"""

import ast
from collections.abc import Iterator
from typing import IO, Any

from service.records.reasons import OutcomeReason, Reason
from service.records.record import CannotAct

_Found = Iterator[tuple[int, str, str, list[str]]]


def reasons(*_file: Any, **_options: Any) -> _Found:
    """The words of each coded reason."""
    for each in (*Reason, *OutcomeReason):
        yield 0, "gettext", each.words, []


def refusals(file: IO[bytes], *_asked: Any, **_options: Any) -> _Found:
    """Why something cannot be done, in each place that says so without a name or an id in its words."""
    for node in ast.walk(ast.parse(file.read())):
        match node:
            case ast.Call(func=ast.Name(id=CannotAct.__name__), args=[ast.Constant(value=str(text))]):
                yield node.lineno, "gettext", text, []
