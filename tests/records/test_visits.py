"""Visits over the journal: whoever acts is alone with the visit from the first look to the entry."""

import json
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from service.records.journal import Event
from service.records.reasons import Reason
from service.records.record import CannotAct
from service.records.visits import Answer, Person, Visits

BLOCK = {
    "check": "infection",
    "rule": "infection-active",
    "status": "block",
    "kind": "defer",
    "override": "prescriber",
}
SAID = Answer("infection", "infection-active", Reason.BENEFIT_OUTWEIGHS_RISK, "Afebrile for 48 h.")


def test_what_is_written_while_somebody_waits_is_seen_before_deciding(
    records, store, a_checklist, basis, act
):
    checklist = a_checklist(result=json.dumps({"findings": [BLOCK]}).encode())
    store.add(checklist, basis, act)
    paul = Person("Paul P.", replace(act, actor="user:paul", role="prescriber"))
    with ThreadPoolExecutor(1) as other:
        with records.writing() as writing:
            writing.alone()
            late = other.submit(Visits(records).override, checklist.id, SAID, paul)
            assert not wait([late], timeout=0.3).done
            details = {"name": "Otto O.", "check": "infection", "rule": "infection-active", "reason": "x"}
            writing.enter(act, Event.BLOCK_OVERRIDDEN, checklist.id, details)
        with pytest.raises(CannotAct, match="answered already, by Otto"):
            late.result(timeout=30)
