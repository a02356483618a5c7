"""FHIR resources as plain dicts, and what is read of them: for the tests of charts and bundles."""

import copy
from datetime import datetime

from service.fhir.chart import read_chart
from service.fhir.reading import facts_of
from tests.builders import shipped

LOINC, SNOMED, ICD10, UCUM = (
    *("http://loinc.org", "http://snomed.info/sct"),
    *("http://hl7.org/fhir/sid/icd-10-cm", "http://unitsofmeasure.org"),
)
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
RACE = "urn:oid:2.16.840.1.113883.6.238"
AT = datetime.fromisoformat("2026-12-01T09:00:00-05:00")
HBSAG, PLATELETS, IGG, ALT, HCG, HBV_DNA = "5196-1", "777-3", "2465-3", "1742-6", "2106-3", "42595-9"
NEGATIVE, POSITIVE = "260385009", "10828004"


def concept(code=None, system=LOINC, display=None, text=None):
    """A CodeableConcept of one code."""
    coding = {"system": system, "code": code, **({"display": display} if display else {})}
    return {**({"coding": [coding]} if code else {}), **({"text": text} if text else {})}


def quantity(value, unit, *, coded=True, **more):
    return {"value": value, "unit": unit, **({"system": UCUM, "code": unit} if coded else {}), **more}


def patient(id="p", **more):
    return {"resourceType": "Patient", "id": id, "birthDate": "1984-03-02", **more}


def observation(id="1", code=HBSAG, status="final", at="2026-11-10", **more):
    """An observation of a LOINC code; without `value...` it has none."""
    return {
        "resourceType": "Observation",
        "id": id,
        "status": status,
        "subject": {"reference": "Patient/p"},
        "code": concept(code) if isinstance(code, str) else code,
        **({"effectiveDateTime": at} if at else {}),
        **more,
    }


def negative(id="1", **more):
    return observation(id, valueCodeableConcept=concept(NEGATIVE, SNOMED), **more)


def positive(id="1", **more):
    return observation(id, valueCodeableConcept=concept(POSITIVE, SNOMED), **more)


def count(value=150, unit="10*9/L", id="1", **more):
    """A platelet count."""
    return observation(id, PLATELETS, valueQuantity=quantity(value, unit), **more)


def condition(id="1", code="A15.0", system=ICD10, clinical="active", verified="confirmed", **more):
    return {
        "resourceType": "Condition",
        "id": id,
        "subject": {"reference": "Patient/p"},
        "code": concept(code, system, display="a condition") if isinstance(code, str) else code,
        **({"clinicalStatus": concept(clinical, "x")} if clinical else {}),
        **({"verificationStatus": concept(verified, "x")} if verified else {}),
        **more,
    }


def report(id="1", code=HBSAG, status="final", at="2026-11-10", **more):
    return {**observation(id, code, status, at, **more), "resourceType": "DiagnosticReport"}


def bundle(*resources, of=True, type="collection", **more):
    """A Bundle; `of` puts a Patient in front."""
    every = [*([patient()] if of else []), *resources]
    return {
        "resourceType": "Bundle",
        **({"type": type} if type else {}),
        "entry": [{"resource": copy.deepcopy(each)} for each in every],
        **more,
    }


def chart(*resources, searched=None, **more):
    return read_chart(bundle(*resources, **more), patient=None, searched=searched or {})


def read(*resources, drug="inebilizumab", order=None, at=AT, library=None, **more):
    """What is read of these resources beside a Patient."""
    library = library or shipped()
    return facts_of(chart(*resources, **more), library.packs[drug], order, at, library)


def lines_about(reading, resource):
    return [line for line in reading.lines if line.resource == resource]


def request(*resources, drug="inebilizumab", given=None, **more):
    """A request for a checklist with a bundle."""
    return {
        "drug": drug,
        "infusion_at": AT.isoformat(),
        "bundle": bundle(*resources),
        **({"facts": given} if given is not None else {}),
        **more,
    }
