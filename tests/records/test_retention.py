"""What is swept out when its time is over, and what is erased when the site says that its retention ended."""

import json
import uuid
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import Boolean, LargeBinary, insert, select

from service.access.sessions import LIFETIME
from service.access.throttle import WINDOW
from service.app import records_of
from service.cli import main
from service.records import expiry, migrate
from service.records.drafts import Drafts
from service.records.journal import Act, Event
from service.records.retention import KEPT, LEFT, REPEATED, sweep
from service.records.store import Store
from service.records.stored import Once
from service.records.tables import JSON, Moment, accounts, endpoints, journal, senders, sessions
from tests.builders import ROOT
from tests.cli.command import run

NOW = datetime(2026, 10, 6, 18, 0, tzinfo=UTC)
LONG_AGO = datetime(2015, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STATES = {"deliveries": "due", "infusions": "planned"}


@pytest.fixture
def records(settings, monkeypatch):
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    monkeypatch.setenv("DOSEGATE_TIME_ZONE", "America/Chicago")
    with closing(records_of(settings, LONG_AGO)) as opened:
        yield opened


def an_act(at):
    return Act("user:nina", "nurse", "test", at)


def row_of(table, word, at):
    """A row that says one word wherever it can."""
    row = {"site": "main"} if "site" in table.c else {}
    for column in table.c:
        if column.name in row or (column.nullable and column.name not in ("settled_at", "removed_at")):
            continue
        match column.type:
            case Moment():
                row[column.name] = at
            case Boolean():
                row[column.name] = False
            case JSON():
                row[column.name] = []
            case LargeBinary():
                row[column.name] = b""
            case _ if column.type.python_type is int:
                row[column.name] = len(word)
            case _:
                row[column.name] = STATES.get(table.name, word) if column.name == "state" else word
    return row


def test_what_was_kept_for_long_enough_is_swept_and_nothing_younger(records, basis, a_checklist):
    with records.noting() as connection:
        for word in ("old", "young"):
            for table in (accounts, endpoints, senders):
                connection.execute(insert(table).values(row_of(table, word, NOW)))
        for since, kept in KEPT.items():
            for word, at in (("old", NOW - kept), ("young", NOW - kept + MINUTE)):
                connection.execute(insert(since.table).values(row_of(since.table, word, at)))
    store, drafts = Store(records), Drafts(records)
    for word, at in (("old", NOW - REPEATED), ("young", NOW - REPEATED + MINUTE)):
        store.add(a_checklist(created_at=at), basis, an_act(at), Once.of(word, b""))
        drafts.keep(str(uuid.uuid4()), word.encode(), "MRN-1", an_act(at - REPEATED + LEFT))

    every = {since.table.name for since in KEPT} | {"idempotency", "drafts"}
    assert sweep(records, NOW) == dict.fromkeys(every, 1)
    assert sweep(records, NOW) == dict.fromkeys(every, 0)
    with records.reading() as connection:
        for since, kept in KEPT.items():
            assert connection.scalars(select(since)).all() == [NOW - kept + MINUTE]
        [key] = connection.exec_driver_sql("SELECT key FROM idempotency").scalars()
        [body] = connection.exec_driver_sql("SELECT body FROM drafts").scalars()
        last = connection.execute(select(journal).order_by(journal.c.sequence.desc()).limit(1)).one()
    assert (key, bytes(body)) == ("young", b"young")
    assert (last.event, last.actor) == (Event.DRAFT_DISCARDED.value, "service")
    assert run("db", "sweep").exit_code == 0


def test_nothing_is_swept_while_somebody_relies_on_it():
    assert min(KEPT.values()) > max(LIFETIME, WINDOW)
    assert sessions.c.created_at in KEPT


def test_the_page_says_of_every_table_how_long_it_is_kept():
    page = (ROOT / "docs" / "upkeep.md").read_text()
    table = page.partition("## Retention")[2].partition("### ")[0]
    assert [name for name in migrate.GRANTS if f"`{name}`" not in table] == []
    for since, kept in KEPT.items():
        [row] = [line for line in table.splitlines() if f"`{since.table.name}`" in line]
        assert ("a day" if kept.days == 1 else f"{kept.days} days") in row


def typed(*lines, before="2016-01-01"):
    """The outcome of the command where somebody types these lines."""
    text = "".join(f"{line}\n" for line in lines)
    return CliRunner().invoke(main, ["patients", "expire", "--before", before], input=text)


def said_of(records, subject, at, patient="MRN-1"):
    with records.writing() as writing:
        about = {"details": {"reason": "other"}, "parts": {"comment": "words"}, "patient": patient}
        return writing.remark(an_act(at), Event.WARN_ACKNOWLEDGED, subject, **about).details["remark"]


@pytest.fixture
def few_at_once(monkeypatch):
    """So few that it takes more than one entry."""
    monkeypatch.setattr(expiry, "AT_ONCE", 2)


@pytest.mark.usefixtures("few_at_once")
def test_what_is_from_before_a_day_is_erased_and_the_chain_still_verifies(records, basis, a_checklist, sql):
    store = Store(records)

    def made(created_at, infusion_at):
        new = a_checklist(created_at=created_at, infusion_at=infusion_at)
        return store.add(new, basis, an_act(created_at), Once.of(new.id, b"")).id

    old = [made(LONG_AGO, "2015-03-02T14:00:00-06:00") for _ in range(3)]
    planned = made(LONG_AGO, "2016-01-01T00:00:00-06:00")  # midnight of the first day that is kept
    words = [said_of(records, old[0], LONG_AGO), said_of(records, "checklists", LONG_AGO, None)]
    of_planned = said_of(records, planned, LONG_AGO)
    last = made(datetime(2016, 1, 1, 5, 59, tzinfo=UTC), "2015-12-31T23:59:59-06:00")
    later = said_of(records, old[1], NOW)
    new = made(NOW, "2015-03-02T14:00:00-06:00")

    for answer in ((), (5,)):
        refused = typed(*answer)
        assert (refused.exit_code, "not confirmed" in refused.stderr) == (2, True)
        assert "Kept from before 2016-01-01: 4 checklists and 2 remarks." in refused.stdout
    assert sql("SELECT count(*) FROM contents") == [(6,)]
    done = typed(6)
    assert done.exit_code == 0, done.output
    assert "Erased: 4 checklists and 2 remarks. The journal has 3 entries patient.erased" in done.stdout

    assert {id for (id,) in sql("SELECT checklist FROM contents")} == {planned, new}
    assert {id for (id,) in sql("SELECT id FROM remarks")} == {of_planned, later}
    assert {id for (id,) in sql("SELECT checklist FROM idempotency")} == {planned, new}
    assert sql("SELECT count(*) FROM checklists") == [(6,)]
    said = [
        each if isinstance(each, dict) else json.loads(each)
        for (each,) in sql("SELECT details FROM journal WHERE event = 'patient.erased' ORDER BY sequence")
    ]
    assert sorted(id for each in said for id in each["checklists"]) == sorted([*old, last])
    assert sorted(id for each in said for id in each["remarks"]) == sorted(words)
    assert {(each["before"], each["reason"]) for each in said} == {("2016-01-01", "retention_ended")}
    verified = run("verify")
    assert (verified.exit_code, "6 erased" in verified.stdout) == (0, True), verified.output
    again = typed(1)
    assert (again.exit_code, "nothing is kept from before" in again.stderr) == (2, True)


@pytest.mark.any_database
def test_no_day_in_the_future_is_taken(records):
    assert "is in the future" in typed(1, before="2999-01-01").stderr
