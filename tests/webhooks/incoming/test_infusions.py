"""Infusions as a sender tells of them: taken once, in any order, together with their checklists."""

import json
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from marshmallow import RAISE

from service.access.roles import SCOPES
from service.api.infusion_schemas import TakenSchema
from service.app import create_app
from service.intake.json_text import MOST_BYTES
from service.records.erasure import HeldOtherwise, Reason, erase, held
from tests.api.conftest import with_key
from tests.api.sending import a_request, body_of, is_problem, paths, post
from tests.builders import shipped
from tests.records.test_database import separated  # noqa: F401  the roles of its databases
from tests.webhooks.incoming.an_ehr import NOW, SETUP, Clock, Ehr, message, send_all

TOLD = ("infusion.planned", "infusion.changed", "infusion.cancelled")
LATER = "2026-10-08T13:00:00-05:00"


def details_of(row):
    return row[3] if isinstance(row[3], dict) else json.loads(row[3])


@pytest.fixture
def kept(sql):
    """The one infusion that is kept: state, patient, drug, when."""

    def read():
        [row] = sql("SELECT state, patient, drug, infusion_at FROM infusions")
        return row

    return read


def test_a_scheduled_infusion_is_planned_and_checked_at_once(ehr, client, kept, journaled):
    response = ehr.send(message())
    assert response.status_code == 202
    assert TakenSchema(unknown=RAISE).validate(response.json) == {}
    assert response.json["applied"] is True
    assert response.json["state"] == "planned"
    assert "Idempotent-Replayed" not in response.headers

    made = response.json["checklist"]
    assert made["status"] == "pass"
    found = client.get(made["link"]).json
    assert (found["id"], found["status"]) == (made["id"], "pass")
    assert kept() == ("planned", "MRN-1001", "inebilizumab", "2026-10-06T13:00:00-05:00")
    assert [row[:3] for row in journaled("checklist.made", *TOLD)] == [
        ("checklist.made", "sender:ward", made["id"]),
        ("infusion.planned", "sender:ward", response.json["infusion"]),
    ]
    entered = details_of(journaled("infusion.planned")[0])
    assert entered.pop("remark")
    assert entered == {"drug": "inebilizumab", "changed": [], "checklist": made["id"]}


@pytest.mark.any_database
def test_the_link_begins_with_the_public_address_where_that_is_known(settings):
    """As those do in messages of ours."""
    app = create_app(replace(settings, public_url="https://dosegate.example.org"), shipped(), Clock())
    with closing(app.extensions["dosegate"].store.records):
        made = Ehr(app, Clock()).tell()["checklist"]
    assert made["link"] == f"https://dosegate.example.org/api/v1/checklists/{made['id']}"


def test_the_checklist_is_the_one_that_a_request_gives(ehr, client):
    request = a_request(without=["hbsag"])
    made = ehr.tell(facts=request["facts"])["checklist"]
    asked = post(client, request).json
    told = client.get(made["link"]).json
    passing = ("id", "evaluated_at")
    assert {k: v for k, v in told.items() if k not in passing} == {
        k: v for k, v in asked.items() if k not in passing
    }
    assert made["status"] == asked["status"] == "block"
    assert client.post(f"{made['link']}/replay").json["identical"] is True


def test_without_facts_it_is_planned_and_not_checked(ehr, kept, sql):
    answer = ehr.tell(facts=None)
    assert answer["checklist"] is None
    assert kept()[0] == "planned"
    assert sql("SELECT count(*) FROM checklists") == [(0,)]


