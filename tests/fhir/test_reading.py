"""From a chart to facts: what is put together, in any order and out of any junk."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.fhir.chart import BadBundle, read_chart
from service.fhir.reading import facts_of
from service.intake.documents import plain
from service.intake.errors import BadInput
from service.intake.facts import read_facts
from service.intake.requests import read_request
from tests.builders import shipped
from tests.fhir.builders import (
    AT,
    HBSAG,
    ICD10,
    IGG,
    LOINC,
    PLATELETS,
    SNOMED,
    bundle,
    concept,
    condition,
    count,
    negative,
    observation,
    patient,
    positive,
    quantity,
    read,
    report,
)

MEDICINES = dict.fromkeys(("orders", "administrations", "statements"), "complete")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"


def of_patient(type, id, **more):
    whose = "patient" if type in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": type, "id": id, whose: {"reference": "Patient/p"}, **more}


def takes(id, *, text=None, code=None, status="active"):
    medicine = concept(code, RXNORM, text=text)
    return of_patient("MedicationStatement", id, status=status, medicationCodeableConcept=medicine)


A_CHART = (
    negative("31"),
    positive("30", at="2019-01-01"),
    count(150, id="c1"),
    count(90, id="c2", at="2026-11-28T08:00:00Z"),
    observation(
        "e", "34534-8", component=[{"code": concept("8636-3"), "valueQuantity": quantity(430, "ms")}]
    ),
    observation("odd", "2345-7", category=[concept("laboratory", "x")]),
    report("rep", "16933-4"),
    condition("tb", "A15.0"),
    condition("nmo", "G36.0"),
    of_patient("Immunization", "v", status="completed", occurrenceDateTime="2026-09-01",
               vaccineCode=concept("187", CVX)),
    of_patient("AllergyIntolerance", "a", code=concept(text="peanut"),
               clinicalStatus=concept("active", "x"), reaction=[{"severity": "mild"}]),
    takes("m1", text="prednisone", code="8640"),
    takes("m2", text="something new"),
)  # fmt: skip


def test_each_fact_names_its_resource_and_is_taken_by_the_vocabulary():
    reading = read(*A_CHART)
    for name, fact in reading.facts.items():
        for each in fact if isinstance(fact, list) else [fact]:
            assert each["source"], name
    typed = read_facts(reading.facts, shipped().vocabulary, AT)
    assert typed.readings.keys() == reading.facts.keys()
    assert json.loads(json.dumps(plain(reading.facts)))


def test_several_results_are_a_list_and_the_newest_is_first():
    fact = read(*A_CHART).facts["platelets"]
    assert [(each["source"], each["value"]) for each in fact] == [
        ("Observation/c2", 90),
        ("Observation/c1", 150),
    ]


def test_lists_of_a_record_may_have_other_entries_than_these():
    facts = read(*A_CHART).facts
    assert facts["vaccinations"]["complete"] == "no"
    assert facts["vaccinations"]["value"] == [{"cvx": "187", "on": "2026-09-01"}]
    assert facts["immunosuppressants"]["complete"] == "no"
    assert facts["reactions"]["source"] == "AllergyIntolerance/a"


def test_no_medicine_in_a_record_that_was_searched_whole_is_an_answer_only_where_the_record_is_asked():
    facts = read(searched=MEDICINES).facts
    assert facts["antiretrovirals"] == {"value": []}
    asked = {"immunosuppressants", "anti_infectives", "premedications", "vaccinations", "reactions"}
    assert not facts.keys() & {*asked, "qt_prolonging_drugs"}  # of the last no medicine is known here


def test_a_search_that_failed_or_was_not_made_leaves_the_list_unknown():
    for name in MEDICINES:
        assert "antiretrovirals" not in read(searched={**MEDICINES, name: "failed"}).facts
        assert "antiretrovirals" not in read(searched={**MEDICINES, name: "incomplete"}).facts
        without = {each: state for each, state in MEDICINES.items() if each != name}
        assert "antiretrovirals" not in read(searched=without).facts


def test_a_medicine_that_is_not_known_here_may_belong_to_any_list():
    strange = takes("m", text="something new")
    assert "antiretrovirals" not in read(strange, searched=MEDICINES).facts
    known = takes("n", text="dolutegravir")
    assert read(known, searched=MEDICINES).facts["antiretrovirals"].get("complete") is None
    assert read(known, strange, searched=MEDICINES).facts["antiretrovirals"]["complete"] == "no"


def test_an_order_is_found_by_its_reference_and_what_is_none_is_refused():
    dose = [{"doseAndRate": [{"doseQuantity": quantity(300, "mg")}]}]
    said = {"medicationCodeableConcept": concept(text="Uplizna"), "dosageInstruction": dose}
    order = of_patient("MedicationRequest", "7", status="active", intent="order", **said)
    for named in ("MedicationRequest/7", None):
        assert read(order, order=named).facts["ordered_dose"]["source"] == "MedicationRequest/7"
    two = read(order, {**order, "id": "8"})
    assert "ordered_dose" not in two.facts
    for other in ("MedicationRequest/9", "Patient/p", "", "#7"):
        try:
            read(order, order=other)
        except BadBundle as bad:
            assert bad.errors == (("order", "is no MedicationRequest of the bundle"),)
        else:
            raise AssertionError(other)


def test_a_problem_list_does_not_say_for_what_the_medicine_is_ordered():
    assert "indication" not in read(condition("1", "G36.0")).facts


# In any order


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_same_resources_in_any_order_give_the_same(chance):
    several = list(A_CHART)
    chance.shuffle(several)
    assert read(*several) == read(*A_CHART)


def test_the_copies_of_a_resource_change_nothing():
    assert read(*A_CHART, *random.sample(A_CHART, 4)) == read(*A_CHART)


# Out of any junk

KEYS = """
    status code coding system value valueQuantity valueCodeableConcept valueString effectiveDateTime subject
    clinicalStatus verificationStatus text display unit comparator referenceRange low high component hasMember
    contained reference interpretation birthDate vaccineCode occurrenceDateTime medicationCodeableConcept
    issued medicationReference dosageInstruction doseAndRate doseQuantity reaction severity substance
    effectivePeriod start end timing event repeat meta versionId extension url abatementDateTime result
    id type category
