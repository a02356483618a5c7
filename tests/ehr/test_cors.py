"""Pages of EHRs: whose origin is registered may read what CDS Hooks answers, and nobody else may."""

import pytest

from tests.ehr.an_ehr import PUBLIC_URL, SERVICE, bearer, claims_at, signed
from tests.ehr.conftest import ORIGIN
from tests.ehr.test_door import behind_the_door

ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
ADDRESSES = ["/cds-services", SERVICE, f"{SERVICE}/feedback", "/cds-services/x/y/z"]
OTHERS = [
    "https://evil.example",
    "null",
    "*",
    "",
    ORIGIN.upper(),
    f"{ORIGIN}/",
    ORIGIN.removesuffix(":8443"),
    ORIGIN.replace("https", "http"),
    f"{ORIGIN}.evil.example",
    f"{ORIGIN} {ORIGIN}",
]


@pytest.fixture
def probe(app, ehr):
    return behind_the_door(app, PUBLIC_URL).test_client()


def allowed(response):
    """What of CORS is in an answer."""
    return {name: value for name, value in response.headers if name.startswith("Access-Control")}


@pytest.mark.any_database
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_browser_may_ask_beforehand_without_a_token(app, ehr, address):
    response = app.test_client().options(address, headers={"Origin": ORIGIN, **ASKS})
    assert (response.status_code, response.data) == (204, b"")
    assert allowed(response) == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
        "Access-Control-Max-Age": "600",
    }
    assert response.headers["Vary"] == "Origin"


@pytest.mark.any_database
@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_is_answered_without_a_word_of_it(probe, clock, origin):
    for address in ADDRESSES:
        response = probe.options(address, headers={"Origin": origin, **ASKS})
        assert allowed(response) == {}
        assert response.status_code in (401, 404)
        assert response.headers["Vary"] == "Origin"
    token = {"Authorization": bearer(signed(claims_at(clock())))}
    response = probe.post(SERVICE, headers={"Origin": origin, **token})
    assert (response.status_code, allowed(response)) == (200, {})  # the EHR is known; the page may not read


@pytest.mark.any_database
def test_every_answer_may_be_read_by_the_pages_of_the_ehr(probe, clock):
    own = {"Access-Control-Allow-Origin": ORIGIN}
    token = {"Authorization": bearer(signed(claims_at(clock())))}
    for headers, status in ((token, 200), (token, 401), ({}, 401)):
        response = probe.post(SERVICE, headers={"Origin": ORIGIN, **headers})
        assert (response.status_code, allowed(response)) == (status, own)
        assert response.headers["Vary"] == "Origin"
    for response, status in (
        (probe.delete(SERVICE, headers={"Origin": ORIGIN}), 405),
        (probe.get("/cds-services/x/y", headers={"Origin": ORIGIN}), 404),
    ):
        assert (response.status_code, allowed(response)) == (status, own)


@pytest.mark.any_database
def test_options_that_no_browser_asks_beforehand_needs_a_token(probe):
    assert probe.options(SERVICE, headers={"Origin": ORIGIN}).status_code == 401
    assert probe.options(SERVICE, headers=ASKS).status_code == 401


@pytest.mark.any_database
@pytest.mark.parametrize(
    "address", ["/api/v1/drugs", "/api/v1/session", "/", "/cds-servicesx", "/CDS-services", "/x/cds-services"]
)
def test_nothing_else_may_be_read(app, ehr, address):
    client = app.test_client()
    for response in (
        client.options(address, headers={"Origin": ORIGIN, **ASKS}),
        client.get(address, headers={"Origin": ORIGIN}),
    ):
        assert allowed(response) == {}


def test_the_origins_are_those_of_all_who_are_believed(app, registered, parts, act):
    def may_read(origin):
        headers = {"Origin": origin, **ASKS}
        return allowed(app.test_client().options(SERVICE, headers=headers)) != {}

    second = "http://localhost:8080"
    assert not may_read(ORIGIN)
    registered()
    registered("two", issuer="two", origins=(second, ORIGIN))
    assert may_read(ORIGIN)
    assert may_read(second)
    parts.ehr_clients.revoke("two", act)
    assert may_read(ORIGIN)
    assert not may_read(second)
    parts.ehr_clients.revoke("epic", act)
    assert not may_read(ORIGIN)


@pytest.mark.any_database
def test_no_credentials_and_no_star_ever(probe):
    for origin in (ORIGIN, "*", "https://evil.example"):
        for response in (
            probe.options(SERVICE, headers={"Origin": origin, **ASKS}),
            probe.get(SERVICE, headers={"Origin": origin}),
        ):
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert response.headers.get("Access-Control-Allow-Origin") in (None, ORIGIN)


def test_where_the_records_cannot_be_read_it_is_said_so(own_database_url, probe, sql):
    sql("ALTER TABLE ehr_clients RENAME TO elsewhere")
    response = probe.options(SERVICE, headers={"Origin": ORIGIN, **ASKS})
    assert (response.status_code, allowed(response)) == (503, {})
