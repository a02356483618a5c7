"""A clock that steps back, stands still or passes midnight: the order is that of the sequence."""

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

from service.access.roles import SCOPES
from service.app import create_app, records_of
from service.records.journal import Act, Event
from tests.api.conftest import with_key
from tests.api.sending import post
from tests.builders import shipped
from tests.faults import chain

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def test_a_service_whose_clock_steps_goes_on(settings, database_url):
    times = [NOON]
    app = create_app(settings, shipped(), lambda: times[-1])
    with closing(app.extensions["dosegate"].store.records):
        client = with_key(app, SCOPES)
        made = []
        for hours in (0, 0, -1, -24, 48, -72):
            times.append(times[-1] + timedelta(hours=hours))
            made.append(post(client, idempotency_key=f"visit-{len(made)}"))
        assert {each.status_code for each in made} == {201}
        for number, each in enumerate(made):
            assert client.get(each.location).data == each.data
            assert post(client, idempotency_key=f"visit-{number}").data == each.data
    entries = chain.sound(database_url)
    listed = [entry.at for entry in entries if entry.event == "checklist.made"]
    assert listed == times[1:], "the journal does not say what the clock said"
    steps = [later.at for before, later in pairwise(entries) if later.at < before.at]
    notes = [note for note in chain.verified(database_url).notes if "the clock stepped back" in note]
    assert len(steps) >= 3
    assert len(notes) == len(steps)


def test_a_day_begins_in_utc_whatever_the_offset_of_the_clock(settings, database_url):
    evening = datetime(2026, 10, 6, 18, 59, tzinfo=timezone(-timedelta(hours=5)))  # a minute before midnight
    with closing(records_of(settings, evening)) as records:
        for minutes in (0, 2, 2, 400):
            act = Act("cli:test", "operator", "test", evening + timedelta(minutes=minutes))
            records.enter(act, Event.RECORD_VIEWED, "x")
        with records.writing() as writing:
            for _ in range(2):
                writing.enter(act, Event.RECORD_VIEWED, "x")
    chain.sound(database_url)
    assert [row.sequence for row in chain.rows(database_url, chain.checkpoints, "main")] == [2]
