"""Whatever orders, medicines, reactions and vaccines a record holds, the facts read from it are taken."""

from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir.reading import facts_of
from service.intake.facts import read_facts
from tests.builders import shipped
from tests.fhir.charts import (
    ATC,
    CVX,
    ICD,
    INFUSION_AT,
    SNOMED,
    chart_of,
    coded,
    library,
    resource,
)

TIMES = st.sampled_from(
    (
        *("2026-12-01T08:00:00-05:00", "2026-12-01", "2026-11-30T22:00:00Z", "2026-12-02", "2026-11", "2026"),
        *(
            "1979-12-31",
            "1980-01-01T02:00:00Z",
            "2199-12-31T23:59:59Z",
            "2026-13-01",
            "",
            "2026-05-01T08:00:00",
            None,
        ),
    )
)
CONCEPTS = st.sampled_from(
    (
        coded(text="Uplizna"),
        coded(text="methylprednisolone " * 30),
        coded(text="rituximab\ud800"),
        coded(text="ciprofloxacin"),
        coded(text="\u200b"),
        coded(ATC, "L04AG10"),
        coded(text="immune globulin"),
        coded(SNOMED, "716186003"),
        coded(text="Infusion related reaction"),
        coded(text="sucrose"),
        coded(CVX, "03"),
        coded(CVX, "30"),
        coded(text="a vaccine"),
        {},
    )
)
STATUSES = st.sampled_from(("completed", "active", "stopped", "not-done", "unknown", None))
QUANTITIES = st.fixed_dictionaries(
    {"value": st.sampled_from((300, 0.1, -1, 10**30, "3")), "unit": st.sampled_from(("mg", "mg/m2", "x"))}
)
DOSAGES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "timing": st.fixed_dictionaries(
                {},
                optional={
                    "event": st.lists(TIMES, max_size=2),
                    "repeat": st.fixed_dictionaries(
                        {
                            "duration": st.sampled_from((90, 1.7, 10**9)),
                            "durationUnit": st.sampled_from(("h", "min")),
                        }
                    ),
                },
            ),
            "route": st.sampled_from((coded(SNOMED, "47625008"), coded(SNOMED, "34206005"))),
            "doseAndRate": st.lists(st.fixed_dictionaries({"doseQuantity": QUANTITIES}), max_size=2),
        },
    ),
    max_size=2,
)


def of(type, **content):
    return st.fixed_dictionaries({}, optional=content).map(lambda each: (type, each))


RESOURCES = st.lists(
    st.one_of(
        of(
            "MedicationRequest",
            status=STATUSES,
            medicationCodeableConcept=CONCEPTS,
            dosageInstruction=DOSAGES,
            reasonCode=st.lists(st.sampled_from((coded(ICD, "G36.0"), coded(ICD, "G70.0"))), max_size=2),
        ),
        of("MedicationStatement", status=STATUSES, medicationCodeableConcept=CONCEPTS),
        of(
            "MedicationAdministration",
            status=STATUSES,
            medicationCodeableConcept=CONCEPTS,
            effectiveDateTime=TIMES,
        ),
        of(
            "AllergyIntolerance",
            code=CONCEPTS,
            reaction=st.lists(
                st.fixed_dictionaries({"onset": TIMES, "severity": st.sampled_from(("mild", "severe", "x"))}),
                max_size=2,
            ),
        ),
        of(
            "AdverseEvent",
            event=CONCEPTS,
            date=TIMES,
            severity=st.sampled_from((coded(text="life-threatening"), coded(text="mild"))),
            suspectEntity=st.just([{"instance": {"display": "Uplizna"}}]),
        ),
        of("Immunization", status=STATUSES, vaccineCode=CONCEPTS, occurrenceDateTime=TIMES),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(several=RESOURCES, state=st.sampled_from(("complete", "failed")))
def test_what_is_read_is_taken_as_facts(several, state):
    searched = dict.fromkeys(("orders", "administrations", "statements"), state)
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01"}
    placed = [resource(type, str(place), **content) for place, (type, content) in enumerate(several)]
    chart = chart_of(*placed, patient=patient, searched=searched)
    reading = facts_of(chart, shipped().packs["inebilizumab"], None, INFUSION_AT, library())
    read_facts(reading.facts, shipped().vocabulary, INFUSION_AT)
