"""What is known of a patient is in the result, the trace and the records; nowhere else."""

import itertools
import logging

import pytest

from tests.api.sending import CHECKLISTS, a_request, is_problem, post
from tests.databases import refuse_rows
from tests.logged import logged

CANARY = "CANARY7361"


@pytest.fixture
def log(caplog):
    """All that is logged, the database's own log of its statements included."""
    caplog.set_level(logging.INFO)
    return caplog


def canaries():
    """A request with a canary wherever a text of the site may stand."""
    return a_request(
        patient={"id": f"{CANARY}-patient"},
        with_={
            "hbsag": {"value": "negative", "at": "2026-09-01", "source": f"{CANARY}-source"},
            "reactions": [
                {"substance": f"{CANARY}-substance", "severity": "mild", "type": "hypersensitivity"}
            ],
            "anti_infectives": [{"drug": f"{CANARY}-drug", "purpose": "prophylaxis"}],
        },
    )


def test_a_recorded_checklist_leaves_no_trace_in_logs_metrics_or_addresses(log, new_client):
    client = new_client()
    response = post(client, canaries(), idempotency_key="visit-17")
    address = response.headers["Location"]
    post(client, canaries(), idempotency_key="visit-17")
    client.get(address)
    client.get(f"{address}/trace")
    client.post(f"{address}/replay")

    assert f"{CANARY}-patient" in response.text
    assert CANARY not in str(response.headers)
    assert CANARY not in log.text
    assert CANARY not in client.get("/metrics").text


BAD = [
    a_request(drug=CANARY),
    a_request(region=CANARY),
    a_request(infusion_at=CANARY),
    a_request(patient={"id": CANARY * 30}),
    a_request(facts=CANARY),
    *(
        a_request(with_={fact: bad})
        for fact, bad in itertools.product(
            ("sex", "birth_date", "dose_number", "temperature", "reactions", "hbsag"),
            (CANARY, [CANARY], {"value": CANARY}, {"value": CANARY, "unit": CANARY, "at": CANARY}),
        )
    ),
    a_request(with_={"reactions": [{"substance": CANARY, "severity": CANARY}]}),
    a_request(with_={"vaccinations": [{"cvx": CANARY, "on": CANARY}]}),
    a_request(with_={"hbsag": {"value": "negative", "status": CANARY}}),
    f'{{"patient": {CANARY}'.encode(),
    f'{{"patient": "{CANARY}", "facts": NaN}}'.encode(),
    CANARY.encode("utf-16"),
]


@pytest.mark.any_database
@pytest.mark.parametrize("document", BAD, ids=map(str, range(len(BAD))))
def test_a_refused_value_is_not_repeated(log, client, document):
    response = post(client, document)
    assert response.status_code in (400, 422)
    assert CANARY not in response.text
    assert CANARY not in log.text
    assert CANARY not in client.get("/metrics").text


@pytest.mark.any_database
@pytest.mark.parametrize(
    "address",
    [f"/{CANARY}", f"/api/v1/drugs/{CANARY}", f"{CHECKLISTS}/{CANARY}", f"/api/v1/drugs?id={CANARY}#x"],
)
def test_an_address_is_not_repeated(log, client, address):
    response = client.get(address)
    assert CANARY not in response.text + str(response.headers)
    assert CANARY not in log.text
    assert CANARY not in client.get("/metrics").text


@pytest.mark.usefixtures("own_database_url")
def test_a_store_that_fails_tells_nothing_of_what_it_should_keep(log, client, sql):
    refuse_rows(sql, "contents")
    response = post(client, canaries())

    assert is_problem(response, 503)
    assert CANARY not in response.text
    assert "store_failed" in log.text
    assert CANARY not in log.text


@pytest.mark.any_database
def test_a_fault_of_the_engine_is_logged_without_the_patient(log, client, monkeypatch):
    def fail(self, values):
        raise RuntimeError(CANARY)

    monkeypatch.setattr("service.checklist.engine.Engine.decide", fail)
    response = post(client, canaries())

    assert response.json["status"] == "block"
    assert [told["checklist"] for told in logged(log, "checklist_held_by_fault")] == [response.json["id"]]
    assert CANARY not in log.text
