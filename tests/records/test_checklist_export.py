"""Checklists taken out: what is in a line, what a spreadsheet must not run, and how much memory it takes."""

import csv
import io
import json
import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest

from service.intake.filters import Filters
from service.records.checklist_export import Format, export
from service.records.csv_lines import csv_line
from service.records.database import StoreUnavailable
from tests.records.seeding import HBV, IGG, PML, answer, checklist, keep_many, outcome

MADE = [
    checklist(
        0, [PML, IGG], request=b'\xef\xbb\xbf{"dose":\r\n 1.50, "note": "a\\nb"}\n', trace=b'{"a": 1.0}'
    ),
    checklist(1, patient='=HYPERLINK("http://x")'),
    checklist(2, [HBV], supersedes=checklist(0).id),
]


@pytest.fixture
def clinic(records, basis):
    """Three checklists; the first is answered and has an outcome."""
    keep_many(records, basis, MADE)
    with records.writing() as writing:
        answer(writing, MADE[0], PML, comment='+1 a doctor said, "go on"\nand so we do')
        answer(writing, MADE[0], IGG, "need-more-info")
        outcome(writing, MADE[0], "held")
        outcome(writing, MADE[0], "infused")
    return records


def written(records, act, form, **filters):
    taken = export(records, Filters(**filters), form, act)
    return taken.head + b"".join(taken.parts)


def test_a_line_of_ndjson_holds_all_that_is_kept_and_was_done(clinic, act):
    first, *_, last = written(clinic, act, Format.NDJSON).decode().splitlines()
    assert '"request":{"dose":   1.50, "note": "a\\nb"},"result":' in first
    assert first.endswith(',"trace":{"a": 1.0}}')
    given = json.loads(first)
    assert given.pop("result") == json.loads(MADE[0].result)
    [pml, igg] = given.pop("answers")
    assert given == {
        "id": MADE[0].id,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "drug": "inebilizumab",
        "status": "block",
        "infusion_at": "2026-01-02T00:00:00+00:00",
        "patient": "MRN-0",
        "actor": "user:nina",
        "pack": "sha256:pack",
        "flags": [vars(IGG), vars(PML)],
        "supersedes": None,
        "superseded_by": MADE[2].id,
        "outcome": {
            "outcome": "infused",
            "actor": "user:paul",
            "at": "2026-01-01T02:00:00.000000Z",
            "reason": "finding-stands",
            "comment": None,
        },
        "request": {"dose": 1.5, "note": "a\nb"},
        "trace": {"a": 1.0},
    }
    assert (pml["rule"], pml["answer"], pml["comment"][:2]) == ("pml-signs", "overridden", "+1")
    assert (igg["rule"], igg["answer"], igg["reason"]) == ("igg-low", "acknowledged", "need-more-info")
    assert json.loads(last)["supersedes"] == MADE[0].id


def test_a_line_of_csv_is_a_finding_and_how_it_was_answered(clinic, act):
    rows = read(written(clinic, act, Format.CSV))
    assert [(row["checklist"], row["check"], row["verdict"], row["finding_status"]) for row in rows] == [
        (MADE[0].id, "pml", "holds", "block"),
        (MADE[0].id, "immunoglobulins", "holds", "warn"),
        (MADE[0].id, "age", "", "pass"),
        (MADE[1].id, "age", "", "pass"),
        (MADE[2].id, "hepatitis_b", "undecided", "block"),
        (MADE[2].id, "age", "", "pass"),
    ]
    assert rows[0] | {"comment": ""} == {
        "checklist": MADE[0].id,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "drug": "inebilizumab",
        "status": "block",
        "infusion_at": "2026-01-02T00:00:00+00:00",
        "patient": "MRN-0",
        "actor": "user:nina",
        "check": "pml",
        "rule": "pml-signs",
        "verdict": "holds",
        "finding_status": "block",
        "kind": "contraindication",
        "message": "pml-signs holds.",
        "answer": "overridden",
        "answered_by": "user:paul",
        "answered_at": "2026-01-01T00:07:00.000000Z",
        "reason": "risk-benefit-ratio",
        "comment": "",
    }
    assert rows[0]["comment"] == '\'+1 a doctor said, "go on"\nand so we do'
    assert rows[3]["patient"] == '\'=HYPERLINK("http://x")'


def read(text):
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


@pytest.mark.parametrize("bad", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=1", "＝1", "＠x"])
def test_no_cell_is_a_formula(bad):
    [[before, cell]] = csv.reader(io.StringIO(csv_line(["x", bad]).decode(), newline=""))
    assert (before, cell) == ("x", f"'{bad}")


def test_of_an_erased_patient_a_line_says_what_is_left(clinic, act, sql):
    sql("DELETE FROM contents")
    whole = [json.loads(line) for line in written(clinic, act, Format.NDJSON).splitlines()]
    assert [(each["patient"], each["request"], each["result"], each["trace"]) for each in whole] == [
        (None, None, None, None)
    ] * 3
    rows = read(written(clinic, act, Format.CSV))
    assert [(row["rule"], row["message"], row["answer"]) for row in rows] == [
        ("igg-low", "", "acknowledged"),
        ("pml-signs", "", "overridden"),
        ("", "", ""),
        ("hbv-screening-incomplete", "", ""),
    ]


def test_an_export_is_entered_before_its_first_line_and_ends_at_its_own_time(clinic, act, sql):
    at = MADE[1].created_at + timedelta(seconds=1)
    taken = export(clinic, Filters(patient="MRN-0"), Format.CSV, replace(act, at=at))
    [(details,)] = sql("SELECT details FROM journal WHERE event = 'checklists.exported'")
    details = details if isinstance(details, dict) else json.loads(details)
    [(patient, parts)] = sql("SELECT patient, parts FROM remarks WHERE id = ?", details.pop("remark"))
    assert details == {"filters": ["patient"], "format": "csv", "checklists": 1}
    assert patient == "MRN-0"
    assert "MRN-0" in str(parts)
    assert len(list(taken.parts)) == taken.checklists == 1

    taken = export(clinic, Filters(), Format.NDJSON, replace(act, at=at))
    assert taken.checklists == 2
    assert [json.loads(part)["id"] for part in taken.parts] == [MADE[0].id, MADE[1].id]


@pytest.mark.any_database
def test_an_export_whose_records_fail_breaks_off(clinic, act, monkeypatch):
    taken = export(clinic, Filters(), Format.CSV, act)

    def gone():
        raise StoreUnavailable("gone")

    monkeypatch.setattr(clinic, "reading", gone)
    with pytest.raises(StoreUnavailable):
        list(taken.parts)


MANY, SIZE = 2000, 4000
MOST = 2 * 1024 * 1024


def test_an_export_takes_the_memory_of_a_few_checklists(records, basis, act):
    findings = [{"check": "age", "rule": None, "status": "pass", "kind": "ok", "message": "x" * SIZE}]
    result = json.dumps({"findings": findings}).encode()
    keep_many(records, basis, [checklist(number, result=result) for number in range(MANY)])
    for form in Format:
        taken = export(records, Filters(), form, act)
        tracemalloc.start()
        try:
            sizes = [len(part) for part in taken.parts]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(sizes) == taken.checklists == MANY
        assert sum(sizes) > MANY * SIZE > 3 * MOST
        assert peak < MOST, form
