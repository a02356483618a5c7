"""Drafts over HTTP: what a nurse has entered outlives a lock, a reload, and a change of nurse."""

import json
import uuid
from datetime import timedelta

import pytest
from marshmallow import RAISE

from service.api.drafts import DraftKeptSchema, DraftsSchema
from tests.api.conftest import NOW
from tests.api.sending import JSON, is_problem, paths
from tests.people import signed_in

DRAFTS = "/api/v1/drafts"
BODY = b'{"drug": "inebilizumab", "patient": {"id": "MRN-1001"}, "facts": {"igg": 8.80, "note": "\\u00b5"}}'


def keep(client, id, body=BODY):
    return client.put(f"{DRAFTS}/{id}", data=body, content_type=JSON)


def search(client, patient="MRN-1001"):
    return client.post(f"{DRAFTS}/search", json={"patient": {"id": patient}})


@pytest.fixture
def new_id():
    return str(uuid.uuid4())


@pytest.fixture
def clock():
    """A clock that a test may set."""

    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def app(new_app, clock):
    return new_app(clock=clock)


def test_a_draft_is_given_back_to_the_next_nurse_as_it_was_sent(app, clock, new_id, sql):
    nina, omar = (signed_in(app, "nurse", name) for name in ("nina", "omar"))
    kept = keep(nina, new_id)
    assert (kept.status_code, DraftKeptSchema(unknown=RAISE).validate(kept.json)) == (201, {})

    found = omar.get(f"{DRAFTS}/{new_id}")
    assert found.data.endswith(b',"draft":' + BODY + b"}")
    assert found.json["kept_by"] == "user:nina"
    assert found.json["kept_at"] == "2026-10-06T18:00:00.123456Z"

    clock.now += timedelta(minutes=1)
    changed = keep(omar, new_id, b"\xef\xbb\xbf" + BODY.replace(b"8.80", b"8.75"))
    assert (changed.status_code, changed.json["kept_by"]) == (200, "user:omar")
    again = nina.get(f"{DRAFTS}/{new_id}").json
    assert (again["draft"]["facts"]["igg"], again["kept_at"]) == (8.75, "2026-10-06T18:01:00.123456Z")

    assert nina.delete(f"{DRAFTS}/{new_id}").status_code == 204
    assert is_problem(nina.get(f"{DRAFTS}/{new_id}"), 404)
    assert is_problem(nina.delete(f"{DRAFTS}/{new_id}"), 404)
    rows = sql("SELECT event, actor FROM journal WHERE subject = ? ORDER BY sequence", new_id)
    assert [tuple(row) for row in rows] == [
        ("draft.kept", "user:nina"),
        ("draft.viewed", "user:omar"),
        ("draft.kept", "user:omar"),
        ("draft.viewed", "user:nina"),
        ("draft.discarded", "user:nina"),
    ]


def test_drafts_are_found_by_patient_and_the_journal_tells_nothing_of_them(app, clock, new_id, sql):
    nina = signed_in(app, "nurse", "nina")
    other = str(uuid.uuid4())
    keep(nina, new_id)
    clock.now += timedelta(seconds=1)
    keep(nina, other)
    keep(nina, str(uuid.uuid4()), BODY.replace(b"MRN-1001", b"MRN-2"))
    keep(nina, str(uuid.uuid4()), b'{"patient": {}}')

    found = search(nina)
    assert DraftsSchema(unknown=RAISE).validate(found.json) == {}
    assert [each["id"] for each in found.json["drafts"]] == [other, new_id]
    assert search(nina, "MRN-3").json == {"drafts": []}
    journal = json.dumps([list(map(str, row)) for row in sql("SELECT * FROM journal")])
    assert "MRN" not in journal
    assert "igg" not in journal
    assert journal.count("drafts.searched") == 2


@pytest.mark.any_database
def test_a_draft_outlives_the_lock_of_its_session(app, clock, new_id):
    nina = signed_in(app, "nurse", "nina")
    keep(nina, new_id)
    clock.now += timedelta(minutes=6)
    assert is_problem(nina.get(f"{DRAFTS}/{new_id}"), 401)
    nina.post("/api/v1/session/unlock", json={"secret": "271828"})
    assert nina.get(f"{DRAFTS}/{new_id}").status_code == 200


@pytest.mark.any_database
def test_a_draft_is_any_json_object_of_at_most_256_kib(app, new_id, sql):
    nina = signed_in(app, "nurse", "nina")
    fits = b'{"x": "' + (256 * 1024 - 9) * b"x" + b'"}'
    assert keep(nina, new_id, fits).status_code == 201
    assert nina.get(f"{DRAFTS}/{new_id}").json["draft"]["x"]
    refused = {
        b"x" + fits: 413,
        b"{": 400,
        b'{"a": 1, "a": 2}': 422,
        b'{"a": NaN}': 422,
        b'{"a": 1e999}': 422,
        b"[]": 422,
        b'{"patient": "MRN-1001"}': 422,
        b'{"patient": {"id": 1001}}': 422,
        b'{"patient": {"id": "\\u0000"}}': 422,
        b'{"patient": {"id": "\\ud800"}}': 422,
    }
    for body, status in refused.items():
        assert is_problem(keep(nina, new_id, body), status), body[:30]
    assert paths(keep(nina, new_id, b'{"patient": {"id": 1001}}')) == ["patient.id"]
    assert is_problem(nina.put(f"{DRAFTS}/{new_id}", data=b"{}", content_type="text/plain"), 415)
    assert sql("SELECT count(*) FROM journal WHERE event = 'draft.kept'") == [(1,)]


@pytest.mark.any_database
def test_an_auditor_sees_no_drafts_and_a_draft_of_another_site_is_not_there(app, new_id, sql):
    nina, auditor = signed_in(app, "nurse", "nina"), signed_in(app, "auditor")
    keep(nina, new_id)
    for response in (auditor.get(f"{DRAFTS}/{new_id}"), search(auditor), keep(auditor, new_id)):
        assert is_problem(response, 403)
    sql("UPDATE drafts SET site = 'another'")
    assert is_problem(nina.get(f"{DRAFTS}/{new_id}"), 404)
    assert is_problem(keep(nina, new_id), 404)
    assert is_problem(nina.delete(f"{DRAFTS}/{new_id}"), 404)
    assert search(nina).json == {"drafts": []}
