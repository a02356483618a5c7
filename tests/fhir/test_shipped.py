"""What the shipped code maps make of what an EHR sends, from a bundle to a finding."""

import pytest

from tests.builders import result_for

PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1984-03-02"}
OF_THE_PATIENT = {"reference": "Patient/p1"}
INFUSION_AT = "2026-12-01T09:00:00-05:00"


def checked(*resources, drug="inebilizumab", **facts):
    """The result for a bundle of these resources, and for facts beside it."""
    entries = [{"resource": each} for each in (PATIENT, *resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return result_for({"drug": drug, "infusion_at": INFUSION_AT, "bundle": bundle, "facts": facts})


def vaccinated(cvx, on):
    coding = {"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}
    return {
        "resourceType": "Immunization",
        "id": "im1",
        "status": "completed",
        "patient": OF_THE_PATIENT,
        "vaccineCode": {"coding": [coding]},
        "occurrenceDateTime": on,
    }


@pytest.mark.parametrize(
    ("cvx", "on", "kind", "status"),
    [
        ("03", "2026-11-20", "defer", "block"),  # live, 11 days before
        ("187", "2026-01-10", "missing", "warn"),  # not live, long ago; others may not be on record
    ],
)
def test_a_vaccine_on_record_is_known_by_its_code(cvx, on, kind, status):
    result = checked(vaccinated(cvx, on), dose_number=1)
    finding = next(each for each in result["findings"] if each["check"] == "vaccination")
    assert (finding["kind"], finding["status"]) == (kind, status)
    assert "Immunization/im1" in {each.get("source") for each in finding["because"]}
