"""How often one may ask: nobody takes the service from the others, and what must not be refused is not."""

import html
import re
from dataclasses import replace

import pytest
import sqlalchemy

from service.access.roles import SCOPES, Role
from service.app import create_app
from service.web.rates import MACHINES, UNCOUNTED, WEIGHTS
from tests.access.test_guard import with_key
from tests.access.test_sessions import is_kind
from tests.api.sending import sample
from tests.builders import shipped
from tests.ehr.calls import an_ehr, order_sign
from tests.logged import logged
from tests.people import PASSWORD, PIN, an_account, browser, signed_in

LIMIT = 20
DRUGS = "/api/v1/drugs"


@pytest.fixture
def settings(settings):
    """A service where a person may ask 20 times a minute."""
    return replace(settings, requests_per_minute=LIMIT)


def asks(client, times, address=DRUGS, **how):
    """The statuses of so many requests."""
    statuses = []
    for _ in range(times):
        with client.get(address, **how) as response:
            statuses.append(response.status_code)
    return statuses


def at(address):
    """As a proxy says where a request comes from."""
    return {"X-Forwarded-For": address}


def test_each_person_and_each_machine_has_a_minute_of_its_own(app, act, clock, sql, database_kind):
    nurse, other, key = signed_in(app, Role.NURSE), signed_in(app, Role.NURSE), with_key(app, act, SCOPES)
    assert asks(nurse, LIMIT) == [200] * LIMIT
    clock.pass_by(seconds=15)
    limited = nurse.get(DRUGS)
    assert is_kind(limited, 429, "too-many-requests")
    assert limited.headers["Retry-After"] == "45"
    assert sample(key, 'rate_limited_total{endpoint="/api/v1/drugs"}') == 1
    assert asks(other, 1) == [200]
    assert asks(key, MACHINES * LIMIT) == [200] * MACHINES * LIMIT
    assert asks(key, 1) == [429]
    clock.pass_by(seconds=45)
    assert asks(nurse, LIMIT) == [200] * LIMIT
    if database_kind == "postgresql":
        kept = sql("SELECT bucket, count, ends_at FROM rates ORDER BY count")
        assert kept
        assert all(re.fullmatch("[0-9a-f]{64}", bucket) for bucket, _, _ in kept)
        assert nurse.account.id not in str(kept)


def test_workers_of_one_postgresql_count_together(app, settings, clock, database_kind):
    nurse = signed_in(app, Role.NURSE)
    another = create_app(settings, shipped(), clock)
    same = browser(another, nurse.account, nurse.get_cookie("__Host-dosegate").value)
    assert asks(nurse, LIMIT - 1) == [200] * (LIMIT - 1)
    expected = [200, 429] if database_kind == "postgresql" else [200, 200]
    assert asks(same, 2) == expected
    another.extensions["dosegate"].store.records.close()


def test_a_count_that_fails_refuses_nothing(app, sql, own_database_url, database_kind, caplog):
    nurse = signed_in(app, Role.NURSE)
    assert asks(nurse, LIMIT) == [200] * LIMIT
    sql("DROP TABLE rates")
    counted = database_kind == "sqlite"  # in memory
    assert asks(nurse, LIMIT) == [429 if counted else 200] * LIMIT
    assert len(logged(caplog, "requests_not_counted")) == (0 if counted else 1)


@pytest.mark.any_database
def test_strangers_are_counted_by_their_address_and_do_not_shut_out_who_is_known(app, act):
    stranger, key = app.test_client(), with_key(app, act, SCOPES)
    wrong = {**at("198.51.100.7"), "Authorization": f"Bearer dosegate_{'0' * 12}_{'0' * 64}"}
    assert asks(stranger, LIMIT, headers=wrong) == [401] * LIMIT
    limited = stranger.get(DRUGS, headers=wrong)
    assert is_kind(limited, 429, "too-many-requests")
    assert int(limited.headers["Retry-After"]) <= 60
    assert asks(stranger, 1, "/cds-services", headers=wrong) == [429]
    assert asks(stranger, 1, headers={**wrong, **at("198.51.100.8")}) == [401]
    assert asks(key, 1, headers=at("198.51.100.7")) == [200]
    assert asks(stranger, 1, "/healthz", headers=at("198.51.100.7")) == [200]


@pytest.mark.any_database
def test_who_may_not_is_counted_too(app):
    nurse = signed_in(app, Role.NURSE)
    assert asks(nurse, LIMIT + 1, "/api/v1/journal") == [403] * LIMIT + [429]
    assert asks(nurse, 1) == [200]


