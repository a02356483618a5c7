"""Every error is a problem details document, and tells nothing that is not the caller's to know."""

import logging

import pytest

from tests.api.sending import CHECKLISTS, a_request, is_problem, post
from tests.databases import refuse_rows
from tests.logged import logged


@pytest.mark.any_database
@pytest.mark.parametrize(
    "address", ["/nothing", "/api/v1/drugs/nothing", "/api/v1//drugs", "/api/v1/static/x"]
)
def test_an_unknown_address_is_not_found(client, address):
    assert is_problem(client.get(address), 404)


@pytest.mark.any_database
def test_a_method_that_is_not_taken_is_answered_with_those_that_are(client):
    response = client.delete(CHECKLISTS)
    assert is_problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


@pytest.mark.any_database
def test_an_unforeseen_error_is_a_problem_without_its_words(client, monkeypatch, caplog):
    def fail(*args, **options):
        raise RuntimeError("MRN-1001 in the middle of it")

    monkeypatch.setattr("service.records.making.answer_to", fail)
    with caplog.at_level(logging.DEBUG):
        response = post(client)

    assert is_problem(response, 500)
    assert "MRN" not in response.text
    assert "MRN" not in caplog.text
    [told] = logged(caplog, "unforeseen")
    assert (told["request"], told["error"]) == (response.headers["X-Request-Id"], "RuntimeError")
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.usefixtures("own_database_url")
def test_a_store_that_fails_gives_no_result(client, sql):
    sql("ALTER TABLE policies RENAME TO elsewhere")
    response = post(client)
    assert is_problem(response, 503)
    assert "findings" not in response.json


@pytest.mark.usefixtures("own_database_url")
@pytest.mark.parametrize("table", ["idempotency", "journal"])
def test_a_checklist_is_recorded_whole_or_not_at_all(client, sql, table):
    [(entries,)] = sql("SELECT count(*) FROM journal")
    refuse_rows(sql, table)
    assert is_problem(post(client, idempotency_key="visit-17"), 503)
    for each in ("checklists", "contents", "knowledge", "policies", "idempotency"):
        assert sql(f"SELECT count(*) FROM {each}") == [(0,)], each
    assert sql("SELECT count(*) FROM journal") == [(entries,)]


@pytest.mark.usefixtures("own_database_url")
def test_a_store_that_fails_answers_no_reading(client, sql):
    address = post(client).headers["Location"]
    sql("ALTER TABLE checklists RENAME TO elsewhere")
    assert is_problem(client.get(address), 503)
    assert is_problem(client.get(f"{address}/trace"), 503)
    assert is_problem(client.post(f"{address}/replay"), 503)


@pytest.mark.any_database
@pytest.mark.parametrize("address", ["/healthz", "/nothing", "/api/v1/drugs", "/api/v1/session"])
def test_every_response_carries_an_id_and_its_security_headers(client, address):
    first, second = client.get(address), client.get(address)

    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert first.headers["Cache-Control"] == "no-store"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in first.headers["Content-Security-Policy"]


@pytest.mark.any_database
def test_a_request_cannot_choose_its_id(client):
    response = client.get("/healthz", headers={"X-Request-Id": "mine"})
    assert response.headers["X-Request-Id"] != "mine"


@pytest.mark.any_database
def test_a_key_that_is_no_valid_text_is_still_named(client):
    response = post(client, a_request(with_={"\ud800": 1}))
    assert is_problem(response, 422)
