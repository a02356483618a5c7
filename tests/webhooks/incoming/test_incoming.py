"""What is let in and understood of a message, and what is refused: nothing of a refused one is kept."""

import ast
import base64
import hashlib
import hmac
import json
import logging
import re
import threading
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from werkzeug.serving import make_server

from service.app import create_app
from service.intake.json_text import MOST_BYTES
from service.webhooks.incoming import message_of
from tests.api.sending import a_request, body_of, is_problem, paths
from tests.builders import ROOT, shipped
from tests.databases import refuse_rows
from tests.webhooks.incoming.an_ehr import ADDRESS, NOW, SETUP, message, signed

CANARY = "CANARY7361"
ROWS = ("infusions", "messages", "checklists", "contents", "remarks")


@pytest.fixture
def nothing_is_kept(sql):
    """Fails at the end where anything was kept of a message."""
    yield
    counts = {table: sql(f"SELECT count(*) FROM {table}")[0][0] for table in ROWS}
    assert counts == dict.fromkeys(ROWS, 0)


def is_let_in(response):
    return response.status_code == 202


def is_refused(response):
    assert (response.status_code, response.data) == (401, b"")
    assert "Content-Type" not in response.headers
    assert response.headers["WWW-Authenticate"] == "webhook-signature"
    return True


# The signature


BAD_HEADERS = [
    *({f"webhook_{each}": None} for each in ("id", "timestamp", "signature")),
    *({f"webhook_{each}": ""} for each in ("id", "timestamp", "signature")),
    {"webhook_id": "another"},
    {"webhook_id": "a.b"},
    {"webhook_id": "x" * 256},
    {"webhook_timestamp": str(int(NOW.timestamp()) + 1)},
    {"webhook_timestamp": f"{NOW.timestamp()}"},
    {"webhook_timestamp": "9" * 400},
    {"webhook_timestamp": "-1"},
    {"webhook_timestamp": NOW.isoformat()},
    {"webhook_signature": "v1,"},
    {"webhook_signature": "v1"},
    {"webhook_signature": f"v1,{base64.b64encode(bytes(32)).decode()}"},
    {"webhook_signature": "v1,!!!"},
    {"webhook_signature": "\xe9"},
]


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
@pytest.mark.parametrize("headers", BAD_HEADERS, ids=str)
def test_a_bad_or_missing_header_is_refused_and_nothing_is_said(ehr, headers, caplog, journaled):
    caplog.set_level(logging.WARNING, "dosegate")
    before = journaled()
    assert is_refused(ehr.send(message(patient={"id": CANARY}), "msg_1", **headers))
    assert "webhook_not_believed" in caplog.text
    assert CANARY not in caplog.text
    assert journaled() == before


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
def test_no_other_secret_version_or_body_is_good(ehr, app):
    body, id = body_of(message()), "msg_1"
    assert is_refused(ehr.send(message(), secret=f"whsec_{base64.b64encode(bytes(32)).decode()}"))
    good = signed(ehr.secret, id, NOW, body)
    digest = good["webhook-signature"].removeprefix("v1,")
    post = app.test_client().post
    for signature in (f"v1a,{digest}", f"v2,{digest}", digest, f"v1,{digest[:-4]}", f"v1,{digest}x"):
        sent = {**good, "webhook-signature": signature}
        assert is_refused(post(ADDRESS, data=body, content_type="application/json", headers=sent)), signature
    for other in (body + b" ", body[:-1], b"", body.replace(b"MRN-1001", b"MRN-1002")):
        assert is_refused(post(ADDRESS, data=other, content_type="application/json", headers=good))
    # The raw secret, as text, is no key either.
    text = hmac.new(ehr.secret.encode(), b"%b.%d.%b" % (id.encode(), NOW.timestamp(), body), hashlib.sha256)
    sent = {**good, "webhook-signature": f"v1,{base64.b64encode(text.digest()).decode()}"}
    assert is_refused(post(ADDRESS, data=body, content_type="application/json", headers=sent))


