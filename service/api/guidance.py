"""A checklist as FHIR R4, for an EHR that keeps it."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from flask import Response
from marshmallow import RAISE, Schema, fields, validate

from service.access.roles import Permission
from service.api.bodies import query_received
from service.fhir.chart import BadBundle, read_chart
from service.fhir.guidance import MEDIA_TYPE, guidance
from service.fhir.told import Told
from service.records.canonical import canonical
from service.records.visits import Record
from service.web.parts import act, parts, principal
from service.web.visit_documents import record_document

_VIEWS = (".viewed", ".searched", ".exported")


class FormatSchema(Schema):
    """How a checklist is asked for."""

    class Meta:
        """Unknown keys are refused."""

        unknown = RAISE

    form = fields.String(data_key="_format", validate=validate.OneOf(["json", "fhir"]), load_default="json")


BUNDLE: dict[str, Any] = {
    "type": "object",
    "description": "A FHIR R4 Bundle: a GuidanceResponse, a DetectedIssue for each warn and block (with its "
    "mitigation, where it was answered), a Provenance, and an AuditEvent for each entry of the journal about "
    "it. Who only looked is told to whoever may read the journal.",
    "properties": {"resourceType": {"const": "Bundle"}},
    "required": ["resourceType", "type", "entry"],
}


def asked_as_fhir() -> bool:
    """Whether this request asks for FHIR. Raises BadInput."""
    return bool(query_received(FormatSchema())["form"] == "fhir")


def answer(id: str) -> Response:
    """A checklist as FHIR. Raises NoSuchChecklist, PatientErased, StoreUnavailable."""
    told = _told(parts().visits.record(id, act()))
    bundle = guidance(told, parts().library.code_maps, version("dosegate"))
    return Response(canonical(bundle), mimetype=MEDIA_TYPE)


def _told(record: Record) -> Told:
    subject, own = record.subject, parts().public_url
    request = subject.request
    sees_all = principal().may(Permission.JOURNAL_READ)
    return Told(
        result=subject.result,
        record=record_document(record),
        entries=[
            entry.document() for entry in record.visit.entries if sees_all or not entry.event.endswith(_VIEWS)
        ],
        order=request.get("order"),
        patient_resource=_patient_resource(request, subject.result["patient"]["id"]),
        link=f"{own}/checklists/{subject.id}" if own else None,
    )


def _patient_resource(request: Mapping[str, Any], id: str) -> str | None:
    """The id of the Patient of a request with a bundle; without a Patient the one that was asked for."""
    if "bundle" not in request:
        return None
    try:
        return read_chart(request["bundle"], patient=id, searched={}).patient_id or id
    except BadBundle:  # it could be read when it came
        return None
