"""How well the rules serve: what is overridden, why, and after how long. No patient is in it."""

from flask import Response

from service.access.roles import Permission
from service.api.bodies import query_received
from service.api.documentation import Answers, Section, parameters_of
from service.api.finding_schemas import QualityAskedSchema, QualitySchema
from service.intake.filters import filters_of
from service.records.quality import quality
from service.web.parts import act, parts
from service.web.responses import as_json

section = Section("quality", __doc__, "/api/v1")
_ASKED = QualityAskedSchema()


@section.endpoint(
    "/quality",
    Answers(200, "The figures of each rule, the most overridden first.", QualitySchema),
    needs=Permission.QUALITY_READ,
    problems=(422,),
    parameters=parameters_of(_ASKED, "from", "to", "drug"),
)
def read_quality() -> Response:
    """Read for each rule how often it was found and answered, and how long that took.

    A checklist that another one corrects is not counted. A rule that is overridden in more than half of its
    findings carries a note. The 90th percentile is that of the nearest rank.
    """
    asked = filters_of(query_received(_ASKED), parts().library)
    found = quality(parts().store.records, act(), asked.made_from, asked.made_to, asked.drug)
    return as_json(found.document())
