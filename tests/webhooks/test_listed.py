"""Infusions from an uploaded list: what is read, what is refused, and what is kept of it."""

import json
from contextlib import closing
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.app import records_of
from service.records.erasure import Reason, erase, held
from service.records.journal import Act
from service.webhooks.incoming import Message, Type
from service.webhooks.infusions import keep_infusion
from service.webhooks.list_reading import MOST_BYTES, MOST_LINES, BadList, read_list, text_of
from service.webhooks.listed import Does, OtherwiseNow, UploadedLists
from tests.builders import shipped

NOW = datetime(2026, 10, 6, 12, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
ACT = Act("user:nina", "nurse", "a-request", NOW)
HEAD = "reference,patient,drug,infusion_at\n"
ONE = HEAD + "R1,MRN-1,Uplizna,2026-10-07 09:00\n"


def read(text):
    return read_list(text, shipped(), NOW, CHICAGO)


def wrong(text):
    """Line, column and message of what is wrong."""
    return [(each.line, each.column, each.message) for each in read(text).errors]


@pytest.fixture
def records(settings):
    with closing(records_of(settings, NOW)) as opened:
        yield opened


@pytest.fixture
def lists(records):
    return UploadedLists(records, shipped(), CHICAGO)


def take(lists, text, *, without_bad=False):
    return lists.take(text, ACT, seen=lists.preview(text, ACT).digest, without_bad=without_bad)


@pytest.fixture
def kept(sql):
    return lambda: sql(
        "SELECT reference, patient, drug, infusion_at, state FROM infusions ORDER BY reference"
    )


# Reading


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_come_in_any_order_and_case_as_any_spreadsheet_writes_them(separator, mark, end):
    rows = [
        ["Drug", "Time", "PATIENT", "date", "Reference"],
        ["Trogarzo", "9:05", '"M;R,N"', "2026-10-07", "R1"],
    ]
    text = mark + end.join(separator.join(row) for row in rows) + end
    found = read(text_of(text.encode()))
    assert found.errors == ()
    [line] = found.lines
    assert (line.line, line.reference, line.patient, line.drug) == (2, "R1", "M;R,N", "ibalizumab")
    assert line.infusion_at.isoformat() == "2026-10-07T09:05:00-05:00"


def test_a_time_without_an_offset_is_the_sites_and_one_with_an_offset_is_what_it_says():
    text = HEAD + "R1,M1,Uplizna,2026-10-07T09:00\nR2,M2,Uplizna,2026-10-07T09:00:00Z\n"
    assert [each.infusion_at.isoformat() for each in read(text).lines] == [
        "2026-10-07T09:00:00-05:00",
        "2026-10-07T04:00:00-05:00",
    ]


def test_columns_that_are_not_used_are_named_and_empty_lines_passed_over():
    found = read("reference,patient,drug,infusion_at,Room\n\nR1,M1,Uplizna,2026-10-07 09:00,7\n,,,,\n")
    assert found.unused == ("Room",)
    assert [each.line for each in found.lines] == [3]


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        (",M1,Uplizna,2026-10-07 09:00,", "reference", "is missing"),
        ("R1,,Uplizna,2026-10-07 09:00,", "patient", "is missing"),
        (f"R1,{'x' * 201},Uplizna,2026-10-07 09:00,", "patient", "longer than 200"),
        ("R1,M1,,2026-10-07 09:00,", "drug", "is missing"),
        (
            "R1,M1,Inebilizumap,2026-10-07 09:00,",
            "drug",
            "Names that look like it: inebilizumab",
        ),
        ("R1,M1,aspirin,2026-10-07 09:00,", "drug", "is not a drug that has rules here"),
        ("R1,M1,Uplizna,,", "infusion_at", "is missing"),
        ("R1,M1,Uplizna,07.10.2026 09:00,", "infusion_at", "written as 2026-12-01 09:00"),
        ("R1,M1,Uplizna,10/7/2026 9:00 AM,", "infusion_at", "written as 2026-12-01 09:00"),
        ("R1,M1,Uplizna,2026-02-30 09:00,", "infusion_at", "is no date: write year"),
        ("R1,M1,Uplizna,2026-10-07 25:00,", "time", "is no time of day"),
        ("R1,M1,Uplizna,2026-10-05 23:59,", "infusion_at", "is before today, 2026-10-06"),
        ("R1,M1,Uplizna,2027-10-08 09:00,", "infusion_at", "more than 366 days"),
        ("R1,M1,Uplizna,2027-03-14 02:30,", "infusion_at", "does not exist on that day"),
        ("R1,M1,Uplizna,2026-11-01 01:30,", "infusion_at", "comes twice on that day"),
        ("R1,M1,Uplizna,2026-10-07 09:00,EU", "region", "is not US"),
        ("R1,M1,Uplizna,2026-10-07 09:00,US,more", None, "more cells than the heading"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_column_and_the_way_out(cells, column, says):
    text = f"reference,patient,drug,infusion_at,region\nR0,M0,Trogarzo,2026-10-06 06:00,us\n{cells}\n"
    found = read(text)
    [(line, where, message)] = wrong(text)
    assert (line, where) == (3, column)
    assert says in message
    assert [each.reference for each in found.lines] == ["R0"]


def test_all_that_is_wrong_with_a_line_is_said_at_once():
    assert [each[1] for each in wrong(HEAD + ",M1,nothing,soon\n")] == ["reference", "drug", "infusion_at"]


def test_of_two_lines_with_one_reference_or_of_one_visit_neither_is_taken():
    text = HEAD + "".join(
        [
            "R1,M1,Uplizna,2026-10-07 09:00\n",
            "R1,M2,Uplizna,2026-10-07 09:00\n",
            "R3,M3,Uplizna,2026-10-07 09:00\n",
            "R4,M3,inebilizumab,2026-10-07 14:00\n",
            "R5,M3,inebilizumab,2026-10-08 14:00\n",
        ]
    )
    assert [each.reference for each in read(text).lines] == ["R5"]
    assert [(line, column) for line, column, _ in wrong(text)] == [
        (2, "reference"),
        (3, "reference"),
        (4, "patient"),
        (5, "patient"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (HEAD, "no line below it"),
        ("patient,drug,infusion_at\nM1,Uplizna,2026-10-07 09:00\n", "no column reference"),
        ("reference,patient,drug,date\nR,M,Uplizna,2026-10-07\n", "infusion_at (or date and time)"),
        ("reference,patient,drug,infusion_at,date\nR,M,U,x,y\n", "one way to say when"),
        ("reference,patient,drug,drug,infusion_at\nR,M,U,U,x\n", "drug more than once"),
        (HEAD + 'R1,"M1,Uplizna,2026-10-07 09:00\n', "quotation mark in line 2"),
        (HEAD + "R,M,U,x\n" * (MOST_LINES + 1), "more than 1000 lines"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_list_is_refused_whole(text, says):
    with pytest.raises(BadList) as refused:
        read(text)
    assert says in refused.value.reason
    assert "MRN" not in str(refused.value)


@pytest.mark.parametrize(
    "body", [b"reference;patient\nM\xfcller", b"PK\x03\x04\0\0", b"x" * (MOST_BYTES + 1)]
)
def test_what_is_no_text_or_too_much_is_refused(body):
    with pytest.raises(BadList):
        text_of(body)


# Keeping


def test_a_preview_keeps_nothing_and_what_is_confirmed_is_kept_and_entered(lists, kept, sql):
    plan = lists.preview(ONE, ACT)
    assert [each.does for each in plan.changes] == [Does.PLANS]
    assert kept() == []
    lists.take(ONE, ACT, seen=plan.digest, without_bad=False)
    assert kept() == [("R1", "MRN-1", "inebilizumab", "2026-10-07T09:00:00-05:00", "planned")]
    [(event, actor, details)] = sql(
        "SELECT event, actor, details FROM journal WHERE event IN ('infusion.planned', 'infusion.changed')"
    )
    assert (event, actor) == ("infusion.planned", "user:nina")
    assert "MRN-1" not in str(details) and "R1" not in str(details)
    assert sql("SELECT patient FROM remarks") == [("MRN-1",)]


def test_the_same_list_again_does_nothing_and_another_time_changes_it(lists, kept, sql):
    take(lists, ONE)
    again = take(lists, ONE)
    assert [each.does for each in again.changes] == [Does.NOTHING]
    moved = take(lists, ONE.replace("09:00", "11:30"))
    [change] = moved.changes
    assert (change.does, change.before) == (
        Does.CHANGES,
        ("inebilizumab", "2026-10-07T09:00:00-05:00"),
    )
    assert [row[3] for row in kept()] == ["2026-10-07T11:30:00-05:00"]
    rows = sql(
        "SELECT event, details FROM journal "
        "WHERE event IN ('infusion.planned', 'infusion.changed') ORDER BY sequence"
    )
    assert [row[0] for row in rows] == ["infusion.planned", "infusion.changed"]
    details = rows[1][1] if isinstance(rows[1][1], dict) else json.loads(rows[1][1])
    assert details["changed"] == ["infusion_at"]


def test_a_reference_never_becomes_another_patients(lists, kept, sql):
    take(lists, ONE)
    other = ONE.replace("MRN-1", "MRN-2")
    plan = lists.preview(other, ACT)
    [error] = plan.errors
    assert (error.line, error.column) == (2, "patient")
    assert "another patient" in error.message and "MRN" not in error.message
    take(lists, other, without_bad=True)
    assert [row[1] for row in kept()] == ["MRN-1"]
    assert sql("SELECT count(*) FROM journal WHERE event = 'other_patient.refused'") != [(0,)]


def test_what_a_sender_told_of_is_left_alone(lists, records, kept, app_sender):
    begins = datetime(2026, 10, 7, 16, tzinfo=UTC)
    message = Message(Type.SCHEDULED, NOW, "E1", "MRN-1", "inebilizumab", begins, None)
    with records.writing() as writing:
        keep_infusion(writing, message, None, ACT, sender=app_sender)
    [change] = take(lists, ONE).changes
    assert (change.does, change.told_by) == (Does.TOLD, "ward")
    assert [row[0] for row in kept()] == ["E1"]


@pytest.fixture
def app_sender(records):
    from service.webhooks.senders import Senders

    return Senders(records).add("ward", ACT)[0].id


def test_a_visit_that_an_earlier_list_planned_is_not_planned_twice(lists, kept):
    take(lists, ONE)
    [change] = take(lists, ONE.replace("R1", "R2")).changes
    assert change.does is Does.TOLD
    assert [row[0] for row in kept()] == ["R1"]


def test_good_lines_are_taken_without_bad_ones_only_where_that_is_said(lists, kept):
    text = ONE + "R2,MRN-2,nothing,2026-10-07 10:00\n"
    with pytest.raises(OtherwiseNow):
        take(lists, text)
    assert kept() == []
    take(lists, text, without_bad=True)
    assert [row[0] for row in kept()] == ["R1"]


def test_what_is_otherwise_than_it_was_confirmed_is_not_kept(lists, kept):
    seen = lists.preview(ONE, ACT).digest
    with pytest.raises(OtherwiseNow) as otherwise:
        lists.take(ONE.replace("Uplizna", "Trogarzo"), ACT, seen=seen, without_bad=False)
    assert [each.line.drug for each in otherwise.value.plan.changes] == ["ibalizumab"]
    take(lists, ONE.replace("09:00", "10:00"))
    with pytest.raises(OtherwiseNow):
        lists.take(ONE, ACT, seen=seen, without_bad=False)
    assert [row[3] for row in kept()] == ["2026-10-07T10:00:00-05:00"]


def test_it_is_erased_with_the_patient(lists, records, kept, sql):
    take(lists, ONE)
    erase(records, "MRN-1", held(records, "MRN-1"), Reason.PATIENT_REQUEST, ACT)
    assert kept() == []
    for table in ("remarks", "journal", "infusions"):
        assert "MRN-1" not in str(sql(f"SELECT * FROM {table}"))
