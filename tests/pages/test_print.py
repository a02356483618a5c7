"""A recorded checklist on paper: the page that is printed, and the PDF of it."""

import io
import logging
import sys
import uuid
from dataclasses import replace

import pypdf
import pytest
import segno

from service.access.roles import Role
from service.app import create_app
from service.pages.drawing import draw
from service.records.site import DEMONSTRATION
from tests.api.sending import post
from tests.builders import request_for, shipped
from tests.double_check import asking
from tests.pages.shown import shown_in, words_of
from tests.people import PIN, signed_in

pytestmark = pytest.mark.any_database

FIRST_DOSE = ("inebilizumab", "first dose, US")
WITHOUT_SCREENING = ("hbsag", "tb_test", "vaccinations")


@pytest.fixture
def nora(app):
    return signed_in(app, Role.NURSE, "nora")


@pytest.fixture
def paul(app):
    return signed_in(app, Role.PRESCRIBER, "paul")


def made(client, request=None, **changes):
    """The id of a new checklist."""
    response = post(client, request or request_for(*FIRST_DOSE, **changes))
    assert response.status_code == 201, response.json
    return response.headers["Location"].rpartition("/")[2]


def act(client, id, part, **document):
    response = client.post(f"/api/v1/checklists/{id}/{part}", json=document)
    assert response.status_code == 201, response.json
    return response.json


def printed(client, id):
    """The words of the page that is printed."""
    response = client.get(f"/checklists/{id}/print")
    assert (response.status_code, response.mimetype) == (200, "text/html")
    return words_of(response.text)


def pdf_of(client, id):
    response = client.get(f"/checklists/{id}/pdf")
    assert (response.status_code, response.mimetype) == (200, "application/pdf"), response.text
    return pypdf.PdfReader(io.BytesIO(response.data))


def words_of_pdf(reader):
    return " ".join(page.extract_text() for page in reader.pages)


def one_premedication_short():
    given = request_for(*FIRST_DOSE)["facts"]["premedications"]
    return [each for each in given if each["class"] != "antihistamine"]


def tags_of(element):
    """The tags of a part of a PDF; every picture says what it is."""
    inside = element.get("/K", [])
    children = [each.get_object() for each in (inside if isinstance(inside, list) else [inside])]
    tags = {element["/S"]} if "/S" in element else set()
    assert "/Alt" in element or element.get("/S") != "/Figure"
    return tags.union(*(tags_of(each) for each in children if isinstance(each, dict)))


# One sheet


def test_a_clear_checklist_that_is_signed_fits_on_one_sheet(nora):
    id = made(nora)
    act(nora, id, "attestations", meaning="performed", secret=PIN)
    act(nora, id, "outcomes", outcome="infused")
    assert len(pdf_of(nora, id).pages) == 1


def test_a_first_dose_with_five_open_findings_fits_on_one_sheet(nora):
    changes = {"active_infection": "resolved", "premedications": one_premedication_short()}
    id = made(nora, without=WITHOUT_SCREENING, with_=changes)
    result = nora.get(f"/api/v1/checklists/{id}").json
    assert len([each for each in result["findings"] if each["status"] != "pass"]) == 5
    assert len(pdf_of(nora, id).pages) == 1


def test_many_findings_run_on_with_patient_and_number_on_every_page(nora):
    request = request_for("inotuzumab_ozogamicin", "cycle 1 day 1, US", patient={"id": "MRN-77"})
    pages = pdf_of(nora, made(nora, {**request, "facts": {}})).pages
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        text = page.extract_text()
        assert "MRN-77" in text
        assert f"Page {number} of {len(pages)}" in text
        assert "Printed copy, not for later use" in text


# What is on it


def test_the_sheet_says_whose_it_is_of_what_and_what_it_rests_on(nora, app):
    app.extensions["dosegate"] = replace(app.extensions["dosegate"], public_url="https://gate.example")
    id = made(nora, without=WITHOUT_SCREENING)
    result = nora.get(f"/api/v1/checklists/{id}").json
    expected = [
        "MRN-1001",
        "Inebilizumab (Uplizna)",
        result["class"],
        "Dose 1 of the series",
        "2026-10-06 13:00 -05:00 (18:00 UTC)",
        "Block: Hold",
        "3 findings are not answered",
        result["pack"]["version"],
        result["pack"]["digest"],
        result["policy"]["digest"],
        id,
        f"https://gate.example/checklists/{id}",
        "Site: main",
        f"Printed by {nora.account.full_name} (Nurse), 2026-10-06 12:00",
        "Printed copy, not for later use",
        "it supports their judgement and replaces none of it",
        result["observation"]["text"],
    ]
    words = printed(nora, id)
    assert [each for each in expected if not shown_in(words, each)] == []
    assert "safe" not in words


