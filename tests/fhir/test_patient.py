"""The Patient: date of birth, and sex assigned at birth."""

import pytest

from tests.builders import checklist_for
from tests.fhir.builders import AT, bundle, lines_about, patient, read

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


def of(**more):
    return read(patient(**more), of=False)


def test_the_date_of_birth_is_read_and_no_line_repeats_it():
    reading = of(birthDate="1984-03-02", name=[{"family": "Roe"}], identifier=[{"value": "MRN-7"}])
    assert reading.facts["birth_date"] == {"value": "1984-03-02", "source": "Patient/p"}
    said = " ".join(line.says for line in reading.lines)
    assert not any(each in said for each in ("1984", "Roe", "MRN"))


@pytest.mark.parametrize("written", ["1984", "1984-03", "03/02/1984", "1984-02-30", 1984, "2027-01-01"])
def test_a_date_of_birth_that_is_no_full_date_is_unknown_and_asked_for(written):
    document = {
        "drug": "besponsa",
        "infusion_at": AT.isoformat(),
        "bundle": bundle(patient(birthDate=written), of=False),
    }
    found = checklist_for(document)
    assert found.trace.case.evidence("birth_date").unknown.detail.startswith(
        "cannot be read: the date of birth"
    )
    assert str(written) not in str(of(birthDate=written).lines)


@pytest.mark.parametrize(
    ("code", "sex"), [("F", "female"), ("M", "male"), ("UNK", None), ("OTH", None), ("", "")]
)
def test_the_sex_assigned_at_birth_is_that_of_the_extension(code, sex):
    fact = of(extension=[{"url": BIRTH_SEX, "valueCode": code}]).facts.get("sex")
    assert (fact["value"] if fact else "") == sex


def test_two_different_ones_are_none():
    both = [{"url": BIRTH_SEX, "valueCode": code} for code in "FM"]
    assert of(extension=both).facts["sex"]["value"] is None


def test_the_administrative_gender_is_never_read():
    reading = of(gender="male")
    assert "sex" not in reading.facts
    assert [line.fact for line in lines_about(reading, "Patient/p")] == ["birth_date", "sex"]


@pytest.mark.parametrize("died", [{"deceasedBoolean": True}, {"deceasedDateTime": "2026-01-01"}])
def test_a_patient_who_has_died_is_said(died):
    lines = lines_about(of(**died), "Patient/p")
    assert [line.says for line in lines if not line.understood] == [
        "the record says that the patient has died"
    ]


def test_an_odd_patient_gives_nothing():
    assert of(extension="x", birthDate=[], gender={}, deceasedBoolean="yes").facts == {
        "birth_date": {"value": None, "unreadable": "the date of birth is not a date", "source": "Patient/p"}
    }