""".split()
WORDS = (
    *(LOINC, SNOMED, RXNORM, CVX, HBSAG, PLATELETS, IGG, "260385009", "187", "8640", "A15.0", "prednisone"),
    *("2026", "2026-11-10", "2026-11-10T08:00:00Z", "2026-11-31", "0001-01-01", "9999-12-31T23:59:59Z"),
    *(
        "final",
        "active",
        "completed",
        "Patient/p",
        "#x",
        "x",
        "10*9/L",
        "mg",
        "<",
        "Uplizna",
        "\u200b",
        "1e400",
    ),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)
TYPES = (
    *("Observation", "Condition", "Procedure", "DiagnosticReport", "ServiceRequest", "MedicationRequest"),
    *(
        "MedicationStatement",
        "MedicationAdministration",
        "Immunization",
        "AllergyIntolerance",
        "AdverseEvent",
    ),
)
CODES = [concept(code, system) for code, system in (
    (HBSAG, LOINC), (PLATELETS, LOINC), ("82810-3", LOINC), ("A15.0", ICD10), ("187", CVX), ("8640", RXNORM),
    ("234336002", SNOMED), ("12719002", SNOMED),
)]  # fmt: skip


@st.composite
def resources(draw):
    """A resource of some type, of which some parts are right and the others are anything."""
    type = draw(st.sampled_from(TYPES))
    found = draw(st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=8))
    for key in ("code", "vaccineCode", "medicationCodeableConcept"):
        if draw(st.booleans()):
            found[key] = draw(st.sampled_from(CODES))
    if draw(st.booleans()):
        found["status"] = draw(st.sampled_from(["final", "active", "completed"]))
    return {**found, "resourceType": type, "subject": {"reference": "Patient/p"}, "patient": None}


@given(st.lists(resources(), max_size=6), st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_junk_makes_the_reading_fail_and_the_vocabulary_takes_what_comes_out(several, more):
    document = bundle(patient(**{**more, "id": "p"}), *several, of=False)
    try:
        found = read_chart(document, patient=None, searched={})
    except BadBundle as bad:
        assert bad.errors
        return
    library = shipped()
    for drug in ("inebilizumab", "inotuzumab_ozogamicin"):
        reading = facts_of(found, library.packs[drug], None, AT, library)
        assert all(line.says.isprintable() and line.resource for line in reading.lines)
    request = {"drug": "inebilizumab", "infusion_at": AT.isoformat(), "bundle": document}
    assert read_request(request, library).reading is not None


@given(JUNK, JUNK)
@settings(max_examples=150, deadline=None)
def test_no_junk_in_place_of_a_bundle_or_of_an_entry_does_more_than_be_refused(junk, other):
    for document in (junk, {"resourceType": "Bundle", "entry": junk, "link": other, "type": None}):
        try:
            read_request({"drug": "Uplizna", "infusion_at": AT.isoformat(), "bundle": document}, shipped())
        except BadInput as bad:
            assert all(error.path.startswith(("bundle", "patient")) for error in bad.errors)


@pytest.mark.parametrize(
    "content",
    [{"status": "stopped"}, {"status": "cancelled"}, {"doNotPerform": True}, {"intent": "option"}],
)
def test_an_order_that_is_over_or_is_none_is_refused_as_the_order_of_an_infusion(content):
    order = of_patient("MedicationRequest", "7", status="active", intent="order")
    order |= {"medicationCodeableConcept": concept(text="Uplizna")}
    assert read(order, order="MedicationRequest/7").lines
    with pytest.raises(BadBundle) as refused:
        read(order | content, order="MedicationRequest/7")
    assert refused.value.errors == (("order", "is over, or is no order to give something"),)
