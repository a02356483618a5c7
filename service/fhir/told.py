"""A checklist as it is told to an EHR, and how the resources that tell it name each other."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service.fhir.resources import Resource

OURS = "urn:dosegate:"
# Why a finding is answered rather than followed: HL7's own codes.
REASON_SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
MADE = "checklist.made"
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True)
class Told:
    """A checklist that is told to an EHR.

    `result` and `record` are its documents; `entries` those of the journal about it. `order` is the
    reference of the order that it is about, where that is known; `patient_resource` the id of the FHIR
    resource of the patient. `link` is where people read the checklist.
    """

    result: Mapping[str, Any]
    record: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    order: str | None
    patient_resource: str | None
    link: str | None

    @property
    def id(self) -> str:
        """The id of the checklist, and of the resource that stands for it."""
        return str(self.result["id"])

    @cached_property
    def patient(self) -> Resource:
        """Whose it is: by the site's own id, and where the resource is known, by reference."""
        id = str(self.result["patient"]["id"])
        said: Resource = {"type": "Patient", "identifier": {"system": f"{OURS}patient", "value": id}}
        if self.patient_resource is not None and _ID.fullmatch(self.patient_resource):
            said["reference"] = f"Patient/{self.patient_resource}"
        return said

    def asked_by(self, entry: Mapping[str, Any]) -> Resource | None:
        """The user of the EHR who was at work when the checklist of this entry was made, if known."""
        said = entry["details"].get("asked_by") if entry["event"] == MADE else None
        return {"reference": said} if said is not None else None

    @cached_property
    def service(self) -> Resource:
        """This service, which made it."""
        return {"reference": f"urn:uuid:{self.id_of('Device', 'dosegate')}", "display": "Dosegate"}

    @property
    def response(self) -> Resource:
        """The evaluation."""
        return {"reference": f"urn:uuid:{self.id}"}

    def id_of(self, kind: str, name: object) -> str:
        """The id of another resource about it: the same each time that it is told."""
        return str(uuid.uuid5(uuid.UUID(self.id), f"{kind}/{name}"))


def actor(name: str) -> Resource:
    """Somebody, as the journal has them."""
    return {"identifier": {"system": f"{OURS}actor", "value": name}}


def evidence(because: Iterable[Mapping[str, Any]]) -> list[Resource]:
    """The resources that settled a finding; what is no resource is named as it is called."""
    sources = dict.fromkeys(each["source"] for each in because if each.get("source"))
    return [{"reference": each} if _REFERENCE.fullmatch(each) else {"display": each} for each in sources]


def concept(system: str, code: str) -> Resource:
    """A CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}]}
