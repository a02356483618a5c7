"""Where the chain stands, the chain verified within a request, and the entries around a checklist."""

from dataclasses import replace
from datetime import timedelta

import pytest

from service.records import chain_state
from service.records.chain_state import ChainTooLong, verify_chain
from service.records.journal import Event
from service.records.pages import Period, around, newest


@pytest.fixture
def enter(records, act):
    """Enters so many events about a subject; the numbers of their entries."""

    def run(subject, times=1, **changes):
        return [
            records.enter(replace(act, **changes), Event.QUALITY_VIEWED, subject).sequence
            for _ in range(times)
        ]

    return run


def test_the_state_is_that_of_the_last_entry_and_the_last_checkpoint(records, act, enter):
    assert chain_state.chain_state(records).checkpoint is None
    tomorrow = act.at + timedelta(days=1)
    signed, last = enter("rules", 2, at=tomorrow)
    state = chain_state.chain_state(records)
    assert (state.head.sequence, state.head_signed) == (last, True)
    assert (state.checkpoint.sequence, state.checkpoint_signed) == (signed, True)
    assert state.verified is None


def test_a_verification_is_entered_with_what_it_found(records, act, enter):
    [last] = enter("rules")
    report = verify_chain(records, act)
    assert (report.faults, report.last) == ([], last)
    verified = chain_state.chain_state(records).verified
    assert (verified.event, verified.actor) == ("journal.viewed", act.actor)
    assert verified.details == {"through": last, "faults": 0, "signed": report.signed}


def test_a_long_chain_is_not_verified_within_a_request(records, act, enter, monkeypatch):
    [last] = enter("rules")
    monkeypatch.setattr(chain_state, "MOST_VERIFIED", last)
    verify_chain(records, act)
    with pytest.raises(ChainTooLong):
        verify_chain(records, act)


def test_the_newest_entries_are_those_of_the_filters_and_the_period(records, act, enter):
    first, second = enter("rules", 2)
    [later] = enter("rules", at=act.at + timedelta(days=1))
    [other] = enter("others")

    def numbers(filters=None, period=None, through=None):
        found = newest(records, act, filters or {}, period or Period(), through)
        return [entry.sequence for entry in found.entries]

    assert numbers()[:4] == [other, later, second, first]
    assert numbers({"subject": "rules"}) == [later, second, first]
    assert numbers({"subject": "rules"}, Period(last=act.at + timedelta(days=1))) == [second, first]
    assert numbers({"subject": "rules"}, Period(first=act.at + timedelta(days=1))) == [later]
    assert numbers({"subject": "rules"}, through=second) == [second, first]


def test_around_a_subject_stand_its_entries_and_their_neighbours(records, act, enter):
    [before] = enter("before")
    [own] = enter("mine")
    gap = enter("between", 5)
    [again] = enter("mine")
    [after] = enter("after")
    found = [entry.sequence for entry in around(records, act, "mine")]
    assert found == [before, own, gap[0], gap[-1], again, after]
