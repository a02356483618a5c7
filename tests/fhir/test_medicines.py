import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.fhir import medicines
from service.fhir.medicine_lists import TAKEN
from service.intake.facts import read_facts
from tests.builders import shipped
from tests.fhir.charts import (
    ATC,
    INFUSION_AT,
    RXNORM,
    chart_of,
    coded,
    context_of,
    given_by,
    lines_of,
    resource,
)
from tests.fhir.test_orders import JUNK

COMPLETE = {"administrations": "complete"}


def order(name, id="1", **content):
    content = {
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": coded(text=name),
        **content,
    }
    return resource("MedicationRequest", id, **content)


def statement(name, id="1", **content):
    content = {"status": "active", "medicationCodeableConcept": coded(text=name), **content}
    return resource("MedicationStatement", id, **content)


def dose(at, id="1", name="Uplizna", **content):
    content = {"status": "completed", "medicationCodeableConcept": coded(text=name), **content}
    return resource("MedicationAdministration", id, **content | ({"effectiveDateTime": at} if at else {}))


def read(*resources, drug="inebilizumab", searched=None):
    return list(medicines.read(chart_of(*resources, searched=searched), context_of(drug)))


def facts(*resources, **more):
    return given_by(read(*resources, **more))


def says(*resources, **more):
    return [each for _, _, each, _ in lines_of(read(*resources, **more))]


# What the patient takes


@pytest.mark.parametrize("kind", [order, statement])
@pytest.mark.parametrize(
    ("concept", "fact", "entry"),
    [
        (coded(text="rituximab 500 mg"), "immunosuppressants", {"drug": "rituximab 500 mg"}),
        (coded(RXNORM, "121191"), "immunosuppressants", {"drug": "rituximab"}),
        (coded(RXNORM, "121191", "Rituxan"), "immunosuppressants", {"drug": "Rituxan"}),
        (coded(ATC, "J01MA02", "Cipro"), "anti_infectives", {"drug": "Cipro"}),
        (coded(ATC, "J01MA02", "Cipro"), "qt_prolonging_drugs", {"drug": "Cipro"}),
        (coded(text="Dolutegravir 50 mg tablet"), "antiretrovirals", {"drug": "Dolutegravir 50 mg tablet"}),
        (coded(text="METHYLPREDNISOLONE oral"), "immunosuppressants", {"drug": "METHYLPREDNISOLONE oral"}),
    ],
)
def test_a_medicine_is_an_entry_of_its_lists(kind, concept, fact, entry):
    found = facts(kind("", medicationCodeableConcept=concept))
    (given_one,) = found[fact]
    assert {"drug": entry["drug"]}.items() <= given_one.items()
    assert "premedications" not in found


@pytest.mark.parametrize(
    "taken",
    [
        order("rituximab", status="completed"),
        order("rituximab", status="stopped"),
        order("rituximab", status="on-hold"),
        order("rituximab", status="draft"),
        order("rituximab", intent="proposal"),
        order("rituximab", doNotPerform=True),
        statement("rituximab", status="completed"),
        statement("rituximab", status="not-taken"),
        statement("rituximab", status="intended"),
        statement("rituximab", taken="n"),
        order("methylrituximab"),
        order("rituximabum"),
        order("methylprednisolone acetate ointment"),
    ],
)
def test_what_is_not_taken_is_no_entry(taken):
    assert facts(taken) == {}


def test_whether_it_is_taken_may_not_be_known():
    reads = read(statement("rituximab", status="unknown"))
    assert given_by(reads) == {}
    expected = "rituximab: whether it is taken is not known"
    assert lines_of(reads) == [("MedicationStatement/1", "immunosuppressants", expected, False)]


@pytest.mark.parametrize("drug", ["inebilizumab", "ibalizumab"])
def test_the_drug_of_the_infusion_is_no_entry_beside_itself(drug):
    name = {"inebilizumab": "Uplizna", "ibalizumab": "ibalizumab"}[drug]
    found = facts(order(name), statement(name), dose("2026-11-01", name=name), drug=drug)
    assert not found.keys() & (TAKEN | {"premedications"})


