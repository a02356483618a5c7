"""For whoever runs the service: is it up, can it answer, what has it counted."""

from flask import Response
from flask_smorest import Blueprint

from service.api import metrics
from service.api.documentation import problem_responses
from service.api.parts import parts
from service.api.responses import as_json
from service.api.schemas import StateSchema

blueprint = Blueprint("operations", __name__, description=__doc__)


@blueprint.route("/healthz")
@blueprint.response(200, StateSchema, description="The process answers.")
def healthz() -> Response:
    """Tell whether the process is up."""
    return as_json({"status": "up"})


@blueprint.route("/readyz")
@blueprint.response(200, StateSchema, description="The rules are loaded and the records answer.")
@problem_responses(blueprint, 503)
def readyz() -> Response:
    """Tell whether a checklist could be answered and recorded now."""
    parts().store.ping()
    return as_json({"status": "ready"})


@blueprint.route("/metrics")
@blueprint.response(200, {"type": "string"}, content_type="text/plain", description="Prometheus text format.")
def read_metrics() -> Response:
    """Read the counters of the worker that answers; every series names its worker."""
    return Response(parts().metrics.text(), content_type=metrics.MEDIA_TYPE)