def test_facts_that_settled_no_finding_are_on_it_too(nora):
    request = request_for(*FIRST_DOSE, with_={"hcv_rna": {"value": "negative", "at": "2026-08-30"}})
    words = printed(nora, made(nora, request))
    assert shown_in(words, "hepatitis C RNA (HCV RNA): negative 2026-08-30")
    assert shown_in(words, "Not known, not recorded: acetylcholine receptor antibody (anti-AChR)")


def test_what_was_done_is_on_it_with_names_reasons_times_and_digests(nora, paul):
    id = made(nora, with_={"active_infection": "serious"})
    act(nora, id, "attestations", meaning="performed", secret=PIN)
    why = {"reason": "risk-benefit-ratio", "comment": "Afebrile for 48 h.", "order_reference": "ORD-7"}
    act(paul, id, "overrides", check="infection", rule="infection-active", secret=PIN, **why)
    signed = act(paul, id, "attestations", meaning="reviewed", secret=PIN)
    act(nora, id, "outcomes", outcome="stopped", reason="reaction", comment="Rash after 40 minutes.")
    expected = [
        f"Overridden, for this dose only: {paul.account.full_name} (Prescriber), 2026-10-06",
        "The benefit outweighs the risk. Comment: Afebrile for 48 h. Order: ORD-7",
        "Only a prescriber can override this",
        "Every finding is answered",
        f"{paul.account.full_name} (Prescriber), 2026-10-06 07:00 (2026-10-06 12:00 UTC): Reviewed",
        signed["record"],
        "Stopped before the whole dose was given",
        "The patient reacted to the infusion. Comment: Rash after 40 minutes.",
    ]
    for words in (printed(nora, id), words_of_pdf(pdf_of(nora, id))):
        assert [each for each in expected if not shown_in(words, each)] == []


def test_a_double_check_is_on_it_with_what_both_entered(settings, clock):
    app = create_app(settings, asking(), clock)
    nora, petra = signed_in(app, Role.NURSE, "nora"), signed_in(app, Role.PHARMACIST, "petra")
    id = made(nora)
    assert shown_in(printed(nora, id), "Asked for, and not made.")
    second = {
        "ordered_dose": {"value": 200, "unit": "mg"},
        "anc": {"value": 4.1, "unit": "10*9/L", "at": "2026-10-05"},
    }
    act(petra, id, "double-check", facts=second)
    words = printed(nora, id)
    assert shown_in(words, "Made; they differ.")
    assert shown_in(words, petra.account.full_name)
    assert shown_in(words, "ordered dose differs (300 mg / 200 mg)")
    app.extensions["dosegate"].store.records.close()


def test_a_checklist_that_was_corrected_says_so(nora):
    old = made(nora)
    new = made(nora, supersedes={"id": old, "reason": "Weight of another patient."})
    for words in (printed(nora, old), words_of_pdf(pdf_of(nora, old))):
        assert shown_in(words, "Superseded: another checklist corrects this one. Use that one.")
        assert shown_in(words, f"{new} (Weight of another patient.)")
    assert shown_in(printed(nora, new), f"Corrects {old}: Weight of another patient.")
    assert not shown_in(printed(nora, new), "Superseded")


def test_the_demonstration_prints_its_mark(settings, clock):
    app = create_app(replace(settings, site=DEMONSTRATION, demonstration=True), shipped(), clock)
    nora = signed_in(app, Role.NURSE)
    assert shown_in(printed(nora, made(nora)), "Demonstration: every patient here is made up.")
    app.extensions["dosegate"].store.records.close()


def test_the_code_is_the_address_of_the_record_and_nothing_of_the_patient(nora, app):
    app.extensions["dosegate"] = replace(app.extensions["dosegate"], public_url="https://gate.example")
    id = made(nora)
    expected = segno.make(f"https://gate.example/checklists/{id}", error="m", micro=False)
    page = nora.get(f"/checklists/{id}/print").text
    lines = expected.svg_inline(omitsize=True, border=4).partition(' d="')[2]
    assert lines in page


