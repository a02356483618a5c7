"""Complete patients with something given anew or left out, and the findings of one check."""

import pytest

from tests.builders import request_for, result_for, scenario_file, shipped

INEBILIZUMAB, FIRST, MAN, SECOND, THIRD, FOURTH = (
    "inebilizumab",
    "first dose, US",
    "first dose of a man, EU",
    "second dose, US",
    "third dose, US",
    "fourth dose, EU",
)
INOTUZUMAB = "inotuzumab_ozogamicin"
EVERY_PATIENT = [
    pytest.param(drug, patient, id=f"{drug}: {patient}")
    for drug in sorted(shipped().packs)
    for patient in scenario_file(drug)["patients"]
]
ORDER = ("block", "warn", "pass")


def asked(patient=FIRST, /, drug=INEBILIZUMAB, *, without=(), **facts):
    """The result for a complete patient with facts given anew or left out."""
    return result_for(request_for(drug, patient, with_=facts, without=without))


def found(result, check):
    """The findings of a check that are not a pass."""
    return [each for each in result["findings"] if each["check"] == check and each["status"] != "pass"]


def the(result, check):
    (finding,) = found(result, check)
    return finding
