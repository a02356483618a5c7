"""For whoever runs the service: is it up, can it answer, what has it counted."""

from flask import Response

from service.access.roles import Permission
from service.api.documentation import Answers, Section
from service.api.schemas import StateSchema
from service.records.site import DEMONSTRATION
from service.web import metrics
from service.web.guard import PUBLIC
from service.web.parts import parts
from service.web.responses import as_json

section = Section("operations", __doc__)


@section.endpoint("/healthz", Answers(200, "The process answers.", StateSchema), needs=PUBLIC)
def healthz() -> Response:
    """Tell whether the process is up."""
    return as_json(_state("up"))


@section.endpoint(
    "/readyz",
    Answers(200, "The rules are loaded and the records answer.", StateSchema),
    needs=PUBLIC,
    problems=(503,),
)
def readyz() -> Response:
    """Tell whether a checklist could be answered and recorded now."""
    parts().store.ping()
    return as_json(_state("ready"))


def _state(word: str) -> dict[str, str]:
    marked = {"mode": DEMONSTRATION} if parts().store.records.demonstration else {}
    return {"status": word, **marked}


@section.endpoint(
    "/metrics",
    Answers(200, "Prometheus text format.", {"type": "string"}, content_type="text/plain"),
    needs=Permission.METRICS_READ,
)
def read_metrics() -> Response:
    """Read the counters of the worker that answers; every series names its worker."""
    return Response(parts().metrics.text(), content_type=metrics.MEDIA_TYPE)