@pytest.mark.any_database
def test_one_good_signature_of_several_is_enough(ehr):
    body = body_of(message())
    good = signed(ehr.secret, "msg_1", NOW, body)["webhook-signature"]
    other = f"v1,{base64.b64encode(bytes(32)).decode()}"
    assert is_let_in(ehr.send(body, "msg_1", webhook_signature=f"{other} v1a,x {good}"))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("off", "good"),
    [(-301, False), (-300, True), (0, True), (300, True), (302, False), (-86400, False), (86400, False)],
)
def test_a_message_that_was_signed_long_ago_or_ahead_of_now_is_refused(ehr, clock, off, good):
    clock.now = NOW.replace(microsecond=0)
    response = ehr.send(message(), at=clock.now + timedelta(seconds=off))
    assert is_let_in(response) if good else is_refused(response)


def test_what_somebody_recorded_and_sends_again_later_is_refused(ehr, app, clock, sql):
    body = body_of(message())
    headers = signed(ehr.secret, "msg_1", clock(), body)

    def send():
        return app.test_client().post(ADDRESS, data=body, content_type="application/json", headers=headers)

    assert is_let_in(send())
    clock.pass_by(minutes=4)
    assert send().headers["Idempotent-Replayed"] == "true"  # within the time, it changes nothing
    clock.pass_by(minutes=2)
    assert is_refused(send())
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
def test_a_session_a_key_or_nobody_is_not_let_in(app, client):
    body = body_of(message())
    assert is_refused(client.post(ADDRESS, data=body, content_type="application/json"))
    assert is_refused(app.test_client().post(ADDRESS))
    assert app.test_client().get(ADDRESS).status_code == 405


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
def test_where_there_is_no_sender_nobody_is_let_in(app):
    body = body_of(message())
    headers = signed("whsec_AAAA", "msg_1", NOW, body)
    response = app.test_client().post(ADDRESS, data=body, content_type="application/json", headers=headers)
    assert is_refused(response)


# The message


def changed(where, value):
    """A message with one thing in it otherwise, or left out where that is None; `where` is a path."""
    document = json.loads(body_of(message()))
    *above, last = where.split(".")
    place = document
    for name in above:
        place = place[name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


BAD = [
    ([], [""]),
    ("x", [""]),
    ({}, ["data", "timestamp", "type"]),
    (changed("type", None), ["type"]),
    (changed("type", "infusion.started"), ["type"]),
    (changed("type", 7), ["type"]),
    (changed("timestamp", None), ["timestamp"]),
    (changed("timestamp", "2026-10-06T09:00:00"), ["timestamp"]),
    (changed("timestamp", "yesterday"), ["timestamp"]),
    (changed("timestamp", 1780000000), ["timestamp"]),
    (changed("timestamp", "2026-10-06T09:06:00Z"), ["timestamp"]),  # it would outdo all that come after it
    (changed("data", None), ["data"]),
    (changed("data", []), ["data"]),
    *((changed(f"data.{name}", None), [f"data.{name}"]) for name in ("infusion", "drug", "infusion_at")),
    (changed("data.patient", None), ["data.patient"]),
    (changed("data.patient", {}), ["data.patient.id"]),
    (changed("data.patient", {"id": "1", "name": "x"}), ["data.patient.name"]),
    (changed("data.patient.id", " "), ["data.patient.id"]),
    (changed("data.patient.id", "\0"), ["data.patient.id"]),
    (changed("data.infusion", ""), ["data.infusion"]),
    (changed("data.infusion", "x" * 201), ["data.infusion"]),
    (changed("data.infusion", 7), ["data.infusion"]),
    (changed("data.drug", "inebilizumap"), ["data.drug"]),
    (changed("data.region", "CH"), ["data.region"]),
    (changed("data.infusion_at", "2026-10-06"), ["data.infusion_at"]),
    (changed("data.infusion_at", "2026-10-06T13:00:00"), ["data.infusion_at"]),
    (changed("data.facts", []), ["data.facts"]),
    (changed("data.facts.hbsaag", "negative"), ["data.facts.hbsaag"]),
    (changed("data.facts.dose_number", "1"), ["data.facts.dose_number"]),
    (changed("data.facts.sex", True), ["data.facts.sex"]),
]


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
@pytest.mark.parametrize(("document", "wrong"), BAD, ids=lambda each: None)
def test_a_bad_field_is_named_by_its_path_and_nothing_is_kept(ehr, journaled, document, wrong):
    before = journaled()
    response = ehr.send(document)
    assert is_problem(response, 422)
    assert paths(response) == wrong
    assert journaled() == before


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"{'type': 1}", 400),
        (b'{"type": NaN}', 422),
        (b'{"type": "a", "type": "b"}', 422),
        (b"[" * 5000 + b"]" * 5000, 422),
        (b"null", 422),
        (b'{"data": ' + b"9" * 100 + b"}", 422),
        (b" " * (MOST_BYTES + 1), 413),
    ],
    ids=range(9),
)
def test_a_body_that_is_no_message_is_refused(ehr, body, status):
    response = ehr.send(body)
    assert is_problem(response, status)


