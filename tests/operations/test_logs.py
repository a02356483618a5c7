"""What is logged: known fields in known shapes, one line a request, and of no patient anything at all."""

import json
import logging
import uuid
from dataclasses import replace

import pytest
import structlog

from service import logs
from service.access.roles import Role
from tests.api.sending import CHECKLISTS, a_request, post
from tests.api.test_privacy import CANARY, canaries
from tests.cli.command import run
from tests.databases import refuse_rows
from tests.ehr.an_ehr import PUBLIC_URL
from tests.ehr.calls import an_ehr, looked_for, patient, request
from tests.logged import on_standard_error
from tests.people import PASSWORD, browser, signed_in
from tests.webhooks import receiver as answers
from tests.webhooks.incoming.an_ehr import Ehr, message

pytestmark = pytest.mark.any_database
REQUEST = {"at", "level", "event", "request", "method", "route", "status", "ms"}


@pytest.fixture
def settings(settings, receiver):
    return replace(settings, public_url=PUBLIC_URL, private_hosts=frozenset({receiver.host}))


@pytest.fixture
def lines(capsys):
    """What the service writes to standard error, with all that its libraries say of themselves."""
    with on_standard_error():
        yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def of_named(said, name):
    return [line for line in said if line["event"] == name]


def test_a_request_is_one_line_that_says_how_it_went_and_never_whom_it_was_about(app, client, lines):
    made = post(client, canaries())
    client.get(made.headers["Location"])
    browser(app).get(f"/{CANARY}?patient={CANARY}")
    nina = signed_in(app, Role.NURSE)
    nina.get("/today")

    first, second, third, fourth = of_named(lines(), "request")
    assert set(first) == REQUEST | {"kind", "key", "checklists"}
    assert (first["method"], first["route"], first["status"]) == ("POST", CHECKLISTS, 201)
    assert first["checklists"] == ["inebilizumab pass"] and first["kind"] == "key"
    assert first["request"] == made.headers["X-Request-Id"]
    assert 0 < first["ms"] < 60_000
    assert second["route"] == f"{CHECKLISTS}/{{checklist_id}}" and "checklists" not in second
    assert set(third) == REQUEST and third["route"] == "unmatched" and third["status"] == 404
    assert (fourth["kind"], fourth["account"]) == ("nurse", nina.account.id)


def test_what_is_not_listed_or_has_another_shape_is_left_out_and_the_line_says_so(lines, monkeypatch):
    log = structlog.get_logger("dosegate")
    with pytest.raises(logs.NotForTheLog, match="patient of request"):
        log.info("request", patient="MRN-1", status=200)
    monkeypatch.setattr(logs, "drops", True)
    log.info("request", patient="MRN-1", status="MRN-2", route="/drugs/MRN-3", ms=3)
    log.info("patient MRN-4 was here")
    first, second = lines()
    assert first["dropped"] == ["patient", "route", "status"] and first["ms"] == 3
    assert (second["event"], second["dropped"]) == ("unnamed", ["event"])
    assert "MRN" not in str((first, second))


def test_of_a_library_it_is_said_who_and_where_and_never_what(lines):
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("sqlalchemy.pool").exception("lost %s", CANARY)
    logging.getLogger("gunicorn.error").error("Worker (pid:%s) was sent %s!", 7, "SIGKILL")
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/{CANARY}")
    first, second, third = lines()
    assert (first["library"], first["error"]) == ("sqlalchemy.pool", "ValueError")
    assert first["place"].startswith("test_logs:")
    assert second["reason"] == "Worker (pid:7) was sent SIGKILL!"
    assert CANARY not in str((first, second, third))


