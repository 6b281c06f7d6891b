"""Fixtures and options of the fault suite, and the table that it prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.proxy import Proxy
from tests.faults.table import Table


@pytest.fixture(scope="session")
def is_full(request: pytest.FixtureRequest) -> bool:
    """Whether the long form was asked for."""
    return bool(request.config.getoption("--faults") == "full")


@pytest.fixture(scope="session")
def first_seed(request: pytest.FixtureRequest) -> int:
    """The seed to begin with."""
    return int(request.config.getoption("--faults-seed"))


@pytest.fixture(scope="session")
def soak_seconds(request: pytest.FixtureRequest) -> float:
    """How long the soak makes faults."""
    return float(request.config.getoption("--soak-seconds"))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The ledger of one test."""
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()


@pytest.fixture
def fleet(database_url: str, ledger: Ledger) -> Iterator[Fleet]:
    """The workers of one test, which its end kills."""
    fleet = Fleet(database_url, ledger)
    yield fleet
    fleet.stop()


@pytest.fixture
def new_fleet(databases: object, tmp_path: Path) -> Iterator[Callable[[], Fleet]]:
    """Fleets on databases of their own, for a test that repeats itself."""
    made: list[tuple[Fleet, str]] = []

    def new_fleet() -> Fleet:
        url = databases.migrated()  # type: ignore[attr-defined]
        made.append((Fleet(url, Ledger(tmp_path / f"ledger-{len(made)}")), url))
        return made[-1][0]

    yield new_fleet
    for fleet, url in made:
        fleet.stop()
        fleet.ledger.close()
        databases.drop(url)  # type: ignore[attr-defined]


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """A proxy in front of the test's database."""
    with Proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def table(record_property: Callable[[str, object], None]) -> Table:
    """Where a test writes what it counted; the end of the run prints it."""
    return Table(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    lines = Table.lines(reports)
    if lines:
        terminalreporter.section("faults")
        for line in lines:
            terminalreporter.write_line(line)
