"""What happens beside and after a visit: a list is planned, a sheet is printed, an auditor replays."""

import io

import pypdf
import pytest
from PIL import Image, ImageChops

pytestmark = pytest.mark.any_database

LIST = """reference;patient;drug;date;time
R-1;P-7001;Uplizna;2026-10-07;09:00
R-2;P-7002;Inebilizumap;2026-10-07;10:00
R-3;P-7003;Trogarzo;07.10.2026;11:00
R-4;P-7004;Trogarzo;2026-10-07;12:00
"""
MOST_COLOUR = 2  # of 255, between the channels of one dot


def test_a_list_with_bad_lines_is_shown_first_and_its_good_lines_are_planned(nora):
    nora.given_today_is_open()
    nora.when_they_follow("Plan from a list")
    nora.when_they_choose_the_file("infusions.csv", LIST)
    nora.then_they_read("2 infusions would be planned", "2 lines cannot be taken")
    nora.then_the_row_says("3", "drug", "Inebilizumap")
    nora.then_the_row_says("4", "date", "07.10.2026")
    nora.when_they_take("Take the 2 good lines")
    nora.then_they_read("2 planned, 0 changed", "P-7001", "P-7004")
    nora.then_nowhere_stands("P-7002", "P-7003")


def test_a_checklist_is_printed_on_one_grey_page(ward, nora):
    checklist = ward.given_a_checklist_is_recorded("P-6001", unless=("hbsag",))
    nora.given_the_checklist_is_open(checklist)
    nora.when_they_sign()
    nora.when_they_follow("Print")
    nora.page.emulate_media(media="print")
    [sheet] = pypdf.PdfReader(io.BytesIO(nora.page.pdf(format="A4", prefer_css_page_size=True))).pages
    [of_service] = pypdf.PdfReader(io.BytesIO(nora.what_is_fetched(f"{checklist}/pdf"))).pages
    for page in (sheet, of_service):
        words = " ".join(page.extract_text().split())
        assert all(each in words for each in ("P-6001", "Inebilizumab", "Hepatitis B", "Nora of the Test"))
    red, green, blue = Image.open(io.BytesIO(nora.page.screenshot())).convert("RGB").split()
    for one, other in ((red, green), (green, blue)):
        assert ImageChops.difference(one, other).getextrema()[1] <= MOST_COLOUR


def test_an_auditor_replays_a_checklist_and_one_that_was_tampered_with(ward, ada, unguarded):
    sound, changed = (
        ward.given_a_checklist_is_recorded(each, unless=("hbsag",)) for each in ("P-8001", "P-8002")
    )
    ada.given_the_checklist_is_open(f"{sound}/trace")
    ada.when_they_replay_it()
    ada.then_the_decision_is("Identical")
    ada.then_they_read("Result and trace came out the same again, byte for byte.")

    id = changed.rpartition("/")[2]
    [(stored,)] = unguarded("SELECT result FROM contents WHERE checklist = ?", id)
    cleared = stored.replace(
        b'"status":"block","title":"Inebilizumab"', b'"status":"pass","title":"Inebilizumab"'
    )
    unguarded("UPDATE contents SET result = ? WHERE checklist = ?", cleared, id)
    ada.given_the_checklist_is_open(f"{changed}/trace")
    ada.when_they_replay_it()
    ada.then_the_decision_is("Not the same")
    ada.then_the_summary_says("At", "status")
    ada.then_the_summary_says("Stored", "pass")
    ada.then_the_summary_says("Replayed", "block")
