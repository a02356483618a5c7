"""`dosegate lint`: the shipped rules are sound, and a mistake in a copy of them is found at its line."""

import csv
import io
import re
import shutil
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from service.knowledge.library import load_library
from service.terminal.shelf import report
from tests.cli.command import example, run, written

PACK = "drugs/inebilizumab.yaml"


@pytest.fixture
def rules(tmp_path):
    """A copy of the shipped rules."""
    return Path(shutil.copytree(Path(str(files("rules"))), tmp_path / "rules"))


def edit(rules, name, old, new):
    """Change a file once; the line on which the change stands."""
    path = rules / name
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def problems(rules):
    """What lint says against the rules."""
    outcome = run("lint", "--rules", rules)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    return outcome.stderr.splitlines()


def test_the_shipped_rules_are_sound_and_every_ledger_row_is_accounted_for():
    outcome = run("lint")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    library = load_library()
    total = 0
    for pack in library.packs.values():
        rows = [row for row in library.ledger.values() if pack.id in row.drugs]
        said = re.search(
            rf"^{pack.id}: (\d+) of (\d+) ledger rows accounted for \((\d+) in rules, (\d+) in the "
            r"observation plan, (\d+) not checked with a reason\)$",
            outcome.stdout,
            re.MULTILINE,
        )
        accounted, of, *parts = map(int, said.groups())
        assert accounted == of == sum(parts) == len(rows)
        total += of
    assert f"\n{total} of {total} ledger rows accounted for\n" in outcome.stdout
    assert re.search(r"^site: (\d+) of \1 rows used$", outcome.stdout, re.MULTILINE)
    assert ", 0 undeclared\n" in outcome.stdout


def test_a_misspelt_fact_is_found_at_its_line_with_the_nearest_name(rules):
    edit(rules, PACK, "block_if: {hbsag: {is: positive}}", "block_if: {hbsaag: {is: positive}}")
    (line,) = problems(rules)
    assert re.fullmatch(
        r"dosegate: rules/drugs/inebilizumab.yaml, line (\d+), hbv-active: "
        r'the fact "hbsaag" is not in rules/facts.yaml. Did you mean "hbsag".*',
        line,
    )
    assert abs(int(re.search(r"line (\d+)", line)[1]) - _line_of(rules, "hbsaag")) <= 1


def test_an_unknown_that_passes_is_refused(rules):
    edit(rules, PACK, 'if_unknown: {block: "Record the date of birth."}', "if_unknown: {pass: Go on.}")
    (line,) = problems(rules)
    assert line.startswith(f"dosegate: rules/{PACK}, line ")
    assert ", under-18: " in line
    assert '"pass" is no answer to the unknown: say block or warn' in line
    assert abs(int(re.search(r"line (\d+)", line)[1]) - _line_of(rules, "{pass: Go on.}")) <= 1


def test_a_key_that_stands_twice_is_found_at_its_second_line(rules):
    edit(rules, PACK, "    title: Age\n", "    title: Age\n    title: Years\n")
    assert problems(rules) == [
        f"dosegate: rules/{PACK}, line {_line_of(rules, 'title: Years')}, checks.age: "
        'the key "title" stands here twice'
    ]


def test_a_ledger_row_that_nothing_accounts_for_is_named(rules):
    text = (rules / PACK).read_text("utf-8")
    row = re.search(r"^  (ineb\.patientcard): .*\n", text, re.MULTILINE)
    (rules / PACK).write_text(text.replace(row[0], ""), "utf-8")
    (line,) = problems(rules)
    assert line.startswith(f"dosegate: rules/{PACK}, line ")
    assert "the ledger row ineb.patientcard is used by no rule" in line


def test_a_row_that_the_ledger_does_not_have_is_named_with_the_nearest(rules):
    edit(rules, PACK, "ledger: [ineb.contra.reaction, ineb.irr.manage]", "ledger: [ineb.contra.reacton]")
    found = problems(rules)
    assert any(
        '"ineb.contra.reacton"' in line and 'Did you mean "ineb.contra.reaction"' in line for line in found
    )


def test_a_row_of_the_site_that_no_pack_uses_is_refused(rules):
    ledger = rules / "ledger.csv"
    rows = list(csv.reader(io.StringIO(ledger.read_text("utf-8"))))
    extra = ["site.nobody"] + ["site" if name == "drug" else "x" for name in rows[0][1:]]
    ledger.write_text(ledger.read_text("utf-8").rstrip("\n") + "\n" + ",".join(extra) + "\n", "utf-8")
    assert problems(rules) == [
        f"dosegate: rules/ledger.csv, line {_line_of(rules, 'site.nobody,', 'ledger.csv')}, site.nobody: "
        "no pack uses this row of the site: cite it in a rule, or take it out"
    ]


def test_every_mistake_of_every_pack_is_told_at_once(rules):
    edit(rules, PACK, "    title: Age\n", "    title: Age\n    title: Years\n")
    edit(rules, "drugs/ibalizumab.yaml", "drug: ibalizumab\n", "drug: ibalizumab\ndrug: ibalizumab\n")
    found = problems(rules)
    assert len(found) == 2
    assert "rules/drugs/ibalizumab.yaml, line 2" in found[0]
    assert f"rules/{PACK}" in found[1]


def test_rules_that_lint_refuses_answer_no_request(rules, tmp_path):
    edit(rules, PACK, "block_if: {hbsag: {is: positive}}", "block_if: {hbsaag: {is: positive}}")
    outcome = run("check", "--rules", rules, written(tmp_path, example("inebilizumab")))
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert "Did you mean" in outcome.stderr


def test_a_pack_past_its_review_date_is_a_warning_and_names_its_owner():
    library = load_library()
    pack = library.packs["inebilizumab"]
    on_the_day, day_after = date.fromisoformat(pack.review_by), date(2999, 1, 1)
    assert not [line for line in report(library, on_the_day) if "inebilizumab was to be" in line]
    assert (
        f"warning: inebilizumab was to be read again by {pack.review_by}; its owner is {pack.owner}"
        in report(library, day_after)
    )


def _line_of(rules, text, name=PACK):
    lines = (rules / name).read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
