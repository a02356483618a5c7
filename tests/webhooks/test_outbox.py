"""What is told of what happens, to whom, and in which words: read from the journal and from nothing else."""

import json
import uuid
from datetime import timedelta

import pytest

from service.webhooks.outbox import message_id, read_on
from tests.webhooks.receiver import Clock
from tests.webhooks.telling import EVENTS


@pytest.fixture
def told(courier, receiver, endpoint):
    """Delivers; what has come in since."""

    def told():
        before = len(receiver.got)
        courier.drain()
        return [(each.type, each.data) for each in receiver.got[before:]]

    return told


def test_a_checklist_is_told_with_no_more_of_the_patient_than_the_reference(site, told, clock, receiver):
    clock.pass_by(seconds=1)
    id = site.checklist("MRN-7", status="warn")
    clock.pass_by(seconds=30)
    assert told() == [
        (
            "checklist.completed",
            {
                "checklist": id,
                "site": "main",
                "drug": "inebilizumab",
                "status": "warn",
                "patient": {"id": "MRN-7"},
                "infusion_at": "2026-12-01T23:30:00-05:00",
                "link": f"https://dosegate.example.org/api/v1/checklists/{id}",
            },
        )
    ]
    [got] = receiver.got
    assert json.loads(got.body)["timestamp"] == "2026-11-22T09:00:01.250000Z"  # of the event
    assert got.signed_at == (clock() - timedelta(microseconds=250_000))  # of the attempt
    assert site.deliveries("state", "attempts", "last_answer", "settled_at") == [
        ("delivered", 1, "204", clock())
    ]
    assert told() == []


def test_an_override_and_an_acknowledgement_say_which_they_are_and_never_a_comment(site, told, receiver):
    id = site.checklist(status="block")
    site.acknowledge(id)
    site.override(id)
    site.outcome(id)
    assert [(type, data.get("answer")) for type, data in told()] == [
        ("checklist.completed", None),
        ("override.recorded", "acknowledged"),
        ("override.recorded", "overridden"),
        ("outcome.recorded", None),
    ]
    assert (
        len({json.dumps(sorted(each.data)) for each in receiver.got if each.type != "override.recorded"}) == 1
    )
    assert not any(word in each.body for each in receiver.got for word in (b"Words", b"too-much", b"held"))


def test_a_full_endpoint_is_told_the_result_the_reason_and_the_outcome(site, known, endpoint, told, receiver):
    known.change(endpoint.id, site.act(), full=True)
    id = site.checklist(status="block")
    site.override(id)
    site.outcome(id)
    (_, made), (_, overridden), (_, ended) = told()
    assert made["result"]["id"] == overridden["result"]["id"] == id
    assert [each["rule"] for each in made["result"]["findings"]] == ["too-much", "recent"]
    assert {"check", "rule", "reason"} <= overridden.keys()
    assert (overridden["check"], overridden["rule"]) == ("dose", "too-much")
    assert ended["outcome"] == "held"
    assert not any(b"Words" in each.body for each in receiver.got)


def test_a_result_that_is_too_long_for_a_message_is_left_out_and_that_is_said(site, known, endpoint, told):
    known.change(endpoint.id, site.act(), full=True)
    site.checklist(result={"message": "x" * 20_000})
    [(_, data)] = told()
    assert data["result_too_long"] is True
    assert "result" not in data  # the receiver takes no body of 20 kB


def test_another_status_for_the_same_patient_drug_and_day_is_a_change(site, told):
    site.checklist("MRN-1", status="block", infusion_at="2026-12-01T23:30:00-05:00")
    site.checklist("MRN-1", status="block", infusion_at="2026-12-01T08:00:00-05:00")
    told()
    for others in (
        {"patient": "MRN-2"},
        {"drug": "ibalizumab"},
        {"infusion_at": "2026-12-02T00:00:00-05:00"},  # the same moment range, another day there
        {"infusion_at": "2026-11-30T23:30:00-05:00"},
        {"status": "block"},
    ):
        site.checklist(**{"patient": "MRN-1", "status": "pass", **others})
        assert [type for type, _ in told()] == ["checklist.completed"], others
    id = site.checklist("MRN-1", status="warn", infusion_at="2026-12-01T01:00:00+09:00")
    (_, completed), (type, changed) = told()
    assert (type, changed) == ("checklist.status_changed", {**completed, "previous_status": "block"})
    assert (changed["checklist"], changed["status"]) == (id, "warn")


def test_a_correction_changes_the_status_of_what_it_corrects_whatever_its_day(site, told):
    first = site.checklist(status="block")
    site.checklist(status="warn")
    told()
    site.checklist(status="warn", supersedes=first, infusion_at="2027-01-01T09:00:00Z")
    assert [(type, data.get("previous_status")) for type, data in told()] == [
        ("checklist.completed", None),
        ("checklist.status_changed", "block"),
    ]
    second = site.checklist("MRN-2", status="pass")
    told()
    site.checklist("MRN-2", status="pass", supersedes=second)
    assert [type for type, _ in told()] == ["checklist.completed"]


