"""For whoever runs the service: is it up, can it answer, what has it counted."""

from flask import Response

from service.access.roles import Permission
from service.api.documentation import Answers, Section
from service.api.schemas import StateSchema
from service.intake.errors import FieldError
from service.records.site import DEMONSTRATION
from service.web import metrics
from service.web.gauges import families
from service.web.guard import PUBLIC
from service.web.parts import parts
from service.web.readiness import readiness
from service.web.responses import as_json, as_unavailable

section = Section("operations", __doc__)


@section.endpoint("/healthz", Answers(200, "The process answers.", StateSchema), needs=PUBLIC)
def healthz() -> Response:
    """Tell whether the process is up."""
    return as_json({"status": "up", **_marked()})


@section.endpoint(
    "/readyz",
    Answers(200, "The rules are loaded and the records answer.", StateSchema),
    needs=PUBLIC,
    problems=(503,),
)
def readyz() -> Response:
    """Tell whether a checklist could be answered and recorded now, and how each part is.

    Where it could not, `errors` names the parts that are not as they should be. A worker for webhooks that is
    missing is told, and keeps nobody from asking.
    """
    found = readiness()
    if not found.lacking:
        return as_json({"status": "ready", "parts": dict(found.parts), **_marked()})
    errors = [FieldError(f"parts.{name}", word) for name, word in found.lacking.items()]
    return as_unavailable("The service cannot answer and record now.", found.retry_after, errors)


def _marked() -> dict[str, str]:
    return {"mode": DEMONSTRATION} if parts().store.records.demonstration else {}


@section.endpoint(
    "/metrics",
    Answers(200, "Prometheus text format.", {"type": "string"}, content_type="text/plain"),
    needs=Permission.METRICS_READ,
)
def read_metrics() -> Response:
    """Read what all workers have counted, and the figures of the records."""
    return Response(parts().metrics.text(families()), content_type=metrics.MEDIA_TYPE)
