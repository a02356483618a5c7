"""Beginning a checklist: for whom, of what and when, and with what is known; never a second one unseen."""

import re

import pytest

from service.access.roles import Role
from service.intake.documents import plain
from service.records.visits import Person
from tests.builders import request_for
from tests.pages.drafting import asked, key_of, text_of
from tests.people import signed_in

pytestmark = pytest.mark.any_database

NEW = "/checklists/new"
FILLED = {
    "patient": "MRN-1001",
    "drug": "inebilizumab",
    "date": "2026-10-06",
    "time": "14:30",
    "region": "US",
    "dose_number": "4",
}


@pytest.fixture
def nina(app):
    return signed_in(app, Role.NURSE, "nina")


def begin(client, **fields):
    return client.post(NEW, data={"form_key": key_of(client, NEW), **FILLED, **fields})


def read(app, client, address):
    parts = app.extensions["dosegate"]
    return parts.drafting.read(address.split("/")[2], client.account.principal.act("read", parts.clock()))


def record(app, client, request):
    parts = app.extensions["dosegate"]
    person = Person(client.account.full_name, client.account.principal.act("made", parts.clock()))
    return parts.drafting.record(parts.drafting.begin(request, person).id, person.act)


def test_each_drug_is_told_apart_by_brand_and_class(nina):
    said = text_of(nina.get(NEW))
    for drug in (
        "Inebilizumab (Uplizna) CD19",
        "Ibalizumab (Trogarzo) CD4",
        "Inotuzumab ozogamicin (Besponsa) CD22",
    ):
        assert drug in said


def test_it_begins_with_what_was_filled_in_in_the_time_of_the_site(app, nina):
    begun = begin(nina)
    assert begun.status_code == 303
    request = read(app, nina, begun.location).request
    assert request["infusion_at"] == "2026-10-06T14:30:00+00:00"
    assert (request["drug"], request["region"], request["patient"]) == (
        "inebilizumab",
        "US",
        {"id": "MRN-1001"},
    )
    assert request["facts"] == {"dose_number": 4}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"patient": " "}, "Enter the patient's id."),
        ({"drug": ""}, "Choose the drug, or type its name"),
        ({"drug": "", "drug_name": "Inebulizumab"}, "inebilizumab (Uplizna; CD19-directed antibody"),
        ({"drug": "", "drug_name": "aspirin"}, "is not a drug that has rules here"),
        ({"drug_name": "Trogarzo"}, "another drug than the one that is chosen"),
        ({"time": "half past"}, "Enter a date and a time"),
        ({"dose_number": "four"}, "Enter a whole number"),
        ({"dose_number": "0"}, "1 to 999"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field_and_nothing_typed_is_lost(nina, fields, says):
    refused = begin(nina, **fields)
    assert refused.status_code == 422
    assert says in text_of(refused)
    for value in {**FILLED, **fields}.values():
        assert not value.strip() or f'value="{value}"' in refused.text


def test_a_brand_may_be_typed(app, nina):
    begun = begin(nina, drug="", drug_name="uPLIZNA")
    assert read(app, nina, begun.location).request["drug"] == "inebilizumab"


def test_an_unfinished_checklist_is_offered_before_a_second_one_is_begun(app, nina, clock):
    omar = signed_in(app, Role.NURSE, "omar")
    first = begin(nina).location
    clock.move(minutes=3)
    offered = begin(omar)
    assert offered.status_code == 200
    assert "Go on where Nina of the Test left it at 2026-10-06 12:00" in text_of(offered)
    assert f'href="{first}"' in offered.text and 'value="MRN-1001"' in offered.text
    second = begin(omar, anew="yes")
    assert second.status_code == 303 and second.location != first


def test_what_earlier_checklists_still_say_goes_in(app, nina):
    earlier = plain(request_for("inebilizumab", "third dose, US"))
    record(app, nina, earlier)
    begun = begin(nina, patient=earlier["patient"]["id"])
    facts = read(app, nina, begun.location).facts
    assert facts["birth_date"]["value"] == earlier["facts"]["birth_date"]
    assert "pml_signs" not in facts  # what was true of one visit is asked again
    page = nina.get(begun.location)
    assert "facts were known before" in page.text and "pml_signs" in asked(page)


def test_going_on_from_a_recorded_checklist_corrects_it(app, nina):
    earlier = plain(request_for("inebilizumab", "third dose, US"))
    kept = record(app, nina, earlier)
    address = f"/checklists/{kept.id}/continue"
    key = key_of(nina, NEW)
    first = nina.post(address, data={"form_key": key})
    assert first.status_code == 303
    drafted = read(app, nina, first.location)
    assert drafted.facts == earlier["facts"]
    assert drafted.request["supersedes"] == {"id": kept.id, "reason": "Answers were added at the chair."}
    assert (
        nina.post(address, data={"form_key": key}).location == first.location
    )  # the same draft, not a second
    recorded = nina.post(f"{first.location}/record", data={"form_key": key})
    parts = app.extensions["dosegate"]
    assert parts.store.get(kept.id).superseded_by == re.search(r"/checklists/(.*)", recorded.location)[1]
    assert nina.post(address, data={"form_key": key}).status_code == 409
