"""In CI, a skipped test is a failed one: what it lacked could have been installed.

A skip for what no installation can change gives a reason that begins with `platform: `.
"""

from __future__ import annotations

import pytest

__all__ = ["SkipsAreFailures"]

ALLOWED = "platform: "


class SkipsAreFailures:
    """A pytest plugin that fails a session in which a test was skipped, and says which."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._skipped:
            terminalreporter.section("skipped, which fails in CI", red=True)
            for line in self._skipped:
                terminalreporter.line(line)

    def _note(self, nodeid: str, longrepr: object) -> None:
        reason = str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")
        if not reason.startswith(ALLOWED):
            self._skipped.append(f"{nodeid}: {reason}")
