"""The hazard log is whole, each control names tests that there are, and a run without one of them fails."""

from types import SimpleNamespace

import pytest

from tests.builders import ROOT
from tests.guards import safety_case
from tests.guards.controls import Controls
from tests.guards.hazards import ACCEPTED, hazard_log, risk, shown_by
from tests.named import is_there

pytest_plugins = ["pytester"]
CONFTEST = """
from tests.guards import controls

def pytest_configure(config):
    controls.watch(config, lambda: {named})
"""
TESTS = """
import pytest

@pytest.mark.parametrize("given", [1, 2])
def test_good(given):
    assert given

@pytest.mark.parametrize("given", [1, 0])
def test_once_skipped(given):
    if not given:
        pytest.skip("not here")
"""


def test_every_estimate_is_on_the_scales_of_the_file():
    log = hazard_log()
    assert set(log["risk"]) == set(log["likelihood"])
    assert all(set(row) == set(log["severity"]) for row in log["risk"].values())
    for name, hazard in log["hazards"].items():
        before, after = risk(log, hazard, "before"), risk(log, hazard, "after")
        assert after <= before and after <= ACCEPTED, name


def test_every_hazard_has_a_control_that_tests_show():
    log = hazard_log()
    shown = {name for name, _ in shown_by()}
    assert shown == {*log["hazards"], *log["provenance"]}


def test_every_test_that_is_named_is_there():
    missing = [test for _, test in shown_by() if not is_there(test)]
    assert missing == []


def test_a_whole_run_fails_where_a_control_was_not_shown(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take longer than all the rest
    named = ("test_good", "test_once_skipped", "test_removed")
    pytester.makeini("[pytest]\ntestpaths = tests\naddopts = --import-mode=importlib -p no:cacheprovider")
    pytester.makeconftest(
        CONFTEST.format(named=[("a-hazard", f"tests/test_tiny.py::{each}") for each in named])
    )
    pytester.mkdir("tests").joinpath("test_tiny.py").write_text(TESTS)

    for workers in ((), ("-p", "xdist", "-n", "1")):
        whole = pytester.runpytest_subprocess(*workers)
        assert whole.ret == 1
        said = [line.partition("::")[2] for line in whole.outlines if line.startswith("a-hazard: ")]
        assert said == ["test_once_skipped", "test_removed"]
    for part in (("-k", "good"), ("tests/test_tiny.py",)):
        assert pytester.runpytest_inprocess(*part).ret == 0


def test_a_whole_run_is_well_where_every_control_was_shown():
    passing = Controls([("a-hazard", "tests/test_one.py::test_one")])
    report = SimpleNamespace(nodeid="tests/test_one.py::test_one[1]", outcome="passed", when="call")
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    passing.pytest_runtest_logreport(report)
    passing.pytest_sessionfinish(session)
    assert session.exitstatus is pytest.ExitCode.OK
    passing.pytest_runtest_logreport(
        SimpleNamespace(**{**vars(report), "outcome": "failed", "when": "teardown"})
    )
    passing.pytest_sessionfinish(session)
    assert session.exitstatus is pytest.ExitCode.TESTS_FAILED


def test_the_safety_case_is_the_one_that_the_log_makes():
    kept = safety_case.FILE.read_text(encoding="utf-8")
    assert kept == safety_case.written(), "make safety-case"
