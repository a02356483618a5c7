"""`dosegate impact DRUG`: what the stored checklists would be under the rules on disk."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from service.app import records_of
from service.checklist.engine import EngineFault
from tests.api.sending import a_request
from tests.builders import request_for
from tests.cli.command import on_terminal, run
from tests.kept import keep, rules_folder
from tests.records.test_rules_change import EDITS, PACK

FIRST = datetime(2026, 10, 6, 18, 0, 0, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def site(settings, monkeypatch):
    """The environment of a site, and what keeps its checklists: each is made an hour after the last."""
    monkeypatch.setenv("DOSEGATE_DATABASE_URL", settings.database)
    monkeypatch.setenv("DOSEGATE_SIGNING_KEYS", str(settings.keys))
    monkeypatch.setattr("service.records.impact._BATCH", 2)
    with closing(records_of(settings, FIRST)) as records:
        made = []

        def kept(document, *, days=0):
            made.append(keep(records, document, FIRST + len(made) * HOUR + timedelta(days=days)))
            return made[-1]

        yield kept


def of(number, **changes):
    return a_request(patient={"id": f"CANARY-{number}"}, **changes)


def assessed(folder, *options):
    done = run("impact", "Uplizna", "--rules", folder, "--json", *options)
    assert done.exit_code in (0, 3), done.stderr
    return done.exit_code, json.loads(done.stdout)


def test_what_would_change_is_listed_by_rule_and_only_the_assessment_is_recorded(site, sql, tmp_path):
    unsure = {"hbsag": {"value": "indeterminate", "at": "2026-09-01"}}
    an_old_test = {"pregnancy_test": {"value": "negative", "at": "2026-10-03"}}
    missing = [site(of(number, without=["anti_hbc_total"])) for number in (1, 2)]
    refused = site(of(3, with_=unsure))
    stricter = site(of(4, with_=an_old_test))
    corrected = site(of(5, without=["anti_hbc_total"]))
    correction = {"id": corrected, "reason": "the core antibody was found"}
    site(of(5, supersedes=correction))
    site(request_for("ibalizumab", "loading dose, US"))
    erased = site(of(6, without=["anti_hbc_total"]))
    sql("DELETE FROM contents WHERE checklist = ?", erased)
    before = sql("SELECT sequence FROM journal ORDER BY sequence")

    status, found = assessed(rules_folder(tmp_path / "new", EDITS))
    assert status == 3
    counts = ("assessed", "changed", "reworded", "refused", "faults", "superseded", "erased")
    assert [found[name] for name in counts] == [5, 3, 0, 1, 0, 1, 1]
    assert found["statuses"] == [
        {"before": "block", "after": "warn", "count": 2},
        {"before": "pass", "after": "warn", "count": 1},
    ]
    rules = [(each["rule"], each["before"], each["after"], each["count"]) for each in found["rules"]]
    assert rules == [
        ("hbv-screening-incomplete", "block", "warn", 2),  # what is less strict comes first
        ("pregnancy-test-missing", "pass", "warn", 1),
    ]
    assert [each["id"] for each in found["checklists"]] == [*missing, refused, stricter]
    [refusal] = found["refusals"]
    assert (refusal["path"], refusal["count"]) == ("facts.hbsag", 1)
    assert "indeterminate" not in refusal["message"]
    assert "CANARY" not in json.dumps(found)

    new = sql("SELECT sequence, event, subject, details FROM journal ORDER BY sequence")[len(before) :]
    [(_, event, subject, details)] = new
    assert (event, subject) == ("impact.assessed", "inebilizumab")
    details = details if isinstance(details, dict) else json.loads(details)
    assert (details["assessed"], details["changed"], details["refused"]) == (5, 3, 1)
    assert details["pack"] == found["pack"]["digest"]
    assert "CANARY" not in json.dumps(details)


def test_a_pharmacist_reads_the_verdict_first(site, tmp_path):
    ids = [site(of(number, without=["anti_hbc_total"])) for number in range(12)]
    site(of(13))
    folder = rules_folder(tmp_path / "new", EDITS)
    done = run("impact", "inebilizumab", "--rules", folder)
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert lines[1] == "on all checklists, made with 1.0.0 (13)"
    assert lines[3] == "12 of 13 checklists would change: 12 block → warn."
    assert lines[5:8] == ["Less strict", "", "  hbv-screening-incomplete  Hepatitis B"]
    assert "    12 ×   block → warn" in lines
    assert ids[0] in done.stdout
    assert ids[11] not in done.stdout
    assert "and 2 more; --json lists every one" in done.stdout
    assert "CANARY" not in done.stdout

    named = run("impact", "inebilizumab", "--rules", folder, "--patients")
    assert f"{ids[0]}  2026-10-06  CANARY-0\n" in named.stdout


@pytest.mark.any_database
def test_nothing_changes_under_the_rules_it_was_made_with(site):
    site(of(1, without=["hbsag"]))
    done = run("impact", "inebilizumab")
    assert (done.exit_code, done.stdout.splitlines()[3]) == (
        0,
        "Nothing would change: 1 checklist would come out as before.",
    )
    assert (
        "there is no checklist to evaluate" in run("impact", "inebilizumab", "--until", "2020-01-01").stdout
    )


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Screening for hepatitis B before", "Hepatitis B before", (0, 0, [])),  # is not said to this patient
        ("Send the missing hepatitis B marker, and", "Send it, and", (0, 1, ["action"])),
        ("nothing_found: The patient is 18 or older.", "nothing_found: Of age.", (0, 1, ["message"])),
        ("minutes_after: 60", "minutes_after: 30", (1, 0, ["minutes_after"])),
    ],
)
def test_other_words_are_told_apart_from_other_answers(site, tmp_path, old, new, expected):
    site(of(1, without=["anti_hbc_total"]))
    _, found = assessed(rules_folder(tmp_path / "new", [(PACK, old, new)]))
    differs = [part for each in found["rules"] for part in each["differs"]]
    assert (found["changed"], found["reworded"], differs) == expected


@pytest.mark.any_database
def test_a_name_that_the_rules_no_longer_have_is_refused_and_nothing_else(site, tmp_path):
    site(of(1, drug="Uplizna"))
    site(of(2, drug="inebilizumab"))
    folder = rules_folder(tmp_path / "new", [(PACK, "brands: [Uplizna]", "brands: [Other]")])
    found = json.loads(run("impact", "inebilizumab", "--rules", folder, "--json").stdout)
    assert (found["assessed"], found["changed"], found["refused"]) == (2, 0, 1)
    assert found["refusals"][0]["path"] == "drug"


def test_the_days_bound_what_is_assessed(site, tmp_path):
    ids = [site(of(days, without=["anti_hbc_total"]), days=days) for days in range(3)]
    folder = rules_folder(tmp_path / "new", EDITS)
    for options, expected in (
        (("--since", "2026-10-07"), ids[1:]),
        (("--until", "2026-10-07"), ids[:2]),
        (("--since", "2026-10-07", "--until", "2026-10-07"), ids[1:2]),
    ):
        _, found = assessed(folder, *options)
        assert [each["id"] for each in found["checklists"]] == expected


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("uplisna",), "no drug here has this name"),
        (("inebilizumab", "--since", "yesterday"), "'yesterday' does not match"),
        (("inebilizumab", "--since", "2026-10-07", "--until", "2026-10-06"), "is after --until"),
    ],
)
def test_bad_input_is_refused_and_not_recorded(site, sql, options, said):
    done = run("impact", *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert sql("SELECT event FROM journal WHERE event = 'impact.assessed'") == []


@pytest.mark.any_database
def test_a_terminal_shows_how_far_it_has_come(site, settings):
    site(of(1))
    environment = {"DOSEGATE_DATABASE_URL": settings.database, "DOSEGATE_SIGNING_KEYS": str(settings.keys)}
    status, shown = on_terminal("impact", "inebilizumab", env=environment)
    assert status == 0
    assert "evaluated" in shown
    assert "1 checklist would come out as before" in shown


@pytest.mark.any_database
def test_a_fault_of_the_engine_is_told_apart_from_the_rules(site, tmp_path, monkeypatch):
    kept = [site(of(1)), site(of(2, without=["hbsag"]))]

    def fail(*_):
        raise EngineFault("made to fail")

    monkeypatch.setattr("service.checklist.engine.Engine.decide", fail)
    status, found = assessed(rules_folder(tmp_path / "new", EDITS[:1]))
    assert (status, found["changed"], found["faults"], found["rules"]) == (3, 2, 2, [])
    assert [(each["id"], each["fault"], each["after"]) for each in found["checklists"]] == [
        (id, True, "block") for id in kept
    ]


@pytest.mark.any_database
@pytest.mark.parametrize("damage", ["{", "{}", '{"pack":{"version":"1.0.0"}}'])
def test_a_damaged_checklist_is_named_and_stops_nothing(site, unguarded, damage):
    damaged, _whole = site(of(1)), site(of(2))
    unguarded("UPDATE contents SET result = ? WHERE checklist = ?", damage.encode(), damaged)
    done = run("impact", "inebilizumab", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["assessed"], found["refused"], found["changed"]) == (3, 2, 1, 0)
    assert [each["id"] for each in found["checklists"]] == [damaged]
    assert "cannot be evaluated" in found["refusals"][0]["message"]