def test_a_cancelled_infusion_is_not_checked(ehr, kept, sql):
    first = ehr.tell()
    answer = ehr.tell("cancelled")
    assert answer == {
        "infusion": first["infusion"],
        "state": "cancelled",
        "applied": True,
        "checklist": None,
    }
    assert kept()[0] == "cancelled"
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def test_a_change_is_entered_by_the_names_of_what_changed_and_nothing_else(ehr, clock, kept, journaled):
    id = ehr.tell()["infusion"]
    changes = [
        ({"infusion_at": LATER, "facts": None}, ["infusion_at"]),
        ({"drug": "ibalizumab", "infusion_at": "2026-10-06T18:00:00Z", "facts": {}}, None),
        ({"drug": "ibalizumab", "infusion_at": "2026-10-06T13:00:00-05:00", "facts": None}, []),
    ]
    for told, _ in changes:
        clock.pass_by(seconds=1)
        assert ehr.tell("changed", **told)["infusion"] == id
    entries = journaled("infusion.changed")
    assert [details_of(row)["changed"] for row in entries] == [
        ["infusion_at"],
        ["drug", "infusion_at"],
        [],  # the same moment, in another offset
    ]
    assert {row[2] for row in entries} == {id}
    assert "MRN" not in str(entries)
    assert "2026-10-0" not in str(entries)
    assert kept() == ("planned", "MRN-1001", "ibalizumab", "2026-10-06T13:00:00-05:00")


@pytest.mark.parametrize("first", ["scheduled", "cancelled"])
@pytest.mark.parametrize("second", ["scheduled", "changed", "cancelled"])
@pytest.mark.parametrize("minute", [1, -1])
def test_an_infusion_never_becomes_another_patients(*, ehr, sql, journaled, caplog, first, second, minute):
    """Not by a later message, nor is an older one passed over that says so, nor after a cancellation."""
    caplog.set_level(logging.INFO)
    ehr.tell(first)
    everything = [f"SELECT * FROM {table}" for table in ("infusions", "messages", "checklists", "remarks")]
    before, entries = [sql(each) for each in everything], journaled()
    at = NOW + timedelta(minutes=minute)
    response = ehr.send(message(second, at=at, patient={"id": "MRN-SECRET"}, infusion_at=LATER), "msg_1")
    assert is_problem(response, 422)
    says = "is another patient than this reference has: cancel it and send a new reference"
    assert response.json["errors"] == [{"path": "data.patient.id", "message": says}]
    assert [sql(each) for each in everything] == before
    [(event, actor, subject, details)] = journaled()[len(entries) :]
    assert (event, actor, subject) == ("other_patient.refused", "sender:ward", "sender:ward")
    details = details if isinstance(details, dict) else json.loads(details)
    assert details == {"paths": ["data.patient.id"]}
    assert "MRN" not in response.text + caplog.text
    # The id was not used up, and the reference of the one can be another's under a name of its own.
    assert ehr.send(message(patient={"id": "MRN-SECRET"}, reference="CHAIR-2"), "msg_1").status_code == 202


def test_another_sender_may_have_the_same_reference_for_another_patient(ehr, app, clock):
    ehr.tell()
    assert Ehr(app, clock, "another").tell(patient={"id": "MRN-2"})["applied"] is True


def test_what_is_told_of_whom_is_kept_beside_the_journal_and_committed_to(ehr, sql, typed):
    ehr.tell()
    [(patient, parts)] = sql("SELECT patient, parts FROM remarks")
    parts = parts if isinstance(parts, dict) else json.loads(parts)
    assert patient == "MRN-1001"
    assert parts == {"reference": "CHAIR-1", "infusion_at": "2026-10-06T13:00:00-05:00"}
    assert typed("verify").exit_code == 0
    sql("DELETE FROM remarks")
    assert "missing contents" in typed("verify").output


# A bundle


def a_bundle(patient="MRN-1001", text=""):
    """A FHIR Bundle of a patient with one result: HBsAg, negative."""
    coding = {"system": "http://loinc.org", "code": "5196-1"}
    negative = {"system": "http://snomed.info/sct", "code": "260385009"}
    resources = [
        {"resourceType": "Patient", "id": patient, "birthDate": "1984-03-02", "gender": "female"},
        {
            "resourceType": "Observation",
            "id": "31",
            "status": "final",
            "code": {"coding": [coding]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-09-10",
            "valueCodeableConcept": {"coding": [negative]},
            "note": [{"text": text}],
        },
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in resources],
    }


def test_a_bundle_is_checked_as_by_a_request_that_brings_one(ehr, client):
    made = ehr.tell(facts=None, bundle=a_bundle(), searched={"results": "complete"})["checklist"]
    request = {**a_request(), "bundle": a_bundle(), "searched": {"results": "complete"}}
    del request["facts"]
    asked = post(client, request).json
    told = client.get(made["link"]).json
    assert told["findings"] == asked["findings"]
    trace = client.get(f"{made['link']}/trace").json
    assert "Observation/31" in {each["resource"] for each in trace["reading"] if each["fact"] == "hbsag"}
    assert client.post(f"{made['link']}/replay").json["identical"] is True


