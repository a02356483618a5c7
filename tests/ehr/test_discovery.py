"""What EHRs are told when they ask which services there are."""

import re

import pytest

from service.ehr.hooks import HOOKS, SERVICE
from service.fhir.searches import NAMES
from tests.ehr.calls import SERVICES, an_ehr, nothing_empty

pytestmark = pytest.mark.any_database
# What CDS Hooks 2.0 recommends of FHIR's searches: reads, references, tokens.
TEMPLATE = re.compile(
    r"[A-Z][A-Za-z]+(/{{context\.patientId}}"
    r"|\?(patient|subject)=(Patient/)?{{context\.patientId}}(&(status|code)=[A-Za-z0-9,|:/.-]+)?&_count=\d+)"
)


@pytest.fixture
def discovered(app, act):
    response = an_ehr(app, act).discover()
    assert response.status_code == 200
    assert response.content_type == "application/json"
    nothing_empty(response.json)
    return response.json["services"]


def test_one_service_is_found_on_every_hook(discovered):
    assert [each["hook"] for each in discovered] == list(HOOKS)
    assert {each["id"] for each in discovered} == {SERVICE}
    assert {each["hook"]: each["hookVersion"] for each in discovered}["order-dispatch"] == "1.1"
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", each["version"]) for each in discovered)


def test_every_search_is_asked_for_with_what_every_client_can_do(discovered):
    for each in discovered:
        assert set(each["prefetch"]) == set(NAMES)
        for template in each["prefetch"].values():
            assert TEMPLATE.fullmatch(template), template


def test_who_shows_no_token_is_told_nothing(app, act, registered):
    registered()
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp4"}):
        response = app.test_client().get(SERVICES, headers=headers)
        assert (response.status_code, response.data) == (401, b"")


def test_a_token_for_one_address_opens_no_other(app, act):
    ehr = an_ehr(app, act)
    for path in (f"{SERVICES}/{SERVICE}", f"{SERVICES}/", "/"):
        response = app.test_client().get(SERVICES, headers={"Authorization": ehr.token(path)})
        assert response.status_code == 401
