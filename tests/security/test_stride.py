"""docs/security.md names tests: each of them is there. Each guard that can be removed is too."""

import re

import pytest

from tests.named import is_there
from tests.security.without_guards import GUARDS, ROOT

THREATS = ("Spoofing", "Tampering", "Repudiation", "Information disclosure", "Denial of service", "Elevation")
DOCUMENT = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\w[^|]*): ([^|]+)\| ([^|]+)\| ([^|]+)\|$", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1].strip()}"[:60])
def test_every_line_names_tests_that_are_there(row):
    named = re.findall(r"`([a-z_/]*test_[a-z_]+\.py::test_\w+)`", row[3])
    assert named and len(named) == row[3].count("::"), row
    assert [test for test in named if not is_there(f"tests/{test}")] == []


def test_every_kind_of_threat_has_its_lines():
    assert {row[0] for row in ROWS} == set(THREATS)
    table = DOCUMENT.partition("## STRIDE")[2].partition("##")[0]
    assert len(ROWS) == len(re.findall(r"^\| ", table, re.MULTILINE)) - 1  # the heading


def test_every_guard_is_where_it_is_said_to_be_and_its_tests_too():
    for guard in GUARDS:
        assert guard.there in (ROOT / guard.file).read_text(), guard.name
        assert [test for test in guard.tests if not is_there(test)] == []
