"""Finding, exporting and counting checklists over HTTP: who may, what is refused, and what is recorded."""

import csv
import io
import json

import pytest
from marshmallow import RAISE

from service.access.roles import Permission, Role
from service.api.finding_schemas import HitsSchema, QualitySchema
from tests.api.conftest import with_key
from tests.api.sending import CHECKLISTS, JSON, a_request, is_problem, paths, post
from tests.people import PIN, signed_in

SEARCH, EXPORT, QUALITY = f"{CHECKLISTS}/search", f"{CHECKLISTS}/export", "/api/v1/quality"
CANARY = "CANARY7361"
UNDECIDED = {"rule": "hbv-active", "check": "hepatitis_b", "verdict": "undecided", "status": "block"}


def find(client, address=SEARCH, **asked):
    return client.post(address, data=json.dumps(asked), content_type=JSON)


def test_a_checklist_that_was_made_is_found_as_documented(client):
    made = post(client, a_request(without=["hbsag"])).json
    post(client, a_request(patient={"id": "MRN-2"}))
    found = find(client, patient="MRN-1001", drug="UPLIZNA", rule="hbv-active", outcome="none")

    assert HitsSchema(unknown=RAISE).validate(found.json) == {}
    [hit] = found.json["checklists"]
    assert (hit["id"], hit["status"], hit["infusion_at"]) == (made["id"], "block", made["infusion_at"])
    assert UNDECIDED in hit["flags"]
    assert found.json["cursor"] is None


@pytest.mark.any_database
def test_pages_follow_each_other(client):
    ids = {post(client).json["id"] for _ in range(3)}
    first = find(client, limit=2).json
    second = find(client, limit=2, cursor=first["cursor"]).json
    assert {hit["id"] for hit in first["checklists"] + second["checklists"]} == ids
    assert second["cursor"] is None
    assert paths(find(client, limit=2, cursor=first["cursor"], drug="inebilizumab")) == ["cursor"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"drug": "inebilizumap"}, ["drug"]),
        ({"drug": "inebilizumab "}, []),
        ({"status": "PASS"}, ["status"]),
        ({"from": "2026-01-01T00:00:00", "infusion_to": "2026-01-01"}, ["from", "infusion_to"]),
        ({"from": "2026-01-01T01:00:00+01:00", "to": "2026-01-01T00:00:00Z"}, ["to"]),
        ({"verdict": "ruled_out", "answered": "yes"}, ["answered", "verdict"]),
        ({"superseded": "true"}, ["superseded"]),
        ({"patient": None}, ["patient"]),
        ({"patient": "MRN\0-1"}, ["patient"]),
        ({"pateint": "MRN-1"}, ["pateint"]),
        ({"limit": 0}, ["limit"]),
        ({"limit": 201}, ["limit"]),
        ({"limit": "5"}, ["limit"]),
        ({"cursor": "x" * 500}, ["cursor"]),
    ],
)
def test_a_bad_filter_is_named_by_its_path(client, asked, wrong):
    response = find(client, **asked)
    if wrong:
        assert is_problem(response, 422)
        assert paths(response) == wrong
    else:
        assert response.status_code == 200


@pytest.mark.any_database
def test_a_look_alike_is_refused_with_what_it_looks_like_everywhere(client):
    for response in (
        find(client, drug="inebilizumap"),
        find(client, EXPORT, drug="inebilizumap"),
        client.get(QUALITY, query_string={"drug": "inebilizumap"}),
    ):
        assert is_problem(response, 422)
        assert "inebilizumab (Uplizna" in response.json["errors"][0]["message"]


def test_an_export_is_streamed_and_holds_result_and_trace_byte_for_byte(client, sql):
    made = post(client, a_request(without=["hbsag"]))
    trace = client.get(f"{made.headers['Location']}/trace")
    whole = find(client, EXPORT)
    assert (whole.status_code, whole.mimetype, whole.is_streamed) == (200, "application/x-ndjson", True)
    assert whole.headers["Content-Disposition"] == 'attachment; filename="checklists.ndjson"'
    [line] = whole.data.splitlines()
    assert b',"result":%s,"trace":%s}' % (made.data, trace.data) in line

    table = find(client, EXPORT, format="csv", status="block")
    assert table.content_type == "text/csv; charset=utf-8"
    lines = table.text.splitlines()
    assert len(lines) == 1 + len(made.json["findings"])
    assert lines[1].split(",")[7:11] == ["hepatitis_b", "hbv-active", "undecided", "block"]
    assert sql("SELECT count(*) FROM journal WHERE event = 'checklists.exported'") == [(2,)]