def test_another_pack_s_drug_is_a_medicine_like_any_other():
    (entry,) = facts(order("ibalizumab"), drug="inebilizumab")["antiretrovirals"]
    assert entry == {"drug": "ibalizumab"}


@pytest.mark.parametrize(
    ("reason", "more"),
    [
        ("prophylaxis", {"purpose": "prophylaxis"}),
        ("Pneumonia", {"purpose": "treatment"}),
        ("as told", {}),
    ],
)
def test_the_purpose_of_an_anti_infective_is_that_of_its_order(reason, more):
    (entry,) = facts(order("ciprofloxacin", reasonCode=[coded(text=reason)]))["anti_infectives"]
    assert entry == {"drug": "ciprofloxacin", **more}


def test_two_purposes_are_none():
    reasons = [coded(text="pneumonia"), coded(text="prophylaxis")]
    (entry,) = facts(order("ciprofloxacin", reasonCode=reasons))["anti_infectives"]
    assert entry == {"drug": "ciprofloxacin"}


def test_medicines_of_no_list_are_one_line_that_leaves_doubt():
    reads = read(order("lisinopril", "1"), order("metformin", "2"), statement("lisinopril", "3"))
    assert lines_of(reads) == [
        (
            "MedicationRequest/1",
            None,
            "2 medicines are of no list that is read: lisinopril, metformin",
            False,
        )
    ]
    assert reads[0].doubts == TAKEN


def test_a_statement_that_nothing_is_taken_is_one_only_for_its_list():
    none = coded("http://snomed.info/sct", "716186003", "No known allergy")
    reads = read(statement("", medicationCodeableConcept=none))
    assert [each.none_known for each in reads] == [False]  # it is about reactions


# Premedication


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        ("2026-12-01T08:30:00-05:00", True),
        ("2026-11-30T09:00:00-05:00", True),
        ("2026-11-30T08:59:00-05:00", False),
        ("2026-12-01T09:01:00-05:00", False),
        ("2026-12-01T13:30:00Z", True),
        ("2026-12-01", True),
        ("2026-11-30", False),
        ("2026-12", False),
        (None, False),
    ],
)
def test_premedication_is_what_was_given_within_a_day_before(at, counts):
    found = facts(dose(at, name="methylprednisolone 125 mg IV"))
    if counts:
        assert found["premedications"] == [
            {"class": "corticosteroid", "drug": "methylprednisolone 125 mg IV", "at": at, "status": "given"}
        ]
        assert [each["use"] for each in found["immunosuppressants"]] == ["premedication"]
    else:
        assert found == {}


@pytest.mark.parametrize("status", ["in-progress", "not-done", "on-hold", "stopped", "unknown", None])
def test_what_is_not_completed_is_not_given(status):
    given_one = dose("2026-12-01T08:30:00-05:00", name="methylprednisolone", status=status)
    assert facts(given_one) == {}


def test_when_a_period_began_is_when_it_was_given():
    period = {"start": "2026-12-01T08:00:00-05:00", "end": "2026-12-01T08:20:00-05:00"}
    (entry,) = facts(dose(None, name="diphenhydramine", effectivePeriod=period))["premedications"]
    assert entry["at"] == "2026-12-01T08:00:00-05:00"


TODAY = [{"timing": {"event": ["2026-12-01T08:30:00-05:00"]}}]


def test_premedication_that_is_ordered_for_today_is_not_given():
    found = facts(order("methylprednisolone", dosageInstruction=TODAY))
    assert [each["status"] for each in found["premedications"]] == ["ordered"]
    assert found["immunosuppressants"] == [{"drug": "methylprednisolone", "use": "premedication"}]


def test_an_order_that_was_carried_out_is_no_second_entry():
    found = facts(
        order("diphenhydramine", dosageInstruction=TODAY),
        dose("2026-12-01T08:30:00-05:00", name="diphenhydramine"),
    )
    assert [each["status"] for each in found["premedications"]] == ["given"]