def test_new_rules_are_told_and_who_looked_at_what_is_not(site, told):
    from service.records.store import Store

    site.release("ibalizumab", "2.0.0")
    id = site.checklist()
    Store(site.records).read(id, site.act())
    assert dict(told())["pack.released"] == {
        "site": "main",
        "drug": "ibalizumab",
        "version": "2.0.0",
        "digest": "sha256:new",
    }
    assert site.deliveries("type", "thread") == [("pack.released", "ibalizumab"), ("checklist.completed", id)]


def test_an_endpoint_is_told_of_what_it_asked_for_from_then_on(site, known, receiver, told):
    assert told() == []
    [all_told] = known.all()
    before = site.checklist()
    known.change(all_told.id, site.act(), events=["outcome.recorded"])
    site.outcome(before)
    site.checklist("MRN-2")
    assert [type for type, _ in told()] == ["outcome.recorded"]


def test_an_endpoint_begins_at_the_head_of_the_journal(site, known, courier, receiver):
    site.checklist("MRN-1")
    added, receiver.secret = known.add(receiver.url, EVENTS, full=False, act=site.act())
    assert added.behind == 0
    after = site.checklist("MRN-2")
    assert known.by_id(added.id).behind == 1
    courier.drain()
    assert [each.data["checklist"] for each in receiver.got] == [after]
    assert known.by_id(added.id).behind == 0


def test_one_thread_is_named_by_the_first_checklist_of_a_patient_and_drug(site, told, sql):
    first = site.checklist("MRN-1")
    other_drug = site.checklist("MRN-1", drug="ibalizumab")
    # It was evaluated earlier, and came later: a thread never gets another name.
    site.clock.pass_by(minutes=-10)
    late = site.checklist("MRN-1", status="block", infusion_at="2027-05-05T05:00:00Z")
    told()
    site.outcome(late)
    site.outcome(other_drug)
    told()
    assert site.deliveries("thread") == [first, other_drug, first, first, other_drug]
    assert "MRN" not in str(sql("SELECT * FROM deliveries"))


def test_the_same_entries_read_twice_make_the_same_messages(site, endpoint, sql):
    for number in range(3):
        site.checklist(f"MRN-{number}")
    while read_on(site.records, site.clock()):
        pass
    made = site.deliveries("sequence", "type", "message", "thread")
    assert len({message for _, _, message, _ in made}) == 3
    for _ in range(3):
        assert read_on(site.records, site.clock()) is False
    assert site.deliveries("sequence", "type", "message", "thread") == made
    [(read_to,)] = sql("SELECT read_to FROM endpoints")
    sql("DELETE FROM deliveries")
    sql("UPDATE endpoints SET read_to = ?", read_to - 3)
    read_on(site.records, site.clock())
    assert site.deliveries("sequence", "type", "message", "thread") == made


def test_an_id_is_of_one_event_of_one_journal():
    ids = {message_id(entry, type) for entry in ("sha256:1", "sha256:11") for type in ("a", "1 a", "b")}
    assert len(ids) == 6
    assert {uuid.UUID(each).version for each in ids} == {5}


def test_a_long_journal_is_read_in_parts_and_nothing_is_missed(
    site, endpoint, courier, receiver, monkeypatch
):
    monkeypatch.setattr("service.webhooks.outbox._AT_ONCE", 3)
    made = [site.checklist(f"MRN-{number}") for number in range(10)]
    assert read_on(site.records, site.clock()) is True
    assert len(site.deliveries("message")) == 3
    courier.drain()
    assert sorted(each.data["checklist"] for each in receiver.arrived) == sorted(made)


def test_nothing_is_told_of_a_patient_who_was_erased(site, told, receiver):
    made = site.checklist("MRN-1")
    site.outcome(made)
    site.checklist("MRN-2")
    site.erase("MRN-1")  # before the journal was read
    assert [data["patient"]["id"] for _, data in told()] == ["MRN-2"]
    receiver.mode = "500"
    third = site.checklist("MRN-3")
    site.outcome(third)
    told()
    site.erase("MRN-3")  # before it arrived
    receiver.mode = "ok"
    site.clock.pass_by(minutes=1)
    assert told() == []
    assert sorted(site.deliveries("state")) == ["delivered", *4 * ["erased"]]
    assert not any(site.deliveries("leased_until"))
    assert all(site.deliveries("settled_at"))


def test_other_sites_in_the_same_database_are_told_nothing(site, told, settings, receiver):
    from contextlib import closing
    from dataclasses import replace

    from service.app import records_of
    from tests.webhooks.telling import Site

    with closing(records_of(replace(settings, site="elsewhere"), site.clock())) as records:
        other = Site(records, Clock(site.clock()))
        other.checklist("MRN-1")
        assert told() == []
        mine = site.checklist("MRN-1")
        assert [data["checklist"] for _, data in told()] == [mine]
