"""Finding checklists: each filter alone, page by page, by an index, and every search in the journal."""

import base64
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import event

from service.intake.errors import BadInput
from service.intake.filters import Filters
from service.records.journal import Event
from service.records.search import search
from service.records.site import SiteRecords, open_chain
from service.records.stored import Flag
from tests.records.seeding import FIRST, HBV, IGG, PML, answer, checklist, keep_many, outcome

# The checklists of a small clinic, by number.
MADE = [
    checklist(0),
    checklist(1, [HBV]),
    checklist(2, [PML, IGG], actor="key:0123456789ab", patient="MRN-1"),
    checklist(3, [HBV, IGG], drug="ibalizumab"),
    checklist(4, [IGG], supersedes=checklist(2).id),
    checklist(5, [HBV]),
    # The infusion is at 23:30 on 2 January in UTC, a day after that of the others.
    checklist(6, infusion_at="2026-01-02T18:30:00-05:00"),
]


@pytest.fixture
def found(records, basis, act):
    """Keeps the clinic, and gives the numbers of the checklists that are found."""
    keep_many(records, basis, MADE)
    with records.writing() as writing:
        answer(writing, MADE[1], HBV, "risk-benefit-ratio")
        answer(writing, MADE[3], HBV, "action-completed")
        answer(writing, MADE[3], IGG, "risk-benefit-ratio")
        answer(writing, MADE[4], IGG, "need-more-info")
        outcome(writing, MADE[0], "infused")
        outcome(writing, MADE[1], "held")
        outcome(writing, MADE[1], "infused")
        outcome(writing, MADE[5], "stopped")
    numbers = {each.id: number for number, each in enumerate(MADE)}

    def find(**filters):
        return [numbers[hit.id] for hit in search(records, Filters(**filters), act).hits]

    return find


def later(minutes):
    return FIRST + timedelta(minutes=minutes)


def test_each_filter_finds_what_is_so_and_nothing_else_newest_first(found):
    for filters, numbers in (
        ({}, [6, 5, 4, 3, 2, 1, 0]),
        ({"patient": "MRN-1"}, [2, 1]),
        ({"patient": "mrn-1"}, []),
        ({"drug": "ibalizumab"}, [3]),
        ({"status": "warn"}, [4]),
        ({"status": "block"}, [5, 3, 2, 1]),
        ({"actor": "key:0123456789ab"}, [2]),
        ({"made_from": later(2), "made_to": later(5)}, [4, 3, 2]),
        ({"infusion_from": later(24 * 60 + 5)}, [6, 5]),
        ({"infusion_to": later(24 * 60 + 1)}, [0]),
        ({"rule": "igg-low"}, [4, 3, 2]),
        ({"check": "hepatitis_b", "verdict": "undecided"}, [5, 3, 1]),
        ({"check": "hepatitis_b", "verdict": "holds"}, []),
        ({"verdict": "holds"}, [4, 3, 2]),
        ({"rule": "igg-low", "check": "pml"}, []),
        ({"answered": "overridden"}, [3, 1]),
        ({"answered": "acknowledged"}, [4, 3]),
        ({"reason": "risk-benefit-ratio"}, [3, 1]),
        ({"answered": "acknowledged", "reason": "risk-benefit-ratio"}, [3]),
        ({"answered": "overridden", "reason": "need-more-info"}, []),
        ({"rule": "igg-low", "reason": "action-completed"}, []),
        ({"verdict": "holds", "answered": "overridden"}, []),
        ({"verdict": "holds", "answered": "acknowledged"}, [4, 3]),
        ({"outcome": "infused"}, [1, 0]),
        ({"outcome": "held"}, []),
        ({"outcome": "none"}, [6, 4, 3, 2]),
        ({"superseded": True}, [2]),
        ({"superseded": False, "rule": "igg-low"}, [4, 3]),
        ({"status": "block", "answered": "overridden", "outcome": "none", "drug": "ibalizumab"}, [3]),
    ):
        assert found(**filters) == numbers, filters


def test_a_hit_says_what_it_was_and_what_corrects_it(records, basis, act):
    keep_many(records, basis, MADE)
    [hit] = search(records, Filters(superseded=True), act).hits
    assert hit.document() == {
        "id": MADE[2].id,
        "created_at": "2026-01-01T00:02:00.000000Z",
        "drug": "inebilizumab",
        "status": "block",
        "infusion_at": "2026-01-02T00:02:00+00:00",
        "patient": "MRN-1",
        "actor": "key:0123456789ab",
        "flags": [
            {"rule": "igg-low", "check": "immunoglobulins", "verdict": "holds", "status": "warn"},
            {"rule": "pml-signs", "check": "pml", "verdict": "holds", "status": "block"},
        ],
        "supersedes": None,
        "superseded_by": MADE[4].id,
    }


def test_a_checklist_whose_patient_was_erased_is_found_by_what_is_left(records, basis, act, sql):
    keep_many(records, basis, MADE)
    sql("DELETE FROM contents WHERE checklist = ?", MADE[1].id)
    hit = search(records, Filters(rule=HBV.rule), act).hits[-1]
    assert (hit.id, hit.patient, hit.infusion_at) == (MADE[1].id, None, None)
    assert MADE[1].id not in [hit.id for hit in search(records, Filters(patient="MRN-1"), act).hits]


def test_nothing_of_another_site_is_found(found, records, act):
    open_chain(records.database, "another", records.keys, act.at)
    elsewhere = SiteRecords(records.database, "another", records.keys)
    for filters, _ in SEARCHES:
        assert search(elsewhere, filters, act).hits == ()