@pytest.mark.any_database
def test_an_ehr_that_asks_too_often_is_told_so_as_it_understands(app, act):
    ehr = an_ehr(app, act)
    for _ in range(MACHINES * LIMIT):
        assert ehr.discover().status_code == 200
    limited = ehr.call(order_sign())
    assert limited.status_code == 429
    assert limited.json["resourceType"] == "OperationOutcome"
    assert [issue["code"] for issue in limited.json["issue"]] == ["throttled"]
    assert limited.headers["Retry-After"] == "60"


@pytest.mark.any_database
def test_what_costs_more_counts_more(app, sql):
    client, nurse = browser(app), an_account(app, Role.NURSE)
    right = {"name": nurse.name, "password": PASSWORD}
    for _ in range(LIMIT // 10):
        assert client.post("/api/v1/session", json=right, headers=at("198.51.100.7")).status_code == 201
        client.delete_cookie("__Host-dosegate")
    refused = client.post("/api/v1/session", json=right, headers=at("198.51.100.7"))
    assert is_kind(refused, 429, "too-many-requests")
    assert client.post("/api/v1/session", json=right, headers=at("198.51.100.8")).status_code == 201


@pytest.mark.any_database
def test_what_watches_the_service_is_never_refused(app, act):
    key = with_key(app, act, SCOPES)
    asks(key, MACHINES * LIMIT + 1)
    assert asks(key, 1) == [429]
    for address in ("/healthz", "/readyz", "/metrics", "/api/v1/static/docs.js"):
        assert asks(key, 2, address, headers=at("198.51.100.7")) == [200, 200], address


@pytest.mark.any_database
def test_a_form_that_came_too_soon_is_kept_in_the_page_and_sent_again(app, clock):
    nurse = signed_in(app, Role.NURSE)
    shown = nurse.get("/today/upload").text
    key = re.search('name="form_key" value="([^"]+)"', shown)[1]
    asks(nurse, LIMIT)
    typed = {"form_key": key, "form_owner": nurse.account.id, "patient": "MRN-77", "text": "<b>typed</b>"}
    response = nurse.post("/today/search", data=typed)
    assert (response.status_code, response.mimetype) == (429, "text/html")
    assert int(response.headers["Retry-After"]) <= 60
    assert 'value="MRN-77"' in response.text
    assert 'action="/today/search"' in response.text
    clock.pass_by(minutes=1)
    assert nurse.post("/today/search", data=typed).status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize("way_in", ["/sign-in", "/unlock"])
def test_what_was_typed_before_signing_in_goes_on_waiting_in_the_page(app, clock, way_in):
    nurse = signed_in(app, Role.NURSE)
    key = re.search('name="form_key" value="([^"]+)"', nurse.get("/today/upload").text)[1]
    clock.pass_by(minutes=6)  # locks
    form = {"form_key": key, "form_owner": nurse.account.id, "patient": "MRN-77"}
    kept = re.search('name="kept" value="([^"]+)"', nurse.post("/today/search", data=form).text)[1]
    headers = at("198.51.100.7")
    asks(browser(app), LIMIT, "/sign-in", headers=headers)  # the count of the address
    for _ in range(LIMIT // 10):
        nurse.post("/unlock", data={"form_key": key, "secret": "0000", "kept": kept}, headers=headers)
    secret = {"name": nurse.account.name, "password": PASSWORD, "secret": PIN}
    client = nurse if way_in == "/unlock" else browser(app)
    response = client.post(way_in, data={"form_key": key, "kept": kept, **secret}, headers=headers)
    assert response.status_code == 429
    again = html.unescape(re.search('name="kept" value="([^"]+)"', response.text)[1])
    clock.pass_by(minutes=1)
    back = client.post(way_in, data={"form_key": key, "kept": again, **secret}, headers=headers)
    assert back.status_code == 200
    assert "MRN-77" in back.text


@pytest.mark.any_database
def test_every_endpoint_named_there_is_one(app):
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert {*UNCOUNTED, *WEIGHTS} <= endpoints


def test_a_request_is_counted_by_one_statement(app, database_kind):
    nurse, said = signed_in(app, Role.NURSE), []
    engine = app.extensions["dosegate"].store.records.database.engine
    asks(nurse, 1)
    sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *all: said.append(all[2]))
    asks(nurse, 1)
    assert sum("rates" in each for each in said) == (database_kind == "postgresql")
