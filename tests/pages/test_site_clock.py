"""Whatever offset a request has, people read the planned start by the clock of the site."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from service.access.roles import Role
from tests.pages.auditing import posted
from tests.pages.planning import Clinic
from tests.people import signed_in

pytestmark = pytest.mark.any_database

ASKED, AT_THE_SITE = "2026-10-06T13:00:00-05:00", "20:00"


@pytest.fixture
def clinic(app):
    """A clinic in Berlin, asked by an EHR that writes the time of Chicago."""
    app.extensions["dosegate"] = replace(app.extensions["dosegate"], time_zone=ZoneInfo("Europe/Berlin"))
    return Clinic(app)


def test_every_page_about_an_infusion_says_one_planned_start(app, clinic):
    made, begun = clinic.check("P-1", at=ASKED), clinic.draft("P-2", at=ASKED)
    nina, ada = signed_in(app, Role.NURSE, "nina"), signed_in(app, Role.AUDITOR, "ada")
    for client, address in (
        (nina, f"/checklists/{made}"),
        (nina, f"/drafts/{begun}"),
        (nina, "/today"),
        (ada, f"/checklists/{made}/trace"),
    ):
        page = client.get(address).text
        assert f"{AT_THE_SITE}</time>" in page, address
        assert "13:00</time>" not in page, address
    assert f"2026-10-06 {AT_THE_SITE}" in posted(ada, "/find", patient="P-1").text
