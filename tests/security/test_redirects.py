"""No redirect leads outside, whatever is asked for, and nothing is built on a Host header."""

import pytest

from service.access.roles import Role
from tests.pages.page_texts import form_key
from tests.people import PASSWORD, PIN, an_account, browser, signed_in

pytestmark = pytest.mark.any_database
OUTSIDE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/account\r\nLocation: https://evil.example",
    "///evil.example",
    "/.evil.example",
    "@evil.example",
]


def led_to(response):
    """Where an answer leads, which is an address of this service without a host."""
    where = response.headers.get("Location", "")
    assert where.startswith("/") and not where.startswith(("//", "/\\")), where
    assert "evil" not in where.partition("?")[0], where
    return where


@pytest.mark.parametrize("asked", OUTSIDE)
def test_who_signs_in_unlocks_or_chooses_a_language_stays_here(app, clock, asked):
    nurse, client = an_account(app, Role.NURSE), browser(app)
    typed = {"name": nurse.name, "password": PASSWORD, "next": asked}
    assert 'name="next" value="/"' in client.get("/sign-in", query_string={"next": asked}).text
    assert led_to(client.post("/sign-in", data=typed)) == "/"
    assert led_to(client.post("/language", data={"language": "de", "next": asked})) == "/"
    key = form_key(client.get("/account"))
    led_to(client.post("/lock", data={"form_key": key, "next": asked}))
    assert led_to(client.post("/unlock", data={"form_key": key, "secret": PIN, "next": asked})) == "/"
    assert led_to(client.get("/unlock", query_string={"next": asked})) == "/"


def test_a_page_that_sent_a_request_is_believed_for_its_path_alone(app, clock):
    client = signed_in(app, Role.NURSE)
    clock.pass_by(minutes=6)
    htmx = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/account"}
    response = client.get("/today", headers=htmx)
    assert response.headers["HX-Redirect"].startswith("/unlock")
    assert "evil" not in str(response.headers)


@pytest.mark.parametrize("address", ["//evil.example/%2e%2e", "/account/", "//account", "/\\evil.example"])
def test_no_address_is_mended_by_a_redirect(app, address):
    response = signed_in(app, Role.NURSE).get("/", environ_overrides={"PATH_INFO": address})
    assert response.status_code in (200, 404)
    assert "Location" not in response.headers


def test_nothing_is_built_on_the_host_that_was_asked(app):
    client = signed_in(app, Role.NURSE)
    for headers in (
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"Forwarded": "host=evil.example"},
    ):
        for address in ("/", "/account", "/sign-in", "/api/v1/openapi.json", "/api/v1/docs"):
            with client.get(address, headers=headers) as response:
                assert "evil.example" not in response.text + str(response.headers), (headers, address)
        origin = {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin", **headers}
        assert client.delete("/api/v1/session", headers=origin).status_code == 403
