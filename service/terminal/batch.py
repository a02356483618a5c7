"""One request a line, answered in order and in constant memory; and the exit status of what was answered."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, BinaryIO

from service.checklist.rules import Status
from service.intake.answers import Answer, answer_to
from service.intake.errors import BadInput
from service.intake.json_text import MOST_WITH_BUNDLE
from service.knowledge.library import Library

NOT_RECORDED = "not-recorded"


class Exit(IntEnum):
    """The exit status of `dosegate check`, in ascending order of what wins over several requests."""

    PASS = 0
    WARN = 3
    BLOCK = 4
    BAD_INPUT = 2
    FAULT = 1


EXITS = {Status.PASS: Exit.PASS, Status.WARN: Exit.WARN, Status.BLOCK: Exit.BLOCK}


def worst(*exits: Exit) -> Exit:
    """The exit status that wins."""
    return max(exits, key=list(Exit).index)


@dataclass(frozen=True)
class Line:
    """One line of a file of requests: its number, its text, and how many bytes of the file it took."""

    number: int
    text: bytes
    size: int


def lines_of(stream: BinaryIO) -> Iterator[Line]:
    """The lines that say something. Of a line too long for a request only as much is kept as shows that."""
    number = 0
    while text := stream.readline(MOST_WITH_BUNDLE + 2):
        number += 1
        size, last = len(text), text
        while last and not last.endswith(b"\n"):
            last = stream.readline(MOST_WITH_BUNDLE)
            size += len(last)
        if text.strip():
            yield Line(number, text.rstrip(b"\r\n"), size)


def respond(text: bytes, library: Library, now: datetime) -> Answer:
    """The answer to a request, which nothing records. Raises BadInput."""
    return answer_to(text, library, id=NOT_RECORDED, evaluated_at=now)


def document_of(answer: Answer, *, trace: bool) -> dict[str, Any]:
    """The result as every client reads it, with the trace where it is wanted."""
    return {**answer.result, "trace": answer.trace} if trace else answer.result


def answer_line(line: Line, library: Library, now: datetime, *, trace: bool) -> tuple[Exit, dict[str, Any]]:
    """The answer to one line: the result, or the problem details of a bad one."""
    try:
        answer = respond(line.text, library, now)
        return EXITS[answer.checklist.status], document_of(answer, trace=trace)
    except BadInput as bad:
        return Exit.BAD_INPUT, {**_refused(bad), "line": line.number}
    except Exception as error:  # one line stops nothing; its answer says that there is none
        return Exit.FAULT, {**_fault(error), "line": line.number}


def _refused(bad: BadInput) -> dict[str, Any]:
    """Problem details (RFC 9457) of a request that is refused."""
    return {
        "type": "about:blank",
        "title": "The request is refused",
        "status": 422,
        "detail": "Nothing was evaluated; errors names every field that is wrong.",
        "errors": [{"path": each.path, "message": each.message} for each in bad.errors],
    }


def _fault(error: Exception) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": "Internal error",
        "status": 500,
        "detail": f"Nothing was evaluated ({type(error).__name__}): hold, and check by hand.",
    }