def test_pages_neither_repeat_nor_miss_a_checklist_while_new_ones_arrive(store, basis, act):
    # Several are made in the same moment: the id decides their order.
    made = [checklist(number, created_at=later(number // 4)) for number in range(20)]
    keep_many(store.records, basis, made)
    page, ids, number = search(store.records, Filters(), act, limit=3), [], 20
    while True:
        ids += [hit.id for hit in page.hits]
        store.add(checklist(number), basis, act)
        number += 1
        if page.cursor is None:
            break
        page = search(store.records, Filters(), act, limit=3, cursor=page.cursor)
    assert ids == [each.id for each in reversed(made)]


def test_a_cursor_serves_the_search_it_came_from_and_no_other(records, basis, act):
    keep_many(records, basis, MADE)
    asked = Filters(status="block")
    cursor = search(records, asked, act, limit=1).cursor
    assert search(records, asked, act, limit=1, cursor=cursor).hits[0].id == MADE[3].id

    at, _, bound = json.loads(base64.b64decode(cursor, b"-_"))
    moved = base64.b64encode(json.dumps([at, MADE[1].id, bound]).encode(), b"-_").decode()
    elsewhere = SiteRecords(records.database, "another", records.keys)
    for where, filters, given in (
        (records, Filters(), cursor),
        (records, Filters(status="block", patient="MRN-1"), cursor),
        (elsewhere, asked, cursor),
        (records, asked, moved),
        *((records, asked, each) for each in ("", "x", cursor[:-4], "W10=", "bnVsbA==", "é")),
    ):
        with pytest.raises(BadInput, match="cursor: is no cursor of this search"):
            search(where, filters, act, cursor=given)


def test_a_search_is_entered_with_what_was_asked_as_a_remark_that_is_erased_with_the_patient(
    records, basis, act, sql
):
    keep_many(records, basis, MADE)
    search(records, Filters(patient="MRN-1", made_from=FIRST), act, limit=1)
    entry = "SELECT event, actor, subject, details FROM journal WHERE event <> 'signing_key.used'"
    [(event, actor, subject, details)] = sql(entry)
    details = details if isinstance(details, dict) else json.loads(details)
    [(patient, parts)] = sql("SELECT patient, parts FROM remarks WHERE id = ?", details.pop("remark"))
    parts = parts if isinstance(parts, dict) else json.loads(parts)

    assert (event, actor, subject) == ("checklists.searched", "user:nina", "checklists")
    assert details == {"filters": ["from", "patient"], "hits": 1, "continued": False}
    assert patient == "MRN-1"
    assert json.loads(parts["criteria"]) == {"from": "2026-01-01T00:00:00+00:00", "patient": "MRN-1"}


# Each search is answered from indexes, also among many checklists.

MANY = 3000
RARE = Flag("rare", "qt", "holds", "warn")
DAY = timedelta(days=1)
SEARCHES = [
    (Filters(), "checklists_by_time"),
    (Filters(patient="MRN-7"), "contents_by_patient"),
    (Filters(drug="ibalizumab"), "checklists_by_drug"),
    (Filters(status="block"), "checklists_by_time"),
    (Filters(actor="user:rare"), "checklists_by_actor"),
    (Filters(made_from=FIRST + DAY, made_to=FIRST + 1.1 * DAY), "checklists_by_time"),
    (Filters(infusion_from=FIRST + 2 * DAY, infusion_to=FIRST + 2.1 * DAY), "contents_by_infusion"),
    (Filters(rule=HBV.rule, verdict="undecided"), "flagged"),
    (Filters(rule=RARE.rule), "flagged"),
    (Filters(check="hepatitis_b"), "flagged"),
    (Filters(answered="overridden"), "journal_by_event"),
    (Filters(rule=HBV.rule, reason="risk-benefit-ratio"), "journal_by_event"),
    (Filters(outcome="held"), "journal_by_event"),
    (Filters(outcome="none"), "journal_by_subject"),
    (Filters(superseded=True), "supersedes"),
]


def many(number):
    flags = [HBV, *([RARE] if number % 500 == 1 else [])] if number % 2 else [IGG]
    return checklist(
        number,
        flags,
        drug="ibalizumab" if number % 50 == 0 else "inebilizumab",
        actor="user:rare" if number % 400 == 0 else "user:nina",
        patient=f"MRN-{number // 4}",
        supersedes=checklist(number - 1).id if number % 100 == 99 else None,
    )


def test_no_search_among_many_checklists_reads_a_whole_table(records, basis, act):
    made = [many(number) for number in range(MANY)]
    keep_many(records, basis, made)
    with records.writing() as writing:
        for each in made[1::60]:
            answer(writing, each, HBV)
            outcome(writing, each, "held")
            for _ in range(4):
                writing.enter(act, Event.CHECKLIST_VIEWED, each.id)
    if not records.database.is_sqlite:  # PostgreSQL does so by itself, after a while
        with records.noting() as connection:
            connection.exec_driver_sql("ANALYZE")
    for filters, index in SEARCHES:
        plan = plan_of(records, lambda filters=filters: search(records, filters, act))
        assert index in plan, plan
        # Nor all that share one check, for each checklist once more.
        assert not re.search(r"Seq Scan|^SCAN|\(check=\?\)", plan, re.MULTILINE), plan


def plan_of(records, work):
    """How the database goes about the first query on checklists of some work."""
    asked = []

    def note(connection, cursor, statement, parameters, *_):
        if "FROM checklists" in statement:
            asked.append((statement, parameters))

    event.listen(records.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(records.database.engine, "before_cursor_execute", note)
    (statement, parameters), *_ = asked
    with records.reading() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if not records.database.is_sqlite:
            # A few thousand rows are read soonest from one end to the other; the question is what it can do.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN"
        rows = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
