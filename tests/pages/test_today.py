"""The page of a day: who is listed, in which order, with what in the way, and what to tap."""

import re

import pytest

from service.access.roles import Role
from tests.pages.page_texts import form_key
from tests.pages.planning import TODAY, Clinic
from tests.people import signed_in

pytestmark = pytest.mark.any_database


@pytest.fixture
def clinic(app):
    return Clinic(app)


@pytest.fixture
def nurse(app):
    return signed_in(app, Role.NURSE)


def patients(html):
    """The patients of the rows, in order."""
    return [each.partition("</p>")[0] for each in html.split('<p class="dg-visit__patient">')[1:]]


def row(html, patient):
    """The HTML of one row."""
    [found] = [each for each in html.split('<li class="dg-visit ')[1:] if f'patient">{patient}</p>' in each]
    return found.partition("</li>")[0]


def test_an_empty_day_says_what_to_do(nurse):
    page = nurse.get("/today").text
    assert "No infusion is planned for this day" in page
    assert 'href="/today/upload"' in page and 'href="/checklists/new"' in page


def test_blocked_and_not_checked_come_first_and_what_is_over_comes_last(nurse, clinic):
    for minute, patient in enumerate(["P-pass", "P-warn", "P-open", "P-block", "P-over"]):
        clinic.plan(patient, f"{TODAY}T18:0{minute}:00+00:00")
    at = f"{TODAY}T18:00:00+00:00"
    clinic.check("P-pass", at)
    clinic.check("P-warn", at, without=["breastfeeding"])
    clinic.check("P-block", at, without=["hbsag"])
    clinic.end(clinic.check("P-over", at, without=["hbsag"]))
    page = nurse.get("/today").text
    assert patients(page) == ["P-open", "P-block", "P-warn", "P-pass", "P-over"]
    assert "Infused" in row(page, "P-over")
    counts = page.partition('class="dg-counts"')[2].partition("</ul>")[0]
    for said in ("<strong>1</strong> blocked", "<strong>1</strong> not checked", "<strong>1</strong> over"):
        assert said in counts


def test_each_visit_is_there_once_whether_planned_checked_or_begun(nurse, clinic):
    clinic.plan("P-1", f"{TODAY}T13:00:00+00:00")
    clinic.check("P-1", f"{TODAY}T15:00:00+00:00")
    clinic.draft("P-1")
    clinic.check("P-2")
    clinic.check("P-2", at=f"{TODAY}T16:00:00+00:00")
    clinic.draft("P-3")
    page = nurse.get("/today").text
    assert sorted(patients(page)) == ["P-1", "P-2", "P-3"]
    assert "not planned here" in row(page, "P-2")
    assert "In progress: Nora Quill, 12:00" in row(page, "P-3")


def test_what_is_in_the_way_is_named_by_the_check(nurse, clinic):
    clinic.check("P-1", with_={"hbsag": "positive", "breastfeeding": "yes"}, without=["igg"])
    found = row(nurse.get("/today").text, "P-1")
    assert "Hepatitis B" in found.partition("Block:</strong>")[2].partition("</p>")[0]
    assert "Breastfeeding" in found.partition("Warn:</strong>")[2].partition("</p>")[0]
    assert "Immunoglobulins" in found.partition("Not known:</strong>")[2].partition("</p>")[0]
    clinic.check("P-2", facts={})
    nothing = row(nurse.get("/today").text, "P-2")
    assert re.search(r"and \d+ more</p>", nothing)


def test_look_alikes_on_one_page_are_told_apart(nurse, clinic):
    clinic.plan("P-1")
    clinic.plan("P-2", drug="ibalizumab")
    page = nurse.get("/today").text
    found = row(page, "P-1")
    assert "Inebilizumab" in found and "Uplizna" in found and "CD19" in found
    alike = page.partition("Names that look alike")[2].partition("</p>")[0]
    assert "Uplizna, CD19" in alike and "Trogarzo, CD4" in alike and "Besponsa" not in alike
    assert "Names that look alike" not in nurse.get("/today?drug=inebilizumab").text


def test_one_tap_opens_goes_on_or_begins(nurse, clinic):
    clinic.plan("P-1")
    checked, drafted = clinic.check("P-2"), clinic.draft("P-3")
    page = nurse.get("/today").text
    assert f'href="/checklists/{checked}"' in row(page, "P-2")
    assert f'href="/drafts/{drafted}"' in row(page, "P-3")
    begin = row(page, "P-1")
    assert 'action="/checklists/new"' in begin
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', begin))
    assert fields["patient"] == "P-1" and fields["infusion_at"] == f"{TODAY}T13:00:00+00:00"
    begun = nurse.post("/checklists/new", data=fields)
    assert begun.status_code == 303
    assert begun.location.startswith("/drafts/")
    assert f'href="{begun.location}"' in row(nurse.get("/today").text, "P-1")


def test_the_days_before_and_after_and_the_drug_are_in_the_address(nurse, clinic):
    clinic.plan("P-1", "2026-10-07T13:00:00+00:00")
    clinic.plan("P-2", "2026-10-07T13:00:00+00:00", "ibalizumab")
    assert patients(nurse.get("/today").text) == []
    page = nurse.get("/today?day=2026-10-07&drug=ibalizumab").text
    assert patients(page) == ["P-2"]
    assert 'href="/today?day=2026-10-08&amp;drug=ibalizumab"' in page
    assert nurse.get("/today?day=soon").status_code == 422
    assert nurse.get("/today?drug=ibalizumap").status_code == 422


def test_an_auditor_may_look_and_not_begin_and_an_administrator_may_neither(app, clinic):
    clinic.plan("P-1")
    page = signed_in(app, Role.AUDITOR).get("/today").text
    assert patients(page) == ["P-1"]
    assert "/checklists/new" not in page and "/today/upload" not in page
    assert signed_in(app, Role.ADMIN).get("/today").status_code == 403


# One patient


def find(client, patient):
    data = {"form_key": form_key(client.get("/today")), "patient": patient}
    return client.post("/today/search", data=data)


def test_a_patient_is_found_with_what_is_planned_begun_and_recorded(nurse, clinic):
    clinic.plan("P-1", "2026-10-09T13:00:00+00:00")
    drafted, old = clinic.draft("P-1"), clinic.check("P-1", "2026-09-01T13:00:00+00:00", without=["hbsag"])
    clinic.plan("P-2")
    page = find(nurse, "P-1").text
    assert set(patients(page)) == {"P-1"}
    assert "<span>2026-10-09</span> 13:00" in page
    assert f'href="/drafts/{drafted}"' in page
    assert f'href="/checklists/{old}"' in page
    assert "P-2" not in page


def test_a_patient_who_is_not_known_and_no_patient_at_all(nurse):
    assert "Nothing is planned or recorded under this id" in find(nurse, "<b>nobody</b>").text
    assert "<b>nobody" not in find(nurse, "<b>nobody</b>").text
    refused = find(nurse, "  ")
    assert refused.status_code == 422
    assert "wristband" in refused.text
    assert nurse.get("/today/search").status_code == 405


def test_an_auditor_finds_a_patient_without_drafts(app, clinic):
    drafted = clinic.draft("P-1", at="2026-09-01T13:00:00+00:00")
    clinic.check("P-1", "2026-09-02T13:00:00+00:00")
    assert f"/drafts/{drafted}" not in find(signed_in(app, Role.AUDITOR), "P-1").text
