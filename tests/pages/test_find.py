"""Finding checklists on a page: every filter, what was found with its marks, and the file of all of it."""

import json
from datetime import timedelta

import pytest

from service.access.roles import Role
from tests.pages.auditing import answered, erased, events_of, kept, posted, text_of
from tests.pages.conftest import NOW
from tests.people import signed_in

pytestmark = pytest.mark.any_database


@pytest.fixture
def auditor(app):
    return signed_in(app, Role.AUDITOR)


def ids_in(page):
    """The ids of the checklists on a page of results, in order."""
    links = page.text.split('id="results"')[1].split('">Record<')[:-1]
    return [each[-36:] for each in links]


def search(client, **fields):
    page = posted(client, "/find", **fields)
    assert page.status_code == 200, text_of(page.text)
    return ids_in(page)


def test_the_form_without_a_filter_finds_everything_the_newest_first(app, auditor):
    ids = [kept(app, at=NOW + timedelta(minutes=number)) for number in range(3)]
    assert search(auditor) == ids[::-1]
    assert events_of(app, auditor)[0] == "checklists.searched"


def test_each_filter_keeps_what_is_as_asked(app, auditor):
    plain = kept(app, patient={"id": "MRN-1"})
    held = kept(app, patient={"id": "MRN-2"}, without=["hbsag"], at=NOW + timedelta(minutes=1))
    other = kept(app, "loading dose, US", drug="ibalizumab", at=NOW + timedelta(days=3))
    answered(app, held, "hepatitis_b", "hbv-active")
    wanted = {
        ("patient", "MRN-2"): [held],
        ("status", "block"): [held],
        ("drug", "ibalizumab"): [other],
        ("check", "hepatitis_b"): [held],
        ("rule", "hbv-active"): [held],
        ("verdict", "undecided"): [held],
        ("verdict", "holds"): [],
        ("answered", "overridden"): [held],
        ("answered", "acknowledged"): [],
        ("reason", "risk-benefit-ratio"): [held],
        ("outcome", "none"): [other, held, plain],
        ("outcome", "infused"): [],
        ("actor", "user:nobody"): [],
        ("superseded", "yes"): [],
        ("superseded", "no"): [other, held, plain],
        ("from", "2026-10-07"): [other],
        ("to", "2026-10-06"): [held, plain],
        ("infusion_from", "2026-10-01"): [held, plain],
        ("infusion_to", "2026-09-15"): [other],
    }
    for (name, value), ids in wanted.items():
        assert search(auditor, **{name: value}) == ids, (name, value)
    assert search(auditor, patient="MRN-1", status="block") == []


def test_what_was_found_carries_its_marks(app, auditor):
    old = kept(app, patient={"id": "MRN-5"})
    new = kept(app, patient={"id": "MRN-5"}, supersedes={"id": old, "reason": "wrong weight"})
    kept(app, patient={"id": "MRN-9"}, without=["hbsag"])
    erased(app, "MRN-9")

    says = text_of(posted(auditor, "/find", patient="MRN-5", superseded="yes").text)
    assert "1 checklist " in says and "Superseded" in says and "The one that corrects it" in says
    assert "Corrects another" in text_of(posted(auditor, "/find", patient="MRN-5", superseded="no").text)
    says = text_of(posted(auditor, "/find", status="block").text)
    assert "Patient erased" in says and "MRN-9" not in says
    assert "hbv-active could not be decided" in says
    assert new in posted(auditor, "/find", superseded="yes").text


def test_older_checklists_come_page_by_page_and_the_patient_is_in_no_address(app, auditor):
    ids = [kept(app, at=NOW + timedelta(minutes=number)) for number in range(51)]
    first = posted(auditor, "/find", patient="MRN-1001")
    assert "50 checklists, and there are older ones" in text_of(first.text)
    cursor = first.text.split('name="cursor" value="')[1].split('"')[0]
    older = posted(auditor, "/find", patient="MRN-1001", cursor=cursor)
    assert ids_in(first) + ids_in(older) == ids[::-1]
    addresses = [part.split('"')[0] for part in older.text.split('href="')[1:]]
    addresses += [part.split('"')[0] for part in older.text.split('action="')[1:]]
    assert not any("MRN" in each for each in addresses)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"drug": "inebilizumabb"}, "Drug: "),
        ({"from": "yesterday"}, "Made on or after: must be a date such as 2026-10-06"),
        (
            {"from": "2026-10-06", "to": "2026-10-01"},
            "Made on or before: must be later than the beginning of the period",
        ),
        ({"status": "fine"}, "Status: "),
        ({"superseded": "perhaps"}, "Corrected by a later one: "),
        ({"patient": "x" * 201}, "Patient id: "),
        ({"cursor": "bm9uZQ=="}, "is no cursor of this search; begin again without one"),
    ],
    ids=str,
)
def test_what_cannot_be_looked_for_is_said_at_its_field_and_nothing_typed_is_lost(auditor, fields, says):
    page = posted(auditor, "/find", rule="pml-signs", **fields)
    assert page.status_code == 422
    assert says in text_of(page.text)
    assert 'value="pml-signs"' in page.text
    for name in set(fields) - {"cursor", "from"} if says.startswith("Made on or before") else fields:
        assert name == "cursor" or f'id="{name}-error"' in page.text


def test_nothing_found_says_what_to_do(auditor):
    assert "it is compared letter by letter" in text_of(posted(auditor, "/find", patient="mrn-1001").text)


def test_an_auditor_takes_out_what_was_found(app, auditor):
    id = kept(app, patient={"id": "MRN-2"}, without=["hbsag"])
    kept(app, patient={"id": "MRN-1"})

    file = posted(auditor, "/find/export", patient="MRN-2", format="ndjson")
    assert file.headers["Content-Disposition"] == 'attachment; filename="checklists.ndjson"'
    [line] = map(json.loads, file.text.splitlines())
    assert (line["id"], line["request"]["patient"]) == (id, {"id": "MRN-2"})
    lines = posted(auditor, "/find/export", format="csv").text.splitlines()
    assert lines[0].startswith("checklist,") and sum("MRN-1" in each for each in lines) > 10
    assert events_of(app, auditor)[0] == "checklists.exported"


@pytest.mark.parametrize("role", [Role.NURSE, Role.PRESCRIBER, Role.PHARMACIST])
def test_others_find_and_take_nothing_out(app, role):
    kept(app)
    client = signed_in(app, role)
    page = posted(client, "/find")
    assert len(ids_in(page)) == 1
    assert "/find/export" not in page.text
    refused = posted(client, "/find/export", format="csv")
    assert (refused.status_code, refused.mimetype) == (403, "text/html")


def test_an_administrator_finds_nothing(app):
    refused = signed_in(app, Role.ADMIN).get("/find")
    assert (refused.status_code, refused.mimetype) == (403, "text/html")
