"""The page of the next days: who would be held, for what, and what can be done before they travel."""

import pytest

from service.access.roles import Role
from tests.pages.planning import Clinic
from tests.people import signed_in

pytestmark = pytest.mark.any_database
TOMORROW = "2026-10-07T18:00:00+00:00"


@pytest.fixture
def clinic(app):
    made = Clinic(app)
    for patient, facts, without in (
        ("P-vaccine", {"vaccinations": [{"kind": "live", "on": "2026-10-01"}]}, ()),
        ("P-missing", {}, ("hbsag", "pml_signs", "premedications")),
        ("P-good", {}, ()),
    ):
        made.plan(patient, TOMORROW)
        made.check(patient, TOMORROW, with_=facts, without=without)
    return made


@pytest.fixture
def nurse(app):
    return signed_in(app, Role.NURSE)


def outlook(page, patient):
    [found] = [each for each in page.split("<article")[1:] if f">{patient}</span>" in each]
    return found.partition("</article>")[0]


def after(page, title):
    """What is said under a title, until the end of its paragraph."""
    return page.partition(f"{title}:</strong>")[2].partition("</p>")[0]


def test_it_says_who_will_be_held_and_from_when_the_infusion_could_be_given(nurse, clinic):
    held = outlook(nurse.get("/forecast").text, "P-vaccine")
    assert "Will be held" in held and "Vaccination" in held
    assert "Could be given from 2026-10-29" in held


def test_it_keeps_what_is_needed_before_apart_from_what_is_asked_at_the_chair(nurse, clinic):
    missing = outlook(nurse.get("/forecast").text, "P-missing")
    before = after(missing, "Needed before the patient travels (record, laboratory, prescriber)")
    chair = after(missing, "Asked at the chair on the day")
    assert "Not ready" in missing
    assert "hepatitis B surface antigen" in before and "hepatitis" not in chair
    assert "multifocal" in chair and "premedication" in chair and "multifocal" not in before


def test_nothing_on_it_says_that_an_infusion_is_safe(nurse, clinic):
    page = nurse.get("/forecast").text
    assert "No block found so far" in outlook(page, "P-good")
    assert "safe" not in page.casefold()


def test_the_worst_come_first_and_the_days_and_the_drug_are_chosen(nurse, clinic):
    clinic.plan("P-late", "2026-10-12T18:00:00+00:00", "ibalizumab")
    page = nurse.get("/forecast").text
    places = [page.index(f">{patient}<") for patient in ("P-vaccine", "P-missing", "P-good")]
    assert places == sorted(places)
    assert "P-late" not in page
    assert "Monday 2026-10-12" in nurse.get("/forecast?days=7").text
    assert "P-good" not in nurse.get("/forecast?days=7&drug=Trogarzo").text


@pytest.mark.parametrize("query", ["days=0", "days=32", "days=x", "days=-1", "days=1.5", "drug=ibalizumap"])
def test_what_cannot_be_asked_is_refused(nurse, query):
    assert nurse.get(f"/forecast?{query}").status_code == 422


def test_an_empty_forecast_says_what_to_do(nurse):
    page = nurse.get("/forecast").text
    assert "No infusion is planned for these days" in page and 'href="/today/upload"' in page