def test_a_patient_id_cannot_leave_the_place_that_it_is_printed_in(nora):
    id = made(nora, patient={"id": '"}</style>\\<b>x'})
    page = nora.get(f"/checklists/{id}/print").text
    assert page.count("</style>") == 1
    assert "<b>x" not in page
    assert shown_in(words_of_pdf(pdf_of(nora, id)), '"}</style>\\<b>x')


# The PDF


def test_the_pdf_is_tagged_has_a_title_and_a_language_and_names_no_patient(nora, clock):
    id = made(nora)
    clock.move(minutes=4)
    act(nora, id, "outcomes", outcome="infused")
    clock.move(minutes=4)
    reader = pdf_of(nora, id)
    catalog = reader.trailer["/Root"]
    assert (catalog["/Lang"], catalog["/MarkInfo"]["/Marked"]) == ("en", True)
    assert tags_of(catalog["/StructTreeRoot"]) >= {"/H1", "/H2", "/Figure", "/P", "/LI"}
    assert reader.metadata.title == f"Pre-infusion checklist {id} – Dosegate"
    made_at, changed_at = reader.metadata.creation_date, reader.metadata.modification_date
    assert (made_at.minute, changed_at.minute) == (0, 4)
    assert catalog["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert "MRN-1001" not in str(reader.metadata)


def test_the_same_copy_of_the_same_record_is_the_same_bytes(nora):
    id = made(nora)
    first, second = (nora.get(f"/checklists/{id}/pdf").data for _ in range(2))
    assert first == second


def test_nothing_is_fetched_from_anywhere_and_nothing_of_the_page_is_logged(app, tmp_path, caplog):
    (tmp_path / "secret.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><text>secret</text></svg>")
    addresses = [f"file://{tmp_path}/secret.svg", "http://127.0.0.1:9/x.svg", "/static/0/mark.svg"]
    page = "".join(f'<img src="{each}" alt="MRN-1001">' for each in addresses)
    with app.test_request_context(), caplog.at_level(logging.DEBUG):
        reader = pypdf.PdfReader(io.BytesIO(draw(f"<title>t</title>{page}", "x")))
    assert "secret" not in words_of_pdf(reader)
    assert "MRN-1001" not in caplog.text


def test_a_machine_that_cannot_draw_says_what_to_do_instead(nora, monkeypatch, sql):
    id = made(nora)
    monkeypatch.setitem(sys.modules, "service.pages.drawing", None)
    response = nora.get(f"/checklists/{id}/pdf")
    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert shown_in(words_of(response.text), "Open the print page of this checklist")
    assert sql("SELECT count(*) FROM journal WHERE event = 'record.viewed'") == [(0,)]


# Who may


@pytest.mark.parametrize("part", ["print", "pdf"])
def test_a_copy_is_entered_in_the_journal_as_a_view(nora, sql, part):
    id = made(nora)
    nora.get(f"/checklists/{id}/{part}")
    rows = sql("SELECT actor FROM journal WHERE subject = ? AND event = 'record.viewed'", id)
    assert rows == [("user:nora",)]


@pytest.mark.parametrize("part", ["print", "pdf"])
def test_what_is_not_there_erased_or_not_allowed_is_a_problem_page(nora, app, sql, part):
    id = made(nora)
    assert signed_in(app, Role.ADMIN).get(f"/checklists/{id}/{part}").status_code == 403
    assert nora.get(f"/checklists/{uuid.uuid4()}/{part}").status_code == 404
    sql("DELETE FROM contents")
    erased = nora.get(f"/checklists/{id}/{part}")
    assert (erased.status_code, erased.mimetype) == (410, "text/html")


# In a browser


def test_a_nurse_prints_a_checklist_from_a_browser_on_one_sheet(app, a_person):
    page = a_person()
    id = made(signed_in(app, Role.NURSE), without=WITHOUT_SCREENING)
    page.goto(f"/checklists/{id}/print")
    page.evaluate("window.print = () => { document.title = 'printing' }")
    page.get_by_role("button", name="Print").click()
    assert page.title() == "printing"
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(sheets) == 1
    assert "Page 1 of 1" in sheets[0].extract_text()
    assert "Back to the record" not in sheets[0].extract_text()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_without_scripts_there_is_no_button_that_does_nothing(app, a_person):
    page = a_person(java_script_enabled=False)
    page.goto(f"/checklists/{made(signed_in(app, Role.NURSE))}/print")
    assert page.get_by_role("button", name="Print").count() == 0
    assert page.get_by_role("link", name="As a PDF").is_visible()