@pytest.mark.any_database
def test_facts_and_a_bundle_are_put_together(ehr, client):
    facts = {"dose_number": 1}
    link = ehr.tell(facts=facts, bundle=a_bundle())["checklist"]["link"]
    known = {each["fact"] for each in client.get(f"{link}/trace").json["facts"] if each["known"] == "yes"}
    assert {"dose_number", "hbsag", "birth_date"} <= known


def test_a_bundle_of_another_patient_is_refused_and_that_is_entered(ehr, sql, journaled):
    response = ehr.send(message(bundle=a_bundle("MRN-2")))
    assert is_problem(response, 422)
    assert all(path.startswith("data.") for path in paths(response))
    for table in ("infusions", "messages", "checklists", "remarks"):
        assert sql(f"SELECT count(*) FROM {table}") == [(0,)]
    [(_, actor, _, details)] = journaled("other_patient.refused")
    assert actor == "sender:ward"
    assert "MRN" not in response.text + str(details)


@pytest.mark.any_database
def test_a_message_may_be_longer_with_a_bundle(ehr):
    long = "x" * MOST_BYTES
    assert ehr.tell(facts=None, bundle=a_bundle(text=long))["checklist"] is not None
    assert is_problem(ehr.send(message(chair=long)), 413)
    assert is_problem(ehr.send(message(facts=None, bundle=a_bundle(text=long * 16))), 413)


# Bad facts


@pytest.mark.parametrize("type", ["scheduled", "changed"])
def test_with_bad_facts_there_is_neither_an_infusion_nor_a_checklist(ehr, sql, journaled, type):
    before = journaled()
    response = ehr.send(message(type, facts={"dose_number": "first", "hbsaag": 1}))
    assert is_problem(response, 422)
    assert paths(response) == ["data.facts.dose_number", "data.facts.hbsaag"]
    for table in ("infusions", "messages", "checklists", "remarks"):
        assert sql(f"SELECT count(*) FROM {table}") == [(0,)]
    assert journaled() == before


def test_a_change_with_bad_facts_changes_nothing(ehr, kept, sql):
    ehr.tell()
    before = kept()
    changed = message("changed", infusion_at=LATER, patient={"id": "MRN-2"}, facts={"sex": "m"})
    assert ehr.send(changed).status_code == 422
    assert kept() == before
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


@pytest.mark.any_database
def test_a_fault_of_the_engine_holds_the_infusion(ehr, monkeypatch):
    def fail(self, values):
        raise RuntimeError("x")

    monkeypatch.setattr("service.checklist.engine.Engine.decide", fail)
    assert ehr.tell()["checklist"]["status"] == "block"


# The same message again


@pytest.mark.parametrize("type", ["scheduled", "changed", "cancelled"])
def test_the_same_message_again_is_answered_as_before(ehr, clock, sql, journaled, type):
    document = message(type)
    first = ehr.send(document, "msg_1")
    entries, rows = journaled(), sql("SELECT * FROM infusions")
    clock.pass_by(hours=5)  # a retry is signed anew
    again = ehr.send(document, "msg_1")
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == first.data
    assert journaled() == entries
    assert sql("SELECT * FROM infusions") == rows


def test_it_is_answered_as_before_even_when_the_infusion_is_otherwise_now(ehr, clock):
    document = message()
    first = ehr.send(document, "msg_1")
    clock.pass_by(seconds=1)
    ehr.tell("cancelled")
    again = ehr.send(document, "msg_1")
    assert again.data == first.data
    assert again.json["state"] == "planned"


def test_the_same_id_with_another_body_is_refused(ehr, kept, sql):
    ehr.send(message(), "msg_1")
    before = kept()
    for other in (message(infusion_at=LATER), message("cancelled"), body_of(message()) + b" "):
        response = ehr.send(other, "msg_1")
        assert is_problem(response, 422)
        assert paths(response) == ["webhook-id"]
    assert kept() == before
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


