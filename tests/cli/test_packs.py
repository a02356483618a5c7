"""`dosegate drugs`, `explain` and `demo`: what is on the shelf, in words."""

import csv
import io
import json
import re

import pytest

from service.knowledge.library import load_library
from service.knowledge.review import coverage
from service.terminal.words import Words
from tests.cli.command import example, run

DRUGS = tuple(load_library().packs)


def words(printed):
    """The printed text as one line, without the guides of trees."""
    return " ".join(re.sub(r"[│├└─]", " ", printed).split())


def test_drugs_lists_every_pack_with_brand_class_and_review_date():
    printed = run("drugs").stdout
    for pack in load_library().packs.values():
        row = next(line for line in printed.splitlines() if line.startswith(pack.id))
        for said in (*pack.brands, *pack.regions, pack.version, str(len(pack.rules)), pack.review_by):
            assert said in row.split()
        assert pack.drug_class in words(printed)


def test_drugs_as_json_carries_the_same_for_programs():
    listed = json.loads(run("drugs", "--json").stdout)
    packs = load_library().packs
    assert [each["id"] for each in listed] == list(packs)
    for each in listed:
        assert each["digest"] == packs[each["id"]].digest
        assert each["rules"] == len(packs[each["id"]].rules)


@pytest.mark.parametrize("drug", DRUGS)
def test_explain_shows_every_rule_and_every_ledger_row_of_the_pack(drug):
    library = load_library()
    pack = library.packs[drug]
    printed = words(run("explain", drug).stdout)
    for rule in pack.rules:
        assert f" {rule.id} " in printed
        assert rule.message in printed
        assert rule.action in printed
    account = coverage(pack, library.ledger)
    for row in account.rows | account.site:
        assert re.search(rf"(?<![\w.]){re.escape(row)}(?![\w.])", printed), row


@pytest.mark.parametrize("drug", DRUGS)
def test_explain_says_what_is_not_checked_where_sources_disagree_and_what_is_read(drug):
    pack = load_library().packs[drug]
    printed = words(run("explain", drug).stdout)
    for each in pack.not_checked:
        assert f"{each.row} States" in printed
        assert " ".join(each.reason.split()) in printed
    for conflict in pack.conflicts:
        assert f"About {conflict.about}" in printed
        assert conflict.why in printed
    for fact in pack.facts_read:
        assert f"{fact} {pack.vocabulary[fact].question}" in printed


def test_explain_gives_the_severity_of_each_region_its_condition_and_the_answer_to_an_unknown():
    printed = words(run("explain", "uplizna", "--check", "pml").stdout)
    assert "■ BLOCK in EU pml-history-eu contraindication" in printed
    assert "Unknown ▲ WARN Ask for a history of PML." in printed
    assert "Blocks if history of progressive multifocal leukoencephalopathy (PML): yes" in printed
    assert "Override none: this cannot be overridden" in printed


def test_explain_says_age_limits_with_the_number_of_the_sites_policy():
    printed = words(run("explain", "inebilizumab", "--check", "hepatitis_b").stdout)
    assert "no older than 365 days (site policy) before the date of the first dose" in printed


@pytest.mark.parametrize("drug", DRUGS)
def test_a_condition_in_words_has_no_fact_id_no_code_and_no_unit_code(drug):
    library = load_library()
    pack = library.packs[drug]
    said = Words.of(pack, library)
    for rule in pack.rules:
        for criterion in rule.concern.criteria():
            sentence = said.criterion(criterion)
            assert not re.search(r"\w_\w|\.previous|the site's|10\*9|\bCel\b", sentence), sentence


def test_a_comparison_with_an_earlier_result_is_said_in_words():
    library = load_library()
    said = Words.of(library.packs["inotuzumab_ozogamicin"], library)
    assert said.proposal("bilirubin_total is at most bilirubin total.previous") == (
        "total bilirubin is at most earlier total bilirubin"
    )
    assert said.proposal("ordered_dose is above 0.5 mg/m2 + the site's dose tolerance percent") == (
        "ordered dose is above 0.5 mg/m² + 10 %"
    )
    assert said.proposal("liver_disease is active_hepatitis") == "liver disease is active hepatitis"
    assert said.proposal("tb_risk_factors is no") == "risk factors for tuberculosis: no"


def test_explain_marks_what_nobody_has_verified():
    library = load_library()
    for pack in library.packs.values():
        printed = words(run("explain", pack.id).stdout)
        assert printed.count(" unverified") >= sum(rule.unverified for rule in pack.rules)


def test_explain_one_check_leaves_the_others_out():
    printed = run("explain", "inebilizumab", "--check", "dose").stdout
    assert "dose-above-300-mg" in printed
    assert "under-18" not in printed
    assert "Not checked before the start" not in printed


def test_explain_of_an_unknown_check_offers_the_nearest():
    outcome = run("explain", "inebilizumab", "--check", "hepatitis")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("dosegate: hepatitis: inebilizumab has no such check. Did you mean ")
    assert '"hepatitis_b"' in outcome.stderr


def test_explain_of_a_look_alike_name_is_refused_with_the_near_ones():
    outcome = run("explain", "inebulizumab")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(
        "dosegate: inebulizumab: no drug here has this name. Names that look like"
    )
    assert "inebilizumab (Uplizna)" in outcome.stderr


def test_explain_prints_source_attributes_as_csv_where_they_are_asked_for():
    every = run("explain", "uplizna", "--source-attributes")
    lines = list(csv.DictReader(io.StringIO(every.stdout)))
    assert every.exit_code == 0
    assert len(lines) == len(load_library().packs["inebilizumab"].rules)
    assert {line["Use of race"] for line in lines} == {"not used"}
    [age] = csv.DictReader(
        io.StringIO(run("explain", "uplizna", "--source-attributes", "--check", "age").stdout)
    )
    assert (age["Rule"], age["Use of date of birth"]) == ("under-18", "used: date of birth")


def test_demo_prints_a_blocked_checklist_and_succeeds():
    outcome = run("demo")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("A made-up patient.")
    assert "■ HOLD" in outcome.stdout


@pytest.mark.parametrize("drug", DRUGS)
def test_demo_has_an_example_of_each_drug(drug):
    outcome = run("demo", drug)
    assert outcome.exit_code == 0
    assert "● PASS   Nothing found" in outcome.stdout


def test_demo_hands_out_its_request_to_start_from():
    assert json.loads(run("demo", "--request").stdout) == example("blocked")


@pytest.mark.parametrize("command", ["check", "drugs", "explain", "lint", "demo", "serve"])
def test_every_command_has_help_with_its_options_explained(command):
    outcome = run(command, "--help")
    assert outcome.exit_code == 0
    assert "--rules DIRECTORY" in outcome.stdout
    assert "--policy FILE" in outcome.stdout


def test_the_help_of_check_gives_every_exit_status():
    printed = words(run("check", "--help").stdout)
    assert "Exit status: 0 pass, 3 warn, 4 block, 2 bad input, 1 internal error." in printed


def test_the_version_is_told():
    assert re.fullmatch(r"dosegate \d+\.\d+\.\d+\n", run("--version").stdout)
