"""From the bytes of a request to its answer: the one way, whether it is asked now or replayed years later."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from service.checklist.findings import Checklist
from service.intake.documents import result_document, trace_document
from service.intake.json_text import parse_request
from service.intake.requests import ChecklistRequest, answer, read_request
from service.knowledge.library import Library


@dataclass(frozen=True)
class Answer:
    """A checklist, the request it answers, and both documents; the trace is written when it is asked for."""

    request: ChecklistRequest
    checklist: Checklist
    result: dict[str, Any]

    @cached_property
    def trace(self) -> dict[str, Any]:
        """The trace as a document."""
        return trace_document(self.checklist, self.request.reading)


def answer_to(
    body: bytes, library: Library, *, id: str, evaluated_at: datetime, site: str | None = None
) -> Answer:
    """The answer to a request as received; `site` names the records that keep it, if any do.

    Raises BadInput naming every bad field.
    """
    request = read_request(parse_request(body), library)
    checklist = answer(request, library)
    result = result_document(checklist, request, library, id=id, evaluated_at=evaluated_at, site=site)
    return Answer(request, checklist, result)


def documents_for(
    body: bytes, library: Library, *, id: str, evaluated_at: datetime, site: str | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result and the trace alone. Raises BadInput."""
    answered = answer_to(body, library, id=id, evaluated_at=evaluated_at, site=site)
    return answered.result, answered.trace