@pytest.mark.any_database
@pytest.mark.usefixtures("nothing_is_kept")
@pytest.mark.parametrize("sent_as", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_said_to_be_json_is_refused(ehr, app, sent_as):
    body = body_of(message())
    headers = signed(ehr.secret, "msg_1", NOW, body)
    response = app.test_client().post(ADDRESS, data=body, content_type=sent_as, headers=headers)
    assert is_problem(response, 415)


def test_a_refused_message_does_not_use_up_its_id(ehr):
    assert ehr.send(message(drug="nothing"), "msg_1").status_code == 422
    assert is_let_in(ehr.send(message(), "msg_1"))


@pytest.mark.any_database
def test_what_others_send_too_is_passed_over(ehr):
    document = message(status="booked", chair={"room": 4}, requester="x", supersedes=7)
    assert is_let_in(ehr.send({**document, "id": "evt_1", "account": {"x": [1]}}))


@pytest.mark.any_database
def test_a_look_alike_drug_is_refused_with_its_near_matches_and_never_corrected(ehr):
    response = ehr.send(message(drug="inebilizumap"))
    assert "inebilizumab" in response.json["errors"][0]["message"]


@pytest.mark.any_database
def test_the_request_that_is_checked_is_what_of_the_data_asks_for_one():
    facts = '{ "temperature": {"value": 36.80, "unit": "Cel"},\n "igg" : {"value": 1E1, "unit": "g/L"} }'
    text = (
        '\ufeff { "timestamp" :"2026-10-06T09:00:00Z", "data":{"chair": {"data": {}}, '
        f'"patient": {{"id": "M, }}"}} , "facts": {facts}\t,"infusion":"A\\"", "drug": "UPLIZNA", '
        '"infusion_at": "2026-10-06T13:00:00-05:00"} , "type": "infusion.scheduled" } '
    )
    found = message_of(text.encode(), shipped(), NOW)
    assert (found.reference, found.drug, found.patient) == ('A"', "inebilizumab", "M, }")
    assert found.request == (
        b'{"drug":"UPLIZNA","facts":{"igg":{"unit":"g/L","value":10},"temperature":{"unit":"Cel","value":36.8}},'
        b'"infusion_at":"2026-10-06T13:00:00-05:00","patient":{"id":"M, }"}}'
    )


@pytest.mark.any_database
def test_the_request_that_is_kept_replays_identically_and_is_what_was_sent(ehr, client, sql):
    facts = a_request()["facts"]
    sent = body_of(message(facts={**facts, "weight": {"value": 70, "unit": "kg"}}))
    sent = sent.replace(b'"value": 70,', b'"value": 70.12345678901230,')
    assert b"01230" in sent
    made = ehr.send(sent).json["checklist"]
    [(request,)] = sql("SELECT request FROM contents")
    assert json.loads(request)["facts"]["weight"]["value"] == 70.1234567890123
    assert client.post(f"{made['link']}/replay").json["identical"] is True


@pytest.mark.any_database
def test_an_empty_object_in_the_data_is_a_request_too():
    text = b'{"type": "infusion.changed", "timestamp": "2026-10-06T09:00:00Z", "data": {"infusion": "A",'
    text += (
        b'"drug": "UPLIZNA", "infusion_at": "2026-10-06T13:00:00Z", "patient": {"id": "M"}, "facts": { }}}'
    )
    assert b'"facts":{}' in message_of(text, shipped(), NOW).request


@pytest.mark.any_database
def test_the_example_of_the_guide_is_taken(settings, monkeypatch, capsys):
    """By a service on a real socket, at the time that it is."""
    app = create_app(settings, shipped())
    _, secret = app.extensions["dosegate"].senders.add("ward", SETUP)
    guide = (ROOT / "docs" / "integration.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    [example] = [block for block in blocks if "webhooks/infusions" in block]
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    with closing(app.extensions["dosegate"].store.records), served(app) as port:
        exec(example.replace("127.0.0.1:8080", f"127.0.0.1:{port}"), {})
    status, answer = capsys.readouterr().out.split(" ", 1)
    assert status == "202"
    assert ast.literal_eval(answer)["checklist"]["status"] == "block"


@contextmanager
def served(app):
    """The application on a port of its own, until the end."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# Privacy


def canaries():
    """A message with a canary wherever a text of the site may stand."""
    source = {"value": "negative", "at": "2026-09-01", "source": f"{CANARY}-source"}
    facts = a_request(with_={"hbsag": source})["facts"]
    return message(patient={"id": f"{CANARY}-patient"}, reference=f"{CANARY}-reference", facts=facts)


@pytest.mark.parametrize("telling", ["scheduled", "changed", "cancelled"])
def test_nothing_of_the_patient_is_in_an_answer_a_log_a_metric_or_the_journal(
    ehr, client, caplog, journaled, telling
):
    caplog.set_level(logging.INFO)
    for number, type in enumerate(("scheduled", telling)):
        document = {**canaries(), "type": f"infusion.{type}"}
        for _ in range(2):
            response = ehr.send(document, f"msg_{CANARY}_{number}")
            assert response.status_code in (200, 202)
            assert CANARY not in response.text + str(response.headers)
    assert ehr.send({**canaries(), "timestamp": "2026-01-01T00:00:00Z"}).json["applied"] is False
    assert CANARY not in caplog.text
    assert CANARY not in client.get("/metrics").text
    assert CANARY not in str(journaled())


@pytest.mark.any_database
@pytest.mark.parametrize("where", ["type", "timestamp", "data.drug", "data.region", "data.infusion_at"])
def test_a_refused_value_is_not_repeated(ehr, client, caplog, where):
    caplog.set_level(logging.INFO)
    response = ehr.send(changed(where, CANARY))
    assert response.status_code == 422
    assert CANARY not in response.text + caplog.text + client.get("/metrics").text


@pytest.mark.usefixtures("own_database_url", "nothing_is_kept")
@pytest.mark.parametrize("table", ["infusions", "messages", "contents", "remarks"])
def test_records_that_fail_keep_nothing_and_tell_nothing(ehr, sql, caplog, table):
    caplog.set_level(logging.INFO)
    refuse_rows(sql, table)
    response = ehr.send(canaries())
    assert is_problem(response, 503)
    assert "store_failed" in caplog.text
    assert CANARY not in response.text + caplog.text
