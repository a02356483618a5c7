"""Fails a whole run of the tests in which a control of a hazard was not shown to work."""

from dataclasses import dataclass, field

import pytest


@dataclass
class Controls:
    """Notes how the tests of controls end, and fails a run in which one of them did not pass."""

    named: list[tuple[str, str]]
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def pytest_runtest_logreport(self, report):
        """A test counts that ran to its end; one that failed, was skipped or not set up does not."""
        test = report.nodeid.partition("[")[0]
        if report.outcome != "passed":
            self.failed.add(test)
        elif report.when == "call":
            self.passed.add(test)

    def not_shown(self):
        """Hazard and test of every control that this run did not show."""
        return [(name, test) for name, test in self.named if test not in self.passed - self.failed]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        """Whatever else was well, the run has failed."""
        if self.not_shown() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Each one by its hazard."""
        if lacking := self.not_shown():
            terminalreporter.section("controls of hazards that were not shown to work", red=True)
            for name, test in lacking:
                terminalreporter.line(f"{name}: {test}")


def is_whole(config):
    """Whether all tests were asked for, as `pytest` alone does."""
    chosen = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "collectonly")
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return everything and not any(config.getoption(each, None) for each in chosen)


def watch(config, named):
    """Have a whole run watched, where its results come together. `named` gives hazard and test in pairs."""
    if is_whole(config) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controls(list(named())), "controls-of-hazards")
