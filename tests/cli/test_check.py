"""`dosegate check`: one request, read by a nurse or by a program."""

import json
import re
from datetime import datetime

import pytest

from service.knowledge.library import load_library
from tests.cli.command import changed, example, python, run, start, written

CLEAR, BLOCKED = example("inebilizumab"), example("blocked")
WARNED = changed(CLEAR, without=["tb_risk_factors"])


@pytest.mark.parametrize(("document", "status"), [(CLEAR, 0), (WARNED, 3), (BLOCKED, 4)])
def test_the_exit_status_is_0_for_pass_3_for_warn_and_4_for_block(tmp_path, document, status):
    outcome = run("check", written(tmp_path, document))
    assert (outcome.exit_code, outcome.stderr) == (status, "")


@pytest.mark.parametrize(("document", "status"), [(CLEAR, 0), (WARNED, 3), (BLOCKED, 4)])
def test_the_exit_status_is_the_same_with_json(tmp_path, document, status):
    outcome = run("check", written(tmp_path, document), "--json")
    assert outcome.exit_code == status
    assert {"pass": 0, "warn": 3, "block": 4}[json.loads(outcome.stdout)["status"]] == status


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (CLEAR, "● PASS   Nothing found: 19 checks, 1 not applicable."),
        (WARNED, "▲ CHECK   1 warning, 1 fact missing."),
        (BLOCKED, "■ HOLD   2 blocks, 3 warnings, 2 facts missing. Earliest start 2026-10-20."),
    ],
)
def test_one_line_gives_the_decision_with_its_counts_and_the_earliest_start(tmp_path, document, line):
    printed = run("check", written(tmp_path, document)).stdout.splitlines()
    assert [each.strip() for each in printed].count(line) == 1


