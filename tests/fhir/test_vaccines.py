import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir import vaccines
from tests.fhir.charts import CVX, chart_of, coded, context_of, given_by, lines_of, resource
from tests.fhir.test_orders import JUNK

MMR, SHINGRIX, ZOSTER, GLOBULIN = (coded(CVX, each) for each in ("03", "187", "188", "30"))


def vaccine(concept=MMR, id="1", **content):
    content = {"status": "completed", "occurrenceDateTime": "2026-09-01", **content}
    return resource("Immunization", id, vaccineCode=concept, **content)


def read(*resources, patient=None):
    return list(vaccines.read(chart_of(*resources, patient=patient), context_of()))


def entries(*resources, **more):
    return given_by(read(*resources, **more)).get("vaccinations", [])


def understood(reads):
    return all(each.line.understood for each in reads)


@pytest.mark.parametrize(
    ("concept", "entry"),
    [
        (MMR, {"cvx": "03"}),
        (coded(CVX, "3"), {"cvx": "03"}),
        (SHINGRIX, {"cvx": "187"}),
        (ZOSTER, {"cvx": "188"}),
        ({"coding": [{"system": CVX, "code": "03"}, {"system": "http://x", "code": "9"}]}, {"cvx": "03"}),
        ({"coding": [{"system": CVX, "code": each} for each in ("94", "03")]}, {"cvx": "03"}),
    ],
)
def test_a_vaccine_is_its_code_and_day(concept, entry):
    reads = read(vaccine(concept))
    assert given_by(reads) == {"vaccinations": [{**entry, "on": "2026-09-01"}]}
    assert understood(reads)


@pytest.mark.parametrize(
    ("concept", "why"),
    [
        (coded(CVX, "9999", "A new vaccine"), "it has no CVX code that is known"),
        (coded(text="Zoster vaccine"), "it has no CVX code that is known"),
        (coded("http://snomed.info/sct", "03"), "it has no CVX code that is known"),
        (
            {"coding": [{"system": CVX, "code": "188"}, {"system": CVX, "code": "187"}]},
            "its codes are of different",
        ),
    ],
)
def test_a_vaccine_without_a_known_code_is_of_an_unspecified_kind(concept, why):
    reads = read(vaccine(concept))
    assert given_by(reads) == {"vaccinations": [{"kind": "unspecified", "on": "2026-09-01"}]}
    assert why in reads[1].line.says
    assert not reads[1].line.understood


@pytest.mark.parametrize("code", ["30", "14", "998", "306"])
def test_a_globulin_is_no_vaccine(code):
    reads = read(vaccine(coded(CVX, code, "a globulin")))
    expected = [("Immunization/1", "vaccinations", "a globulin: not a vaccine", True)]
    assert (given_by(reads), lines_of(reads)) == ({}, expected)


def test_what_was_not_done_was_not_given():
    reads = read(vaccine(status="not-done"))
    assert (given_by(reads), understood(reads)) == ({}, True)


@pytest.mark.parametrize(
    "content", [{"status": None}, {"status": "other"}, {"modifierExtension": [{"url": "x"}]}]
)
def test_whether_it_was_given_may_not_be_known(content):
    reads = read(vaccine(**content))
    assert (given_by(reads), understood(reads)) == ({}, False)


def test_what_was_entered_in_error_is_left_out():
    assert read(vaccine(status="entered-in-error")) == []


@pytest.mark.parametrize("content", [{"occurrenceDateTime": "2026-09"}, {"occurrenceDateTime": "2026"}])
def test_a_month_or_a_year_is_no_date(content):
    assert entries(vaccine(**content)) == [{"cvx": "03"}]


def test_a_time_in_words_is_no_date():
    assert entries(vaccine(occurrenceDateTime=None, occurrenceString="as a child")) == [{"cvx": "03"}]


def test_the_day_is_counted_where_the_infusion_is():
    assert entries(vaccine(occurrenceDateTime="2026-09-02T03:00:00Z"))[0]["on"] == "2026-09-01"


@pytest.mark.parametrize("at", ["2026-12-02", "2026-12-01T09:01:00-05:00"])
def test_a_vaccine_given_after_the_infusion_is_not_understood(at):
    reads = read(vaccine(occurrenceDateTime=at))
    assert (given_by(reads), understood(reads)) == ({}, False)


@pytest.mark.parametrize("at", ["1989-01-01", "1989", "1990-01-01T02:00:00Z"])
def test_a_vaccine_before_birth_has_no_date(at):
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1990-01-01"}
    assert entries(vaccine(occurrenceDateTime=at), patient=patient) == [{"cvx": "03"}]


KEYS = ("status", "vaccineCode", "occurrenceDateTime", "modifierExtension", "contained")


@settings(max_examples=100, deadline=None)
@given(content=st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_no_content_makes_reading_a_vaccine_fail(content):
    odd = resource("Immunization", **{"status": "completed", "vaccineCode": MMR, **content})
    for each in vaccines.read(chart_of(odd), context_of()):
        assert each.line.says
        json.dumps(each.given, default=str)