@pytest.mark.parametrize(
    "dosage",
    [
        [],
        [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-01-01", "end": "2026-12-31"}}}}],
        [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-12-01"}}}}],
        [{"timing": {"event": ["2026-12-01", "2026-12-02"]}}],
    ],
)
def test_a_lasting_order_is_no_premedication(dosage):
    found = facts(order("methylprednisolone", dosageInstruction=dosage))
    assert found == {"immunosuppressants": [{"drug": "methylprednisolone"}]}


def test_a_steroid_of_an_earlier_infusion_is_not_taken_for_long():
    given_before = dose("2026-11-17T08:30:00-05:00", name="methylprednisolone")
    reads = read(given_before)
    assert given_by(reads) == {}
    expected = "methylprednisolone, given on 2026-11-17: whether it is taken for long is not known"
    assert lines_of(reads) == [("MedicationAdministration/1", "immunosuppressants", expected, False)]


@pytest.mark.parametrize(
    ("at", "counts"), [("2026-06-01", True), ("2025-12-02", True), ("2024-06-01", False)]
)
def test_what_was_infused_in_the_last_year_still_weakens(at, counts):
    assert ("immunosuppressants" in facts(dose(at, name="rituximab"))) is counts


# Immune globulin


@pytest.mark.parametrize(
    ("given_ones", "on"),
    [
        ([("2026-10-01", "completed")], "2026-10-01"),
        ([("2026-08-01", "completed"), ("2026-10-01", "completed")], "2026-10-01"),
        ([("2026-10-01T23:00:00-08:00", "completed")], "2026-10-02"),
        ([("2026-10-01", "completed"), ("2026-12-02", "completed")], "2026-10-01"),
        ([("2026-10-01", "completed"), ("2026-11-01", "not-done")], "2026-10-01"),
        ([("2026-10-01", "completed"), ("2026-11-01", "stopped")], None),
        ([("2026-10-01", "completed"), ("2026-11", "completed")], None),
        ([("2026-10-01", "completed"), ("2026-09", "completed")], "2026-10-01"),
        ([("2026-10-01", "completed"), (None, "completed")], None),
        ([], None),
    ],
)
def test_the_last_immune_globulin_is_dated(given_ones, on):
    several = [
        dose(at, str(place), "immune globulin 10 %", status=status)
        for place, (at, status) in enumerate(given_ones)
    ]
    found = facts(*several).get("immune_globulin_on")
    assert found == ([{"value": on}] if on else None)


# Doses of the drug itself


def doses_of(*days, searched=None, **more):
    searched = COMPLETE if searched is None else searched
    return read(*(dose(day, str(place), **more) for place, day in enumerate(days)), searched=searched)


def test_doses_that_were_given_are_counted():
    reads = doses_of("2026-05-01", "2026-05-15", "2026-11-01T10:00:00-05:00")
    assert given_by(reads) == {
        "first_dose_on": [{"value": "2026-05-01"}],
        "last_dose_on": [{"value": "2026-11-01"}],
        "dose_number": [{"value": 4}],
    }
    assert "dose 4: 3 doses found, one a day counted" in [each.line.says for each in reads]


def test_several_entries_of_one_day_are_one_dose():
    reads = doses_of("2026-05-01T08:00:00-05:00", "2026-05-01T10:00:00-05:00", "2026-05-01")
    assert given_by(reads)["dose_number"] == [{"value": 2}]


@pytest.mark.parametrize("state", ["incomplete", "failed"])
def test_doses_of_a_search_that_is_not_whole_give_nothing(state):
    reads = doses_of("2026-05-01", searched={"administrations": state})
    assert given_by(reads) == {}
    assert lines_of(reads)[0][2:] == (f"1 dose found, but the search for them is {state}", False)


def test_without_a_search_the_days_are_known_and_the_number_is_not():
    reads = doses_of("2026-05-01", searched={})
    assert given_by(reads).keys() == {"first_dose_on", "last_dose_on"}
    assert "1 dose found; whether these are all is not known" in [each.line.says for each in reads]


def test_no_dose_found_is_not_dose_one():
    assert doses_of() == []


@pytest.mark.parametrize("status", ["stopped", "unknown", "on-hold", "in-progress"])
def test_a_dose_that_was_perhaps_given_leaves_the_number_open(status):
    perhaps = dose("2026-11-01", "9", status=status)
    found = facts(dose("2026-05-01"), perhaps, searched=COMPLETE)
    assert found == {"first_dose_on": [{"value": "2026-05-01"}]}
    expected = f"may be an earlier dose, not counted: {status} on 2026-11-01"
    assert expected in says(dose("2026-05-01"), perhaps, searched=COMPLETE)


def test_a_dose_that_was_stopped_and_went_on_the_same_day_is_one():
    stopped = dose("2026-05-01T09:00:00-05:00", "9", status="stopped")
    found = facts(dose("2026-05-01T11:00:00-05:00"), stopped, searched=COMPLETE)
    assert found["dose_number"] == [{"value": 2}]


def test_the_infusion_that_has_begun_is_no_earlier_dose():
    begun = dose("2026-12-01T08:59:00-05:00", "9", status="in-progress")
    assert facts(dose("2026-05-01"), begun, searched=COMPLETE)["dose_number"] == [{"value": 2}]


def test_what_was_not_given_or_comes_later_is_no_dose():
    found = facts(
        dose("2026-05-01"),
        dose("2026-06-01", "2", status="not-done"),
        dose("2026-12-02", "3"),
        searched=COMPLETE,
    )
    assert found["dose_number"] == [{"value": 2}]
    assert found["last_dose_on"] == [{"value": "2026-05-01"}]


@pytest.mark.parametrize(
    ("written", "known"),
    [("2026-07", {"first_dose_on", "last_dose_on"}), ("2026", set()), ("2025-01", {"last_dose_on"})],
)
def test_a_month_or_a_year_is_no_day_of_a_dose(written, known):
    reads = doses_of("2026-05-01", "2026-11-01", written)
    assert given_by(reads).keys() == known


@pytest.mark.parametrize("name", ["Upliza", "inebilizumb"])
def test_a_look_alike_name_may_be_a_dose_and_is_not_counted(name):
    found = facts(dose("2026-05-01"), dose("2026-06-01", "2", name=name), searched=COMPLETE)
    assert "dose_number" not in found
    assert "last_dose_on" not in found


def test_doses_of_the_look_alike_drugs_are_none_of_this_drug():
    found = facts(
        dose("2026-05-01"),
        dose("2026-06-01", "2", name="ibalizumab 800 mg"),
        dose("2026-07-01", "3", name="inotuzumab ozogamicin"),
        searched=COMPLETE,
    )
    assert found["dose_number"] == [{"value": 2}]


def test_a_dose_with_codes_and_a_name_that_disagree_is_not_counted():
    odd = dose("2026-06-01", "2", medicationCodeableConcept=coded(ATC, "L04AG10", text="rituximab"))
    found = facts(dose("2026-05-01"), odd, searched=COMPLETE)
    assert "dose_number" not in found


def test_an_extension_that_may_change_an_administration_leaves_it_open():
    odd = dose("2026-06-01", "2", modifierExtension=[{"url": "https://example.org/x"}])
    assert "dose_number" not in facts(dose("2026-05-01"), odd, searched=COMPLETE)


def test_the_medication_of_an_administration_may_be_referred_to():
    medication = {"resourceType": "Medication", "id": "m", "code": coded(text="Uplizna")}
    given_one = dose("2026-05-01", medicationReference={"reference": "Medication/m"})
    del given_one["medicationCodeableConcept"]
    found = given_by(read(given_one, medication, searched=COMPLETE))
    assert found["dose_number"] == [{"value": 2}]


LOST = {"reference": "Medication/9"}
UNTOLD = [
    {},
    {"medicationReference": LOST},
    {"medicationReference": {**LOST, "display": "Infusion"}},
    {"medicationReference": {"identifier": {"value": "9"}}},
    {"medicationReference": {"reference": "Substance/s"}},
    {"medicationReference": {"reference": "Medication/empty"}},
    {"medicationCodeableConcept": {"coding": [{"system": "http://local.example", "code": "17"}]}},
    {"medication": {"concept": {"text": "Uplizna"}}},
]
BESIDE = (resource("Substance", "s", code=coded(text="x")), {"resourceType": "Medication", "id": "empty"})


def of(medicine, at, id="9", **more):
    return resource(
        "MedicationAdministration", id, status="completed", effectiveDateTime=at, **medicine, **more
    )


@pytest.mark.parametrize("medicine", UNTOLD)
def test_what_was_given_of_a_medicine_that_cannot_be_told_may_be_a_dose(medicine):
    found = facts(dose("2026-05-01"), of(medicine, "2026-04-01"), *BESIDE, searched=COMPLETE)
    assert found == {"last_dose_on": [{"value": "2026-05-01"}]}


@pytest.mark.parametrize(
    "medicine",
    [
        {"medicationCodeableConcept": coded(text="sodium chloride 0.9 %")},
        {"medicationReference": {**LOST, "display": "rituximab 500 mg"}},
        {"medicationReference": {"reference": "Medication/salt"}},
    ],
)
def test_another_medicine_is_no_dose_whether_or_not_it_is_of_a_list(medicine):
    salt = {"resourceType": "Medication", "id": "salt", "code": coded(text="sodium chloride 0.9 %")}
    found = facts(dose("2026-05-01"), of(medicine, "2026-04-01"), salt, searched=COMPLETE)
    assert found["dose_number"] == [{"value": 2}]


@pytest.mark.parametrize(
    ("at", "more"),
    [("2026-05-01", {}), ("2026-12-02", {}), ("2026-04-01", {"status": "not-done"})],
)
def test_a_medicine_that_cannot_be_told_is_no_other_dose_on_the_day_of_one_or_if_not_given_yet(at, more):
    found = facts(dose("2026-05-01"), of({}, at) | more, searched=COMPLETE)
    assert found["dose_number"] == [{"value": 2}]


def test_a_medicine_that_cannot_be_told_may_be_of_any_list():
    reads = read(of({"medicationReference": LOST}, "2026-11-20"))
    assert [each.doubts for each in reads if each.doubts] == [TAKEN]


# Anything at all

KEYS = (
    *("status", "medicationCodeableConcept", "medicationReference", "effectiveDateTime", "effectivePeriod"),
    *("intent", "dosageInstruction", "reasonCode", "contained", "modifierExtension", "taken"),
)


@settings(max_examples=120, deadline=None)
@given(
    type=st.sampled_from(("MedicationRequest", "MedicationStatement", "MedicationAdministration")),
    content=st.dictionaries(st.sampled_from(KEYS), JUNK),
    name=st.sampled_from(("Uplizna", "rituximab", "methylprednisolone", "x")),
)
def test_no_content_makes_reading_a_medicine_fail(type, content, name):
    odd = resource(type, medicationCodeableConcept=coded(text=name), status="active") | content
    for each in medicines.read(chart_of(odd), context_of()):
        assert each.line.says
        json.dumps(each.given, default=str)


# The shipped codes


def test_every_shipped_medicine_makes_entries_that_are_taken():
    maps = shipped().code_maps
    coded_ones = (*maps.medicines.exact.values(), *maps.medicines.within.values())
    every = [each for several in (*coded_ones, *maps.medicine_names.values()) for each in several]
    assert every
    for medicine in every:
        assert medicine.lists.keys() <= TAKEN | {"premedications"}
        for fact, fields in medicine.lists.items():
            read_facts({fact: [{"drug": medicine.name, **fields}]}, shipped().vocabulary, INFUSION_AT)
        for fact in medicine.dates:
            assert shipped().vocabulary[fact].type == "date"


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("predniSONE 20 MG Oral Tablet", {"immunosuppressants"}),
        ("Azathioprine 50 MG", {"immunosuppressants"}),
        ("dolutegravir 50 MG Oral Tablet", {"antiretrovirals"}),
        ("Ciprofloxacin 500 MG", {"anti_infectives"}),
        ("lisinopril 10 MG", set()),
    ],
)
def test_medicines_are_known_by_their_shipped_names(text, lists):
    context = replace(context_of(), maps=shipped().code_maps)
    reads = list(medicines.read(chart_of(order(text)), context))
    assert given_by(reads).keys() == lists
