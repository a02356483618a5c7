"""Visits of the worklist that nobody planned, drafts in progress, and what is over."""

import uuid

import pytest

from service.access.roles import Role
from service.records.reasons import OutcomeReason
from service.records.record import Outcome
from service.records.visits import Ending, Person
from tests.api.sending import a_request, post
from tests.people import an_account
from tests.webhooks.incoming.an_ehr import SETUP
from tests.webhooks.incoming.test_worklist import DAY, listed, references, settings, tell  # noqa: F401


def check(client, patient="MRN-X", **changes):
    made = post(client, a_request(patient={"id": patient}, **changes))
    assert made.status_code == 201, made.text
    return made.json


def test_a_checklist_that_was_made_for_the_day_is_a_visit_though_nobody_planned_it(ehr, client, clock):
    check(client, without=["hbsag"])
    clock.pass_by(hours=1)
    newest = check(client)
    [row] = listed(client)["infusions"]
    assert (row["id"], row["reference"], row["sender"]) == (None, None, None)
    assert (row["patient"], row["status"], row["checklist"]) == ("MRN-X", "pass", newest["id"])
    tell(ehr, "A", patient={"id": "MRN-X"}, facts=None)
    assert references(listed(client)) == ["A"]


def test_a_checklist_that_a_message_brought_stays_with_its_infusion(ehr, client, clock):
    tell(ehr, "A")
    clock.pass_by(minutes=1)
    tell(ehr, "A", type="changed", infusion_at="2026-10-08T13:00:00-05:00", facts=None)
    assert listed(client)["infusions"] == []


def test_a_visit_that_was_cancelled_is_none_until_it_is_checked_again(ehr, client, clock):
    tell(ehr, "A", facts=None)
    check(client, "MRN-A")
    clock.pass_by(minutes=1)
    tell(ehr, "A", type="cancelled")
    assert listed(client)["infusions"] == []
    clock.pass_by(minutes=1)
    check(client, "MRN-A")
    assert [row["patient"] for row in listed(client)["infusions"]] == ["MRN-A"]


def test_a_visit_told_of_by_a_sender_and_a_list_is_there_once(app, ehr, client):
    from service.webhooks.listed import UploadedLists

    parts = app.extensions["dosegate"]
    lists = UploadedLists(parts.store.records, parts.library, parts.time_zone)
    text = f"reference,patient,drug,infusion_at\nL1,MRN-A,Uplizna,{DAY} 11:00\n"
    act = SETUP
    lists.take(text, act, seen=lists.preview(text, act).digest, without_bad=False)
    assert references(listed(client)) == ["L1"]
    tell(ehr, "A", facts=None)
    assert references(listed(client)) == ["A"]


def test_who_has_begun_a_checklist_and_when_stands_beside_it(app, ehr, client):
    tell(ehr, "A", facts=None)
    parts = app.extensions["dosegate"]
    nora = an_account(app, Role.NURSE)
    by = Person("Nora Quill", nora.principal.act("drafting", parts.clock()))
    begun = {"drug": "Uplizna", "infusion_at": f"{DAY}T16:00:00-05:00", "facts": {}}
    ids = [
        parts.drafting.begin({**begun, "patient": {"id": patient}}, by).id for patient in ("MRN-A", "MRN-B")
    ]
    parts.drafts.keep(str(uuid.uuid4()), b'{"of": "another program"}', "MRN-C", by.act)
    rows = listed(client)["infusions"]
    assert [(row["patient"], row["reference"]) for row in rows] == [("MRN-A", "A"), ("MRN-B", None)]
    assert [row["drafts"] for row in rows] == [
        [{"id": id, "kept_by": "Nora Quill", "kept_at": "2026-10-06T09:00:00.123456Z"}] for id in ids
    ]
    assert [row["status"] for row in rows] == [None, None]


@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_over_comes_last_with_its_outcome(app, ehr, client, outcome):
    told = tell(ehr, "A", 0, ["hbsag"])
    tell(ehr, "B", 5)
    parts, id = app.extensions["dosegate"], told["checklist"]["id"]
    nora = an_account(app, Role.NURSE)
    ending = Ending(outcome, next(iter(OutcomeReason)), "Words.")
    parts.visits.end(id, ending, Person("Nora", nora.principal.act("ending", parts.clock())))
    rows = listed(client)["infusions"]
    assert [row["reference"] for row in rows] == ["B", "A"]
    assert rows[0]["outcome"] is None
    assert rows[1]["outcome"] == {"outcome": outcome.value, "at": "2026-10-06T09:00:00.123456Z"}