def asked_of_everything(*, app, client, act, clock, courier, receiver):
    """Answers to requests of every kind, each with a canary wherever somebody could put one."""
    nina, stranger = signed_in(app, Role.NURSE), browser(app)
    made = post(client, canaries(), idempotency_key=f"{CANARY}-key")
    address = made.headers["Location"]
    yield from (made, post(client, canaries(), idempotency_key=f"{CANARY}-key"))
    yield from (client.get(address), client.get(f"{address}/trace"), client.post(f"{address}/replay"))
    yield from (
        post(client, a_request(drug=CANARY)),
        post(client, CANARY.encode()),
        post(client, {CANARY: CANARY}),
    )
    yield client.post(f"{CHECKLISTS}/search", json={"patient": f"{CANARY}-patient"})
    yield client.post(f"{CHECKLISTS}/{uuid.uuid4()}/overrides", json={"comment": CANARY})
    for page in (f"/find?patient={CANARY}", f"/drugs/{CANARY}", f"/today?day={CANARY}", "/checklists/new"):
        yield nina.get(page)
    visit = address.removeprefix("/api/v1")
    yield nina.get(visit)
    yield nina.post(f"{visit}/attestations", data={"comment": CANARY})
    yield nina.get(f"{visit}/print", headers={"Referer": f"https://x/{CANARY}", "User-Agent": CANARY})
    for name, password in ((CANARY, CANARY), (nina.account.name, f"{PASSWORD}{CANARY}")):
        yield stranger.post("/sign-in", data={"name": name, "password": password})
        yield stranger.post("/api/v1/session", json={"name": name, "password": password})
    yield stranger.get(f"/{CANARY}", headers={"Authorization": f"Bearer dosegate_{CANARY}"})
    ehr = an_ehr(app, act)
    named = patient(name=[{"family": CANARY}], identifier=[{"value": CANARY}])
    yield ehr.call(
        request("order-sign", {"draftOrders": {"resourceType": "Bundle", "entry": []}}, prefetch={})
    )
    yield ehr.call(request("order-sign", {"draftOrders": CANARY}, prefetch=looked_for(patient=named)))
    yield stranger.post("/cds-services/infusion", json={"hook": CANARY})
    sender = Ehr(app, clock)
    yield sender.send(message(at=clock(), patient={"id": CANARY}, reference=CANARY))
    yield sender.send(message(at=clock(), patient={"id": CANARY}, facts={"sex": CANARY}))
    yield sender.send(message(at=clock()), webhook_signature=f"v1,{CANARY}")
    receiver.mode = answers.BROKEN
    courier.drain()


@pytest.mark.usefixtures("own_database_url", "endpoint")
def test_no_canary_comes_out_of_any_kind_of_request(
    *, app, client, act, clock, courier, receiver, lines, sql, monkeypatch, settings
):
    everything = {"act": act, "clock": clock, "courier": courier, "receiver": receiver}
    answered = [*asked_of_everything(app=app, client=client, **everything)]

    def fail(*_args, **_options):
        raise RuntimeError(CANARY) from ValueError(CANARY)

    with monkeypatch.context() as broken:
        broken.setattr("service.records.making.answer_to", fail)
        answered.append(post(client, canaries()))
    with monkeypatch.context() as broken:
        broken.setattr("service.checklist.engine.Engine.decide", fail)
        answered.append(post(client, canaries()))
    delivered = run(
        "deliver",
        "--once",
        env={
            "DOSEGATE_DATABASE_URL": settings.database,
            "DOSEGATE_SIGNING_KEYS": str(settings.keys),
            "DOSEGATE_PRIVATE_HOSTS": receiver.host,
        },
    )
    assert delivered.exit_code == 0, delivered.output
    refuse_rows(sql, "contents")
    answered.append(post(client, canaries()))

    said = lines()
    assert len(of_named(said, "request")) == len(answered)
    assert {"store_failed", "unforeseen", "checklist_held_by_fault", "webhook_not_believed"} <= {
        line["event"] for line in said
    }
    assert CANARY not in json.dumps(said) + delivered.output
    assert CANARY not in client.get("/metrics").text
    assert not any(CANARY in str(response.headers) for response in answered if response.status_code != 303)
    assert not any("dropped" in line for line in said)
    assert {response.status_code for response in answered} >= {200, 201, 202, 401, 404, 422, 500, 503}
