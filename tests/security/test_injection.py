"""Text that would be an instruction to somebody: to a database, a browser, a log, a spreadsheet."""

import html
import json
import re

import pytest

from service.access.roles import SCOPES, Role
from tests.access.test_guard import with_key
from tests.api.sending import CHECKLISTS, a_request, post
from tests.logged import on_standard_error
from tests.people import signed_in

pytestmark = pytest.mark.any_database
SQL = [
    "' OR '1'='1",
    "'; DROP TABLE drafts; --",
    '" OR ""="',
    "%",
    "_",
    "x' UNION SELECT token FROM sessions --",
]
MARKUP = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'{{7*7}}{% include "x" %}'
PATIENT = f"MRN {MARKUP}"[:200]
TEXT = "between the two lines\r\nX-Injected: yes"


@pytest.mark.parametrize("text", SQL)
def test_a_text_that_is_sql_finds_nothing_and_changes_nothing(app, act, sql, text):
    key, nurse = with_key(app, act, SCOPES), signed_in(app, Role.NURSE)
    assert post(key).status_code == 201
    before = sql("SELECT count(*) FROM checklists")
    asked = [
        key.post(f"{CHECKLISTS}/search", json={"patient": text}),
        key.post(f"{CHECKLISTS}/search", json={"actor": text}),
        key.post(f"{CHECKLISTS}/search", json={"rule": text, "check": text, "reason": text}),
        key.post(f"{CHECKLISTS}/search", json={"drug": text}),
        key.post(f"{CHECKLISTS}/search", json={"cursor": text}),
        nurse.post("/api/v1/drafts/search", json={"patient": {"id": text}}),
        key.post("/api/v1/infusions/search", json={"patient": {"id": text}}),
        key.get("/api/v1/journal", query_string={"after": text}),
        key.get("/api/v1/journal", query_string={"actor": text, "event": text, "subject": text}),
        key.get("/api/v1/quality", query_string={"drug": text, "from": text}),
        key.get("/api/v1/infusions", query_string={"day": text}),
        key.get("/api/v1/webhooks/deliveries", query_string={"endpoint": text, "state": text}),
        key.get("/api/v1/drugs/" + text.replace("/", "")),
        app.test_client().post("/api/v1/session", json={"name": text, "password": text}),
        app.test_client().get("/api/v1/drugs", headers={"Authorization": f"Bearer {text}"}),
        app.test_client().get("/api/v1/drugs", headers={"Cookie": f"__Host-dosegate={text}"}),
    ]
    for response in asked:
        assert response.status_code < 500, response.text
        assert "inebilizumab" not in json.dumps((response.json or {}).get("checklists", [])), response.text
    assert sql("SELECT count(*) FROM checklists") == before
    assert sql("SELECT count(*) FROM drafts") == [(0,)]


def test_markup_in_what_is_known_of_a_patient_is_text_on_every_page(app, act):
    nurse, auditor = signed_in(app, Role.NURSE), signed_in(app, Role.AUDITOR)
    key = with_key(app, act, SCOPES)
    hostile = {"value": "negative", "at": "2026-09-20", "source": PATIENT}
    made = post(key, a_request(patient={"id": PATIENT}, with_={"hbsag": hostile}))
    assert made.status_code == 201, made.json
    id = made.json["id"]
    correction = {"id": id, "reason": PATIENT}
    again = post(key, a_request(patient={"id": PATIENT}, with_={"hbsag": hostile}, supersedes=correction))
    assert again.status_code == 201, again.json
    going_on = {"form_key": _key(nurse)}
    draft = nurse.post(f"/checklists/{again.json['id']}/continue", data=going_on, follow_redirects=True)
    pages = [
        nurse.get(f"/checklists/{each}{part}") for each in (id, again.json["id"]) for part in ("", "/print")
    ]
    pages += [auditor.get(f"/checklists/{id}/trace"), draft, nurse.get("/today")]
    shown = 0
    for page in pages:
        assert page.status_code == 200, page.text[:500]
        assert "<script>alert" not in page.text
        assert "onerror=alert(2)>" not in page.text
        shown += html.escape("<script>alert(1)") in page.text
    assert shown >= 4


@pytest.mark.parametrize("name", ["Idempotency-Key", "X-Request-Id", "Accept-Language", "HX-Current-URL"])
def test_no_header_of_a_request_becomes_one_of_the_answer(app, act, name):
    key = with_key(app, act, SCOPES)
    response = post(key, None, **{name.replace("-", "_"): TEXT.replace("\r\n", "%0d%0a")})
    assert "Injected" not in str(response.headers)
    assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


def test_a_line_in_a_name_is_no_line_of_the_log_and_no_header_of_a_download(app, act, capsys):
    key, auditor = with_key(app, act, SCOPES), signed_in(app, Role.AUDITOR)
    with on_standard_error():
        for text in ('x\n{"event": "forged"}', "x\r\nX-Injected: yes", "\x1b[31mred"):
            key.get("/api/v1/drugs/" + text)
            app.test_client().post("/api/v1/session", json={"name": text, "password": text})
            post(key, a_request(patient={"id": text}))
        exported = auditor.post("/find/export", data={"form_key": _key(auditor), "form": "csv"})
    assert "Injected" not in str(exported.headers)
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events.count("request") > 9
    assert "forged" not in events


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "..%2f..%2fapp.py",
        "....//app.py",
        "%2e%2e/%2e%2e/settings.py",
        "/etc/passwd",
        "a/../../x",
        "\\..\\x",
    ],
)
def test_no_file_is_served_but_those_that_are_ours(app, name):
    client = signed_in(app, Role.NURSE)
    for before in ("/static/0123456789abcdef/", "/api/v1/static/"):
        with client.get(before + name) as response:
            assert response.status_code == 404, before + name


def _key(client):
    return re.search(r'name="form_key" value="([^"]*)"', client.get("/account").text)[1]