def test_the_same_body_with_another_id_is_another_message(ehr, sql):
    document = message()
    first, second = ehr.send(document).json, ehr.send(document).json
    assert first["infusion"] == second["infusion"]
    assert first["checklist"]["id"] != second["checklist"]["id"]
    assert sql("SELECT count(*) FROM infusions") == [(1,)]


def test_of_processes_that_take_the_same_message_at_once_one_does(settings, database_url, ehr, sql):
    ids = [f"msg_{number}" for number in range(10)]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.webhooks.incoming.an_ehr"])
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        began = [
            pool.submit(send_all, database_url, settings.keys, ehr.secret, order)
            for order in (ids, ids, ids[::-1])
        ]
        answers = [answer for each in began for answer in each.result()]
    for id in ids:
        mine = [answer for answer in answers if answer[0] == id]
        assert sorted(status for _, status, _, _ in mine) == [200, 200, 202]
        assert sorted(str(replayed) for _, _, replayed, _ in mine) == ["None", "true", "true"]
        assert len({json.dumps(document) for *_, document in mine}) == 1
    for table in ("infusions", "messages", "checklists", "contents", "remarks"):
        assert sql(f"SELECT count(*) FROM {table}") == [(len(ids),)], table
    assert sql("SELECT count(*) FROM journal WHERE event = 'infusion.planned'") == [(len(ids),)]


def test_one_that_another_process_took_meanwhile_is_answered_as_that_one(ehr, app, monkeypatch, sql):
    """Both are past the look for an earlier one before either is kept."""
    making, document = app.extensions["dosegate"].making, message()
    evaluated, inside = type(making).evaluated, []

    def slowly(self, body, act):
        if not inside:
            inside.append(ehr.send)  # the other one overtakes
            inside.append(ehr.send(document, "msg_1"))
        return evaluated(self, body, act)

    monkeypatch.setattr(type(making), "evaluated", slowly)
    outer = ehr.send(document, "msg_1")
    assert (inside[1].status_code, outer.status_code) == (202, 200)
    assert outer.headers["Idempotent-Replayed"] == "true"
    assert outer.data == inside[1].data
    assert sql("SELECT count(*) FROM checklists") == [(1,)]


# Out of order


def at(minute):
    return datetime.fromisoformat(f"2026-10-06T08:{minute:02}:00+00:00")


def test_a_message_that_comes_too_late_changes_nothing_and_says_so(ehr, kept, sql, journaled):
    newer = ehr.send(message("changed", at=at(30), infusion_at=LATER))
    before, entries = kept(), journaled()
    older = message("scheduled", at=at(29), infusion_at="2026-10-09T13:00:00-05:00")
    response = ehr.send(older, "late")
    assert response.status_code == 200
    assert TakenSchema(unknown=RAISE).validate(response.json) == {}
    assert response.json == {
        "infusion": newer.json["infusion"],
        "state": "planned",
        "applied": False,
        "checklist": None,
    }
    assert "Idempotent-Replayed" not in response.headers
    assert kept() == before
    assert journaled() == entries
    assert sql("SELECT count(*) FROM checklists") == [(1,)]
    again = ehr.send(older, "late")
    assert again.data == response.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert ehr.send(message("cancelled", at=at(29)), "late").status_code == 422


def test_a_cancellation_that_overtakes_what_it_cancels_stays(ehr, kept, sql):
    cancelled = ehr.send(message("cancelled", at=at(30)))
    assert (cancelled.status_code, cancelled.json["state"]) == (202, "cancelled")
    late = ehr.send(message("scheduled", at=at(10)))
    assert (late.json["applied"], late.json["state"]) == (False, "cancelled")
    assert kept()[0] == "cancelled"
    assert sql("SELECT count(*) FROM checklists") == [(0,)]


def test_what_is_told_after_a_cancellation_plans_it_again(ehr, kept, journaled):
    for minute, type in ((1, "scheduled"), (2, "cancelled"), (3, "changed"), (4, "changed")):
        ehr.send(message(type, at=at(minute), infusion_at=LATER if minute > 2 else "2026-10-06T13:00:00Z"))
    assert kept()[0] == "planned"
    assert kept()[3] == LATER
    assert [row[0] for row in journaled(*TOLD)] == [
        "infusion.planned",
        "infusion.cancelled",
        "infusion.planned",
        "infusion.changed",
    ]


