"""Planning from a list: what is shown first, what is refused and how it is mended, and what is kept."""

import pytest

from service.access.roles import Role
from tests.pages.page_texts import fields, form_key
from tests.pages.planning import upload
from tests.people import signed_in

pytestmark = pytest.mark.any_database
CONFIRM = "/today/upload/confirm"
HEAD = "reference;patient;drug;date;time\n"
GOOD = HEAD + "R1;P-1;Uplizna;2026-10-07;09:00\nR2;P-2;Trogarzo;2026-10-08;10:30\n"
BAD = GOOD + "R3;P-3;Inebilizumap;2026-10-08;11:00\nR4;P-4;Uplizna;08.10.2026;11:00\n"


@pytest.fixture
def nurse(app):
    return signed_in(app, Role.NURSE)


@pytest.fixture
def planned(sql):
    return lambda: sql("SELECT reference, patient, drug, infusion_at FROM infusions ORDER BY reference")


def confirm(client, preview, **changes):
    """Send the form of a preview, with changes."""
    data = {**fields(preview, CONFIRM), "take": "all", **changes}
    return client.post(CONFIRM, data=data, content_type="multipart/form-data")


def test_the_form_says_what_a_list_looks_like_and_gives_an_empty_one(nurse):
    page = nurse.get("/today/upload").text
    assert "Inebilizumab (Uplizna)" in page
    template = nurse.get("/today/upload/template.csv")
    assert template.mimetype == "text/csv"
    assert template.text == "reference,patient,drug,date,time,region\r\n"
    assert "attachment" in template.headers["Content-Disposition"]
    assert upload(nurse, template.text.strip() + "\nR1,P-1,Uplizna,2026-10-07,09:00,US\n").status_code == 200


def test_given_a_good_list_when_it_is_confirmed_then_it_is_planned_and_shown(nurse, planned):
    preview = upload(nurse, GOOD)
    assert preview.status_code == 200
    assert "2 infusions would be planned" in preview.text
    assert "Confirm 2 infusions" in preview.text
    assert planned() == []
    done = confirm(nurse, preview)
    assert (done.status_code, done.location) == (303, "/today?day=2026-10-07&planned=2&changed=0")
    assert planned() == [
        ("R1", "P-1", "inebilizumab", "2026-10-07T09:00:00+00:00"),
        ("R2", "P-2", "ibalizumab", "2026-10-08T10:30:00+00:00"),
    ]
    day = nurse.get(done.location).text
    assert "2 planned, 0 changed" in day
    assert "P-1" in day and "R1, from a list" in day
    again = upload(nurse, GOOD).text
    assert "There is nothing to confirm" in again


def test_given_bad_lines_then_each_is_named_and_only_the_choice_takes_the_good_ones(nurse, planned):
    preview = upload(nurse, BAD)
    wrong = preview.text.partition('class="dg-table dg-list-error"')[2].partition("</table>")[0]
    assert "<strong>Inebilizumap</strong>" in wrong and "<strong>08.10.2026</strong>" in wrong
    assert ">4<" in wrong and "<code>drug</code>" in wrong and "inebilizumab (Uplizna;" in wrong
    assert ">5<" in wrong and "<code>date</code>" in wrong and "2026-12-01" in wrong
    assert "2 lines cannot be taken" in preview.text
    assert "Take the 2 good lines" in preview.text and "Mend the list first" in preview.text
    refused = confirm(nurse, preview)  # as if there were no bad ones
    assert refused.status_code == 409
    assert planned() == []
    assert confirm(nurse, preview, take="good").status_code == 303
    assert [row[0] for row in planned()] == ["R1", "R2"]


def test_a_text_that_was_changed_on_the_way_is_read_again_and_shown_again(nurse, planned):
    preview = upload(nurse, GOOD)
    other = confirm(nurse, preview, text=GOOD.replace("P-1", "P-9"))
    assert other.status_code == 409
    assert "Nothing was kept" in other.text and "P-9" in other.text
    bad = confirm(nurse, preview, text="nothing")
    assert bad.status_code == 422
    assert planned() == []
    assert confirm(nurse, other).status_code == 303


def test_what_is_changed_is_shown_with_what_it_was(nurse, planned):
    confirm(nurse, upload(nurse, GOOD))
    preview = upload(nurse, GOOD.replace("09:00", "11:15"))
    assert "Change (was 2026-10-07 09:00)" in preview.text
    assert "1 would be changed" in preview.text and "1 would be left alone" in preview.text
    assert confirm(nurse, preview).location.endswith("planned=0&changed=1")
    assert planned()[0][3] == "2026-10-07T11:15:00+00:00"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "The file is empty"),
        ("a;b\n1;2\n", "no column reference, patient, drug"),
        (b"reference;patient\nM\xfcller;1", "save it as"),
        (HEAD + "x" * 140_000, "larger than 128 KiB"),
    ],
)
def test_a_file_that_is_no_list_is_refused_at_its_field(nurse, body, says):
    refused = upload(nurse, body)
    assert refused.status_code == 422
    assert says in refused.text
    assert 'href="#list"' in refused.text


def test_no_file_at_all(nurse):
    key = form_key(nurse.get("/today/upload"))
    refused = nurse.post("/today/upload", data={"form_key": key})
    assert refused.status_code == 422
    assert "Choose the file first" in refused.text


def test_what_stands_in_a_list_is_never_markup(nurse):
    page = upload(nurse, HEAD + "<b>R;<script>1</script>;<i>x;2026-10-07;09:00\n")
    assert "<script>1" not in page.text and "<i>x" not in page.text and "<b>R" not in page.text
    preview = upload(nurse, HEAD + '<b>R;"<b>P""";Uplizna;2026-10-07;09:00;"<u>"\n'.replace(';"<u>"', ""))
    assert "<b>" not in preview.text
    assert fields(preview, CONFIRM)["text"].endswith("09:00\n")


def test_who_may_not_make_checklists_may_not_plan(app):
    auditor = signed_in(app, Role.AUDITOR)
    assert auditor.get("/today/upload").status_code == 403


def test_no_patient_of_a_list_is_in_a_log_or_an_address(nurse, caplog):
    caplog.set_level("INFO")
    done = confirm(nurse, upload(nurse, GOOD.replace("P-1", "CANARY7361")))
    assert "CANARY" not in caplog.text + done.location
