"""A chart that has everything, through the whole application: a pass is a card that says what was checked."""

from contextlib import closing
from dataclasses import replace

import pytest

from service.app import create_app
from service.knowledge.library import library_from
from tests.builders import shipped
from tests.ehr.calls import PATIENT, an_ehr, bundle, looked_for, order, order_sign, patient

pytestmark = pytest.mark.any_database
CODES = "codes/conditions.yaml"
HIV = "unreadable: infection with HIV; the code does not say that it is resistant to several medicines"
REFERENCE = {"reference": f"Patient/{PATIENT}"}
BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"


@pytest.fixture(scope="module")
def library():
    """The rules of a site whose code of HIV is used for its multidrug-resistant form alone."""
    text = shipped().texts[CODES]
    assert HIV in text
    return library_from({**shipped().texts, CODES: text.replace(HIV, "value: mdr_hiv1")})


def mg(value):
    return {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}


def given(day, dose):
    return {
        "resourceType": "MedicationAdministration",
        "id": day,
        "status": "completed",
        "medicationCodeableConcept": {"text": "Trogarzo"},
        "subject": REFERENCE,
        "effectiveDateTime": f"{day}T10:00:00Z",
        "dosage": {"dose": mg(dose)},
    }


def call(dose=800):
    """The fourth dose of ibalizumab, two weeks after the third."""
    fourth = order(
        "dose-4",
        {"text": "Trogarzo"},
        reasonCode=[{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "B20"}]}],
        dosageInstruction=[
            {
                "timing": {
                    "event": ["2026-10-06T19:00:00Z"],
                    "repeat": {"duration": 30, "durationUnit": "min"},
                },
                "route": {"text": "IV infusion"},
                "doseAndRate": [{"doseQuantity": mg(dose)}],
            }
        ],
    )
    man = patient(gender="male", extension=[{"url": BIRTH_SEX, "valueCode": "M"}])
    doses = [given("2026-08-25", 2000), given("2026-09-08", 800), given("2026-09-22", 800)]
    no_allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "none",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]},
        "patient": REFERENCE,
    }
    other = order("arv", {"text": "dolutegravir 50 mg"}, status="active")
    known = looked_for(
        patient=man, administrations=bundle(*doses), allergies=bundle(no_allergy), orders=bundle(other)
    )
    return order_sign(fourth, prefetch=known)


def answered(settings, library, clock, act, document):
    app = create_app(settings, library, clock)
    with closing(app.extensions["dosegate"].store.records):
        return an_ehr(app, act).cards(document)


def test_a_pass_is_one_card_and_the_site_can_do_without(settings, library, clock, act, sql):
    [card] = answered(settings, library, clock, act, call())
    assert card["indicator"] == "info"
    assert card["summary"].startswith("Ibalizumab: ")
    assert "checks passed, nothing found" in card["summary"]
    assert "**Afterwards:** observe" in card["detail"]
    assert "overrideReasons" not in card
    assert "suggestions" not in card
    assert card["extension"]["org.dosegate.checklist"]["status"] == "pass"
    assert sql("SELECT status FROM checklists") == [("pass",)]


def test_without_cards_for_a_pass_it_is_kept_all_the_same(settings, library, clock, act, sql):
    quiet = replace(settings, pass_cards=False)
    assert answered(quiet, library, clock, act, call()) == []
    assert sql("SELECT status FROM checklists") == [("pass",)]
    assert sql("SELECT count(*) FROM cards") == [(0,)]


def test_what_is_found_has_a_card_also_there(settings, library, clock, act):
    quiet = replace(settings, pass_cards=False)
    cards = answered(quiet, library, clock, act, call(dose=400))
    assert "Dose" in cards[0]["summary"]
    assert cards[0]["indicator"] in ("critical", "warning")
