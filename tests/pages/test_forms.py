"""A form that was open from before: whoever filled it in may send it again, and nobody else."""

import re

import pytest

from service.access.roles import Role
from service.pages.kept_forms import is_secret
from tests.builders import ROOT
from tests.pages.page_texts import fields, words
from tests.people import PASSWORD, PIN, an_account, signed_in

pytestmark = pytest.mark.any_database
TYPED = {"change": "full_name", "full_name": "Paula <Pond>"}


@pytest.fixture
def stale(app):
    """A form that was opened before its session ended: the client, where it goes, and what it sends."""
    client = signed_in(app, Role.ADMIN, "adam")
    an_account(app, Role.NURSE, "paula")
    address = "/accounts/paula"
    return client, address, {**fields(client.get(address), address), **TYPED, "secret": PIN}


def sign_in(client, name):
    assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303


def test_whoever_filled_it_in_sends_it_again_with_the_right_key(app, stale):
    client, address, form = stale
    sign_in(client, "adam")
    page = client.post(address, data=form, headers={"Referer": f"http://localhost{address}"})
    assert page.status_code == 403 and "This page was open from before" in words(page)
    again = fields(page, address)
    assert again["form_key"] != form["form_key"] and PIN not in page.text
    assert {name: again[name] for name in TYPED} == TYPED
    assert f'href="{address}"' in page.text
    assert client.post(address, data={**again, "secret": PIN}).status_code == 303
    assert app.extensions["dosegate"].accounts.by_name("paula").full_name == TYPED["full_name"]


def test_another_person_does_not_see_it(app, stale):
    client, address, form = stale
    an_account(app, Role.ADMIN, "anna")
    sign_in(client, "anna")
    page = client.post(address, data=form)
    assert page.status_code == 403 and "Pond" not in page.text and "Send it again" not in page.text


def test_nothing_is_offered_where_no_page_of_ours_is_said_to_have_sent_it(app, stale):
    client, address, form = stale
    sign_in(client, "adam")
    del client.environ_base["HTTP_SEC_FETCH_SITE"]
    for headers in ({}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        page = client.post(address, data=form, headers=headers)
        assert page.status_code == 403 and "Pond" not in page.text
    page = client.post(address, data=form, headers={"Origin": "http://localhost"})
    assert fields(page, address)["full_name"] == TYPED["full_name"]


def test_the_forms_of_the_door_itself_are_never_sent_again(app, stale):
    client, _, form = stale
    sign_in(client, "adam")
    for address in ("/sign-out", "/lock", "/unlock"):
        page = client.post(address, data=form)
        assert page.status_code == 403 and "Send it again" not in page.text
    assert client.get("/account").status_code == 200


def test_htmx_gets_the_whole_page(app, stale):
    client, address, form = stale
    sign_in(client, "adam")
    page = client.post(address, data=form, headers={"HX-Request": "true"})
    assert (page.headers["HX-Retarget"], page.headers["HX-Reswap"]) == ("body", "outerHTML")


def test_every_password_field_of_ours_is_known_as_one():
    """What is kept of a form leaves out fields by their names: each field for a secret has such a name."""
    pages = ROOT / "service" / "pages"
    sources = [*pages.rglob("*.html"), *pages.rglob("*.py")]
    asked = [
        name
        for source in sources
        for name in re.findall(r"password_input\(\s*\"([^\"]+)\"", source.read_text("utf-8"))
    ]
    asked += [
        name
        for source in sources
        for tag in re.findall(r"<input[^>]*type=\"password\"[^>]*>", source.read_text("utf-8"))
        for name in re.findall(r'name="([^"]+)"', tag)
    ]
    assert len(asked) >= 10
    assert [name for name in asked if not is_secret(name)] == []
    assert not any(
        map(is_secret, ("pink", "opinion", "full_name", "secretary", "weight.value", "representative"))
    )
