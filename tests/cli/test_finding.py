"""`dosegate checklists` and `dosegate quality`: what is found over HTTP, for whoever sits at the server."""

import csv
import io
import json
import stat
import uuid
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import insert

from service.app import records_of
from service.records.journal import Event
from service.records.stored import Basis
from service.records.tables import cards
from tests.builders import shipped
from tests.cli.command import ESCAPE, on_terminal, run, start
from tests.records.seeding import FIRST, HBV, IGG, PML, PRESCRIBER, answer, checklist, keep_many

pytestmark = pytest.mark.any_database

HIDDEN = "\N{REPLACEMENT CHARACTER}"
MADE = [
    checklist(0, [HBV, IGG]),
    checklist(1, [PML], patient=f"P{ESCAPE}]0;x\x07", drug="ibalizumab"),
    checklist(2, supersedes=checklist(0).id),
]


@pytest.fixture
def site(monkeypatch, settings):
    """The environment of a site with a few checklists, one of them overridden."""
    environment = {
        "DOSEGATE_DATABASE_URL": settings.database,
        "DOSEGATE_SIGNING_KEYS": str(settings.keys),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with closing(records_of(settings, FIRST)) as records:
        keep_many(records, Basis.of(shipped(), shipped().packs["inebilizumab"]), MADE)
        with records.writing() as writing:
            answer(writing, MADE[1], PML)
    return environment


def test_a_search_prints_each_checklist_with_what_flagged_it(site):
    shown = run("checklists", "search", "--not-superseded", "--from", "2026-01-01T00:00:00Z").stdout
    assert shown.splitlines() == [
        "● PASS  MRN-2  inebilizumab, for 2026-01-02T00:02:00+00:00",
        f"  {MADE[2].id}  made 2026-01-01 00:02 UTC by user:nina",
        f"  corrects {MADE[0].id}",
        f"■ BLOCK  P{HIDDEN}]0;x{HIDDEN}  ibalizumab, for 2026-01-02T00:01:00+00:00",
        f"  {MADE[1].id}  made 2026-01-01 00:01 UTC by user:nina",
        "  pml-signs",
    ]


def test_a_search_goes_on_where_the_page_before_ended(site):
    first = json.loads(run("checklists", "search", "--json", "--limit", "2").stdout)
    more = json.loads(run("checklists", "search", "--json", "--cursor", first["cursor"]).stdout)
    assert [hit["id"] for hit in first["checklists"] + more["checklists"]] == [
        each.id for each in reversed(MADE)
    ]
    assert more["cursor"] is None


def test_a_patient_id_is_read_from_standard_input(site):
    done = start("checklists", "search", "--patient", "--json", stdin=b"MRN-2\n", env=site)
    assert [hit["id"] for hit in json.loads(done.stdout)["checklists"]] == [MADE[2].id]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--drug", "inebilizumap"], "--drug is not a drug that has rules here, and is never corrected"),
        (["--from", "2026-01-01"], "--from must be a date and time with an offset"),
        (
            ["--infusion-from", "2026-01-02T00:00:00Z", "--infusion-to", "2026-01-01T00:00:00Z"],
            "--infusion-to must",
        ),
        (["--cursor", "x"], "--cursor is no cursor of this search"),
    ],
)
def test_a_bad_filter_is_refused_by_the_name_of_its_option(site, options, said):
    done = run("checklists", "search", *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"dosegate: {said}")


def test_an_export_writes_a_new_file_for_its_owner_only(site, tmp_path, sql):
    out = tmp_path / "findings.csv"
    done = run("checklists", "export", "--format", "csv", "--out", out, "--drug", "ibalizumab")
    assert done.stdout == f"1 checklist written to {out}\n"
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [(row["check"], row["answer"], row["answered_by"]) for row in rows] == [
        ("pml", "overridden", "user:paul"),
        ("age", "", ""),
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sql("SELECT count(*) FROM journal WHERE event = 'checklists.exported'") == [(1,)]

    again = run("checklists", "export", "--format", "csv", "--out", out)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "is there already" in again.stderr


def test_an_export_that_fails_leaves_no_file(site, tmp_path, sql):
    lost = tmp_path / "not here" / "x.ndjson"
    done = run("checklists", "export", "--format", "ndjson", "--out", lost)
    assert done.exit_code == 2
    assert "cannot be written: no such file or directory" in done.stderr
    assert sql("SELECT count(*) FROM journal WHERE event = 'checklists.exported'") == [(0,)]
    assert list(tmp_path.glob(".*")) == []


def test_an_export_on_a_terminal_shows_how_far_it_is(site, tmp_path):
    out = tmp_path / "all.ndjson"
    status, shown = on_terminal("checklists", "export", "--format", "ndjson", "--out", out, env=site)
    assert (status, len(out.read_text().splitlines())) == (0, 3)
    assert "written" in shown
    assert "100%" in shown


def test_the_figures_are_printed_with_what_to_review(site):
    shown = run("quality").stdout
    assert shown.splitlines() == [
        "2 checklists, superseded ones left out. 0 rules evaluated and never a finding.",
        "",
        "pml-signs  ibalizumab, pml",
        "  evaluated   1: 1 fired, 0 undecided",
        "  answers     1 overridden (100%), 0 acknowledged, 0 open",
        "  reasons     risk-benefit-ratio 1",
        "  answered in 7 min (median), 7 min (90th percentile)",
        "  note        More than half of its findings are overridden: review the rule",
        "              with those who override it.",
    ]

    [rule] = json.loads(run("quality", "--json", "--drug", "trogarzo").stdout)["rules"]
    assert (rule["rule"], rule["median_seconds_to_answer"]) == ("pml-signs", 420)


def test_how_cards_in_ehrs_were_taken_is_printed_with_the_reasons(site, settings):
    id = str(uuid.uuid4())
    card = {"id": id, "checklist": MADE[1].id, "findings": [["pml", "pml-signs"]], "suggestions": []}
    told = {"card": id, "at": "2026-01-01T00:05:00.000000Z", "reason": "need-more-info"}
    with closing(records_of(settings, FIRST)) as records, records.writing() as writing:
        writing.connection.execute(insert(cards), [{**card, "site": records.site, "client": "epic"}])
        writing.enter(replace(PRESCRIBER, actor="ehr:epic"), Event.CARD_OVERRIDDEN, MADE[1].id, told)
    shown = run("quality").stdout.splitlines()
    assert "  cards       1 shown, 0 accepted, 1 overridden: need-more-info 1" in shown