def test_the_header_names_patient_drug_class_time_dose_and_what_the_drug_is_not(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    header = printed.partition("HOLD")[0]
    for said in (
        "Patient DEMO-0004",
        "Tue 2026-10-06 13:00 (-05:00)",
        "US rules",
        "Inebilizumab (Uplizna): CD19-directed antibody",
        "Not ibalizumab (Trogarzo; CD4-directed",
        "Not inotuzumab ozogamicin (Besponsa; CD22-directed",
        "Dose number 1",
        "Ordered dose 300 mg",
    ):
        assert said in header


def test_a_block_says_why_what_to_do_what_would_pass_where_it_stands_and_who_may_override(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    block = printed.partition("■ BLOCK  Hepatitis B")[2].partition("■ BLOCK")[0]
    for said in (
        "not known",
        "total hepatitis B core antibody (anti-HBc)",
        "Do        Send the missing hepatitis B marker, and hold until it is back.",
        "hepatitis B surface antigen (HBsAg): negative, 2026-09-01,",
        "laboratory report 31",
        "Passes if total hepatitis B core antibody (anti-HBc) is negative",
        "Source    UPLIZNA prescribing information (US), revised 2020, section 2.1",
        "Override  only by the prescriber, on record",
    ):
        assert said in block


def test_a_finding_that_time_lifts_says_on_which_day(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    assert "vaccinations: MMR (03), live, 2026-09-22, given" in printed
    assert "Lifts on  2026-10-20, by time alone" in printed


def test_what_is_missing_is_asked_with_its_question_its_help_and_how_to_answer(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    asked = printed.partition("Ask: 2 facts, most decisive first")[2].partition("Nothing found")[0]
    assert "1  What is the latest total hepatitis B core antibody (anti-HBc) result?" in asked
    assert "Total anti-HBc; a result for IgM alone does not answer this." in asked
    assert "anti_hbc_total: positive, negative or indeterminate" in asked
    assert "2  Does the patient have risk factors for tuberculosis?" in asked
    assert "ask the patient; tb_risk_factors: yes or no" in asked


def test_the_worst_findings_come_first_and_passed_checks_last(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    places = [printed.rindex(word) for word in ("■ BLOCK", "▲ WARN", "● PASS", "○ n/a")]
    assert places == sorted(places)
    assert printed.index("▲ WARN") > printed.rindex("■ BLOCK")


def test_every_check_of_the_pack_is_on_the_page(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    for check in load_library().find("inebilizumab").checks:
        assert re.search(rf"(BLOCK|WARN|PASS|n/a) +{re.escape(check.title)}", printed), check.title


def test_the_foot_gives_observation_pack_version_digest_and_the_limits_of_the_answer(tmp_path):
    pack = load_library().find("inebilizumab")
    printed = run("check", written(tmp_path, BLOCKED)).stdout
    assert "Afterwards: observe 60 minutes." in printed
    assert f"Rules inebilizumab {pack.version} {pack.digest[:19]}" in printed
    assert "Not recorded. This supports clinical judgement and does not replace it." in printed


def test_advice_with_a_time_window_is_given_in_the_minutes_of_the_sites_policy(tmp_path):
    printed = " ".join(run("check", written(tmp_path, BLOCKED)).stdout.split())
    assert "time given is 15 to 75 minutes before infusion" in printed


def test_a_value_with_a_unit_is_written_as_on_a_chart(tmp_path):
    low = changed(CLEAR, anc={"value": 0.4, "unit": "10*9/L", "at": "2026-10-05", "source": "lab 7"})
    assert "(ANC): 0.4 10⁹/L, 2026-10-05, lab 7" in run("check", written(tmp_path, low)).stdout


def test_a_converted_value_that_does_not_end_is_shortened_and_says_so(tmp_path):
    fever = changed(CLEAR, temperature={"value": 100.5, "unit": "[degF]", "at": "2026-10-06T12:05:00-05:00"})
    assert "temperature: about 38.056 °C, 2026-10-06 12:05" in run("check", written(tmp_path, fever)).stdout


def test_a_time_is_shown_at_the_offset_of_the_infusion(tmp_path):
    taken = {"value": 39.0, "unit": "Cel", "at": "2026-10-06T17:05:00+00:00"}
    assert (
        "39 °C, 2026-10-06 12:05" in run("check", written(tmp_path, changed(CLEAR, temperature=taken))).stdout
    )


def test_json_is_the_result_document_and_says_that_nothing_was_recorded(tmp_path):
    result = json.loads(run("check", written(tmp_path, BLOCKED), "--json").stdout)
    assert (result["id"], result["drug"], result["eligible_from"]) == (
        "not-recorded",
        "inebilizumab",
        "2026-10-20",
    )
    assert result["needs"] == ["anti_hbc_total", "tb_risk_factors"]
    assert datetime.fromisoformat(result["evaluated_at"]).tzinfo is not None
    assert "trace" not in result


def test_trace_with_json_adds_the_trace_of_every_rule_to_the_result(tmp_path):
    result = json.loads(run("check", written(tmp_path, BLOCKED), "--json", "--trace").stdout)
    traced = [rule["rule"] for check in result["trace"]["checks"] for rule in check["rules"]]
    assert traced == [rule.id for rule in load_library().find("inebilizumab").rules]


def test_trace_prints_every_rule_as_a_tree_with_its_verdict_and_the_values_compared(tmp_path):
    printed = run("check", written(tmp_path, BLOCKED), "--trace").stdout
    tree = printed.partition("Trace: every rule, fired or not")[2]
    for rule in load_library().find("inebilizumab").rules:
        assert re.search(rf"(◆ holds|\? undecided|· ruled out)  {re.escape(rule.id)}  \(", tree), rule.id
    assert "◆ holds  live-vaccine-within-4-weeks  (BLOCK)" in tree
    assert "? undecided  hbv-screening-incomplete  (BLOCK)" in tree
    assert "- no  age in completed years is below 18  [46; date of birth:" in tree


@pytest.mark.parametrize("drug", ["inebilizumab", "ibalizumab", "inotuzumab_ozogamicin"])
def test_the_example_of_each_drug_passes(tmp_path, drug):
    assert run("check", written(tmp_path, example(drug))).exit_code == 0


def test_a_request_is_read_from_standard_input():
    outcome = start("check", "-", stdin=json.dumps(BLOCKED).encode())
    assert outcome.returncode == 4
    assert "■ HOLD" in outcome.stdout.decode()


def test_another_policy_of_the_site_counts(tmp_path):
    policy = tmp_path / "policy.yaml"
    text = load_library().texts["policy.yaml"]
    policy.write_text(
        text.replace("reinitiation_gap_days:\n    value: 365", "reinitiation_gap_days:\n    value: 364")
    )
    assert policy.read_text() != text
    given, shipped = (
        json.loads(run("check", written(tmp_path, CLEAR), "--json", *more).stdout)["policy"]
        for more in (("--policy", policy), ())
    )
    assert given != shipped


def test_a_check_imports_neither_web_server_nor_database(tmp_path):
    outcome = python(
        "import atexit, sys",
        "from service.cli import main",
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))",
        f"main(['check', {str(written(tmp_path, BLOCKED))!r}])",
    )
    assert outcome.returncode == 4
    imported = set(outcome.stderr.decode().split())
    assert "service.terminal.checklist" in imported
    assert not imported & {"flask", "sqlalchemy", "gunicorn", "service.app", "service.records"}


def test_json_does_not_wait_for_the_terminal_library(tmp_path):
    outcome = python(
        "import atexit, sys",
        "from service.cli import main",
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))",
        f"main(['check', '--json', {str(written(tmp_path, BLOCKED))!r}])",
    )
    assert "rich" not in outcome.stderr.decode().split()
