"""Prints how each requirement is met: `python -m tests.ehr.conformance.matrix`."""

import re
import sys
from pathlib import Path

import pytest

from tests.ehr.conformance.requirements import REQUIREMENTS

_NUMBER = re.compile(r"::test_(\d+)_")


class _Results:
    """Notes for each number whether all its tests passed."""

    def __init__(self):
        self.passed = {}

    def pytest_runtest_logreport(self, report):
        number = _NUMBER.search(report.nodeid)
        if number and (report.when == "call" or not report.passed):
            known = self.passed.get(int(number[1]), True)
            self.passed[int(number[1])] = known and report.passed


def lines(passed):
    """The matrix as lines, and how many requirements are open."""
    counts = {"met": 0, "not applicable": 0, "open": 0}
    for number, (says, why_not) in REQUIREMENTS.items():
        state = "open" if not passed.get(number) else "met" if why_not is None else "not applicable"
        counts[state] += 1
        yield f"{number:>4}  {state:<15} {says}" + (f" ({why_not})" if why_not else "")
    yield "CDS Hooks 2.0, service: " + ", ".join(f"{count} {state}" for state, count in counts.items())


def main():
    """Run the tests and print the matrix; the exit status is that of the tests."""
    results = _Results()
    status = pytest.main(["-q", "-n", "0", "--no-header", str(Path(__file__).parent)], plugins=[results])
    print("\n".join(lines(results.passed)))
    return status


if __name__ == "__main__":
    sys.exit(main())
