"""What no browser of ours sends: it is refused in words, and nothing breaks."""

import uuid
from zoneinfo import ZoneInfo

import pytest

from service.access.roles import Role
from service.knowledge import strict_yaml
from service.pages.moments import moment_at
from tests.pages.page_texts import form_key
from tests.pages.planning import Clinic
from tests.people import signed_in

pytestmark = pytest.mark.any_database

HUGE = "9" * 5000
KEPT = {
    "drug": "inebilizumab",
    "infusion_at": "2026-10-06T13:00:00+00:00",
    "patient": {"id": "MRN-1001"},
    "facts": {},
    "answers": {},
    "kept_by": "Nina Koch",
}


@pytest.fixture
def nina(app):
    return signed_in(app, Role.NURSE)


def key(client):
    return form_key(client.get("/account"))


def test_a_number_of_thousands_of_digits_is_no_number(app, nina):
    form = {"drug": "inebilizumab", "patient": "P", "date": "2026-10-06", "time": "13:00"}
    refused = nina.post("/checklists/new", data={**form, "form_key": key(nina), "dose_number": HUGE})
    assert refused.status_code == 422 and "Enter a whole number" in refused.text
    answer = {"fact": "sex", "sex.value": "male", "place": HUGE, "form_key": key(nina)}
    assert nina.post(f"/drafts/{Clinic(app).draft('P')}/answers", data=answer).status_code == 303
    assert strict_yaml.read(f"a: {HUGE}", "a.yaml").data == {"a": HUGE}


@pytest.mark.parametrize(
    "change",
    [
        {"answers": {"sex": "Nina Koch"}},
        {"answers": {"sex": {"name": 1, "at": "2026-10-06T12:00:00+00:00"}}},
        {"answers": {"sex": {"name": "Nina Koch", "at": "noon"}}},
        {"facts": []},
        {"infusion_at": "soon"},
        {"drug": None},
    ],
)
def test_what_another_program_keeps_as_a_draft_and_is_none_of_ours_is_not_found(nina, change):
    id = str(uuid.uuid4())
    assert nina.put(f"/api/v1/drafts/{id}", json={**KEPT, **change}).status_code == 201
    assert nina.get(f"/drafts/{id}").status_code == 404
    answer = {"fact": "sex", "sex.value": "male", "form_key": key(nina)}
    assert nina.post(f"/drafts/{id}/answers", data=answer).status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_day_at_the_ends_of_the_calendar_is_a_day_or_refused(app, day, zone):
    with app.test_request_context():
        moment, why = moment_at(day, "23:59" if day > "2" else "00:00", ZoneInfo(zone))
    assert (moment is None) == bool(why)
