"""The Patient: date of birth, and sex assigned at birth. Names and identifiers are never looked at."""

from collections.abc import Iterator

from service.fhir.chart import Chart
from service.fhir.reads import Read, ReadingContext, found, noted, unreadable
from service.fhir.resources import Resource, moment, objects, text
from service.fhir.statements import CHANGED, is_changed
from service.knowledge.code_maps import CodeMaps

_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_BIRTH_SEX_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender"


def read(chart: Chart, context: ReadingContext) -> Iterator[Read]:
    """What the Patient gives. No line repeats the date of birth."""
    patient = chart.patient
    if patient is None:
        return
    name = chart.name(patient)
    if is_changed(patient):
        yield noted(name, CHANGED, understood=False)
        return
    yield from _birth(patient, name, context)
    yield from _sex(patient, name, context.maps)
    if patient.get("deceasedBoolean") is True or text(patient.get("deceasedDateTime")) is not None:
        yield noted(name, "the record says that the patient has died", understood=False)


def _birth(patient: Resource, name: str, context: ReadingContext) -> Iterator[Read]:
    given = patient.get("birthDate")
    if given is None:
        return
    born = moment(given)
    if born is None or born.at is None:
        known = "not a full date" if born is not None else "not a date"
        yield unreadable(name, "birth_date", f"the date of birth is {known}")
    elif born.day > context.infusion_at.date():
        yield unreadable(name, "birth_date", "the date of birth is after the infusion")
    else:
        yield found(name, "birth_date", "the date of birth", value=born.written[:10])


def _sex(patient: Resource, name: str, maps: CodeMaps) -> Iterator[Read]:
    given = [
        said
        for each in objects(patient.get("extension"))
        if each.get("url") == _BIRTH_SEX and (said := text(each.get("valueCode"))) is not None
    ]
    meant = {maps.meaning("birth_sex", maps.key(_BIRTH_SEX_SYSTEM, each)) for each in given}
    known = meant - {None}
    if len(meant) == 1 and known:
        yield found(name, "sex", f"{min(map(str, known))}, assigned at birth", value=known.pop())
    elif given:
        yield unreadable(name, "sex", f'"{" and ".join(sorted(given))}" as the sex assigned at birth')
    elif patient.get("gender") is not None:
        yield noted(name, "the administrative gender does not say which sex was assigned at birth", "sex")
