"""docs/security.md names tests: each of them is there. Each guard that can be removed is too."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.security.without_guards import GUARDS, ROOT

THREATS = ("Spoofing", "Tampering", "Repudiation", "Information disclosure", "Denial of service", "Elevation")
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\w[^|]*): ([^|]+)\| ([^|]+)\| ([^|]+)\|$", DOCUMENT, re.MULTILINE)


@cache
def known_in(file):
    """The names of the tests of a file, as pytest collects them here: functions of the module alone."""
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {
        each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1].strip()}"[:60])
def test_every_line_names_tests_that_are_there(row):
    named = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", row[3])
    assert named, row
    for file, test in named:
        assert test in known_in(file), (file, test)
        assert Path(file).name.startswith("test_")


def test_every_kind_of_threat_has_its_lines():
    assert {row[0] for row in ROWS} == set(THREATS)
    table = DOCUMENT.partition("## STRIDE")[2].partition("##")[0]
    assert len(ROWS) == len(re.findall(r"^\| ", table, re.MULTILINE)) - 1  # the heading


def test_every_guard_is_where_it_is_said_to_be_and_its_tests_too():
    for guard in GUARDS:
        assert guard.there in (ROOT / guard.file).read_text(), guard.name
        for test in guard.tests:
            file, _, name = test.removeprefix("tests/").partition("::")
            assert not name or name in known_in(file), test