def test_of_two_messages_of_one_moment_the_one_that_came_last_counts(ehr, kept):
    ehr.send(message(at=at(1)))
    assert ehr.send(message("changed", at=at(1), infusion_at=LATER)).json["applied"] is True
    assert kept()[3] == LATER


TYPES = [("scheduled", "changed", "cancelled"), ("scheduled", "cancelled", "changed")]
ORDERS = [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "types", [("scheduled", "changed", "cancelled"), ("scheduled", "cancelled", "changed")]
)
@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order_the_same_is_so_in_the_end(ehr, kept, types, order):
    for minute in order:
        when = f"2026-10-06T{minute + 10}:00:00+00:00"
        ehr.send(message(types[minute - 1], at=at(minute), infusion_at=when))
    state = "cancelled" if types[2] == "cancelled" else "planned"
    assert kept() == (state, "MRN-1001", "inebilizumab", "2026-10-06T13:00:00+00:00")


def test_a_service_that_owns_no_table_does_all_of_it(separated):  # noqa: F811
    app, clock = create_app(separated, shipped(), Clock()), Clock()
    with closing(app.extensions["dosegate"].store.records) as records:
        ehr, client = Ehr(app, clock), with_key(app, SCOPES)
        ehr.secret = client.post("/api/v1/webhooks/senders/ward/rotate").json["secret"]
        for type in ("scheduled", "changed", "cancelled", "changed"):
            clock.pass_by(seconds=1)
            assert ehr.tell(type)["applied"] is True
        assert ehr.send(message()).json["applied"] is False
        [row] = client.get("/api/v1/infusions").json["infusions"]
        assert row["status"] == "pass"
        erase(records, "MRN-1001", held(records, "MRN-1001"), Reason.COURT_ORDER, SETUP)
        assert client.get("/api/v1/infusions").json["infusions"] == []
        assert client.post("/api/v1/webhooks/senders/ward/revoke").status_code == 200


# Erasure


def test_all_that_senders_told_of_an_erased_patient_goes(ehr, client, clock, sql, typed):
    first = ehr.send(message(reference="A", patient={"id": "GONE"}), "msg_1")
    ehr.send(message(reference="B", patient={"id": "GONE"}), "msg_2")
    clock.pass_by(seconds=1)
    ehr.send(message("cancelled", at=clock(), reference="B", patient={"id": "GONE"}), "msg_3")
    other = ehr.tell(reference="C", patient={"id": "STAYS"})

    done = typed("patients", "erase", "--reason", "patient_request", lines=("GONE", 10))
    assert done.exit_code == 0, done.stderr
    assert "Kept of this patient: 2 checklists, 3 remarks, 2 infusions and 3 messages." in done.stdout
    assert sql("SELECT id FROM infusions") == [(other["infusion"],)]
    assert {patient for (patient,) in sql("SELECT patient FROM messages")} == {"STAYS"}
    assert sql("SELECT count(*) FROM messages") == [(1,)]
    assert is_problem(client.get(first.json["checklist"]["link"]), 410)
    everything = "".join(
        str(sql(f"SELECT * FROM {table}")) for table in ("journal", "infusions", "messages", "remarks")
    )
    assert "GONE" not in everything
    [(details,)] = sql("SELECT details FROM journal WHERE event = 'patient.erased'")
    details = details if isinstance(details, dict) else json.loads(details)
    assert (details["infusions"], details["messages"]) == (2, 3)
    verified = typed("verify")
    assert verified.exit_code == 0, verified.output


def test_an_infusion_that_comes_in_meanwhile_stops_an_erasure(ehr, app, sql):
    records = app.extensions["dosegate"].store.records
    ehr.tell(facts=None)
    seen = held(records, "MRN-1001")
    assert (seen.infusions, seen.messages, seen.total) == (1, 1, 3)
    ehr.tell(facts=None, reference="another")
    with pytest.raises(HeldOtherwise):
        erase(records, "MRN-1001", seen, Reason.COURT_ORDER, SETUP)
    assert sql("SELECT count(*) FROM infusions") == [(2,)]