def test_what_people_did_at_a_visit_is_found_exported_and_counted(app, client):
    nina, paul = signed_in(app, Role.NURSE, "nina"), signed_in(app, Role.PRESCRIBER, "paul")
    made = post(nina, a_request(with_={"active_infection": "serious"}))
    finding = {"check": "infection", "rule": "infection-active"}
    why = {"reason": "risk-benefit-ratio", "comment": "=Treated, and afebrile for 48 h."}
    address = made.headers["Location"]
    assert paul.post(f"{address}/overrides", json={**finding, **why, "secret": PIN}).status_code == 201
    held = {"outcome": "held", "reason": "patient-unwell", "comment": "Sent home."}
    assert nina.post(f"{address}/outcomes", json=held).status_code == 201
    post(client)

    asked = {**finding, "answered": "overridden", "reason": "risk-benefit-ratio", "outcome": "held"}
    [hit] = find(client, **asked, actor="user:nina").json["checklists"]
    assert hit["id"] == made.json["id"]
    rows = csv.DictReader(io.StringIO(find(client, EXPORT, format="csv", **asked).text))
    [row] = [row for row in rows if row["rule"] == "infection-active"]
    assert (row["answered_by"], row["reason"], row["comment"]) == (
        "user:paul",
        why["reason"],
        f"'{why['comment']}",
    )
    exported = json.loads(find(client, EXPORT, **asked).data)
    assert (exported["outcome"]["outcome"], exported["outcome"]["comment"]) == ("held", "Sent home.")
    worst = client.get(QUALITY).json["rules"][0]
    assert (worst["rule"], worst["overridden"], worst["reasons"]) == (
        "infection-active",
        1,
        {"risk-benefit-ratio": 1},
    )


@pytest.mark.any_database
def test_the_figures_are_as_documented(client, sql):
    post(client, a_request(without=["hbsag"]))
    figures = client.get(QUALITY, query_string={"drug": "Uplizna", "to": "2027-01-01T00:00:00+00:00"})
    assert QualitySchema(unknown=RAISE).validate(figures.json) == {}
    [rule] = [each for each in figures.json["rules"] if each["rule"] == "hbv-active"]
    assert (rule["evaluated"], rule["fired"], rule["undecided"], rule["unanswered"]) == (1, 0, 1, 1)
    assert sql("SELECT count(*) FROM journal WHERE event = 'quality.viewed'") == [(1,)]
    for bad in ({"from": "2026-01-01"}, {"to": "2020-01-01T00:00:00Z", "from": "2020-01-01T00:00:00Z"}):
        assert is_problem(client.get(QUALITY, query_string=bad), 422)
    assert paths(client.get(QUALITY, query_string={"patient": "x"})) == ["patient"]


@pytest.mark.any_database
def test_who_may_find_export_and_count(app):
    for role in Role:
        person = signed_in(app, role)
        allowed = [
            each.status_code == 200 for each in (find(person), find(person, EXPORT), person.get(QUALITY))
        ]
        assert allowed == [
            role is not Role.ADMIN,
            role is Role.AUDITOR,
            role in (Role.PHARMACIST, Role.AUDITOR),
        ], role
    machine = with_key(app, [Permission.CHECKLIST_SEARCH])
    assert find(machine).status_code == 200
    assert is_problem(find(machine, EXPORT), 403)


def test_what_was_looked_for_is_in_no_log_journal_or_address(client, sql, caplog):
    caplog.set_level("INFO")
    assert find(client, patient=CANARY, actor=CANARY, rule=CANARY).status_code == 200
    assert find(client, EXPORT, patient=CANARY).status_code == 200
    assert find(client, patient=[CANARY], status=CANARY, cursor=CANARY).status_code == 422
    assert CANARY not in caplog.text
    assert CANARY not in str(sql("SELECT * FROM journal"))
    assert CANARY not in client.get("/metrics").text
    assert [patient for (patient,) in sql("SELECT patient FROM remarks")] == [CANARY, CANARY]
