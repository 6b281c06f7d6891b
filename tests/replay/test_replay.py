"""Every example, its process killed at every point, ends with the record of the run that nobody disturbed."""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Generator, Iterator
from multiprocessing.context import ForkServerContext

import pytest

from durably.config import system_database_url
from tests.replay.process import COMPLETE, CRASHED, run
from tests.replay.record import checkpoints, final_record
from tests.replay.scenarios import SCENARIOS
from tests.support.databases import Databases


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Makes processes from one that has imported everything and done nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.replay.process", "tests.replay.scenarios", "durably.app"])
    return context


@pytest.fixture
def urls(databases: Databases) -> Iterator[Generator[str, None, None]]:
    """Application databases, each with a migrated system database beside it; the next one ends the last."""

    def make() -> Generator[str, None, None]:
        while True:
            url = databases.application()
            try:
                yield url
            finally:
                databases.drop(url)
                databases.drop(system_database_url(url))

    urls = make()
    yield urls
    urls.close()


def live(processes: ForkServerContext, example: str, url: str, fatal: int | None = None) -> int:
    """Run an example's process to its end; its exit status."""
    process = processes.Process(target=run, args=(example, url, fatal))
    process.start()
    process.join(60)
    assert process.exitcode is not None, f"{example} neither ends nor dies (fatal point: {fatal})"
    return process.exitcode


@pytest.mark.parametrize("example", SCENARIOS)
@pytest.mark.timeout(240)
def test_a_crash_at_any_point_changes_nothing(
    example: str, processes: ForkServerContext, urls: Iterator[str]
) -> None:
    undisturbed = next(urls)
    assert live(processes, example, undisturbed) == COMPLETE
    expected = final_record(system_database_url(undisturbed))
    assert {status for _, _, status, *_ in expected["workflows"]} == {"SUCCESS"}
    for point in itertools.count(1):
        url = next(urls)
        if live(processes, example, url, fatal=point) == COMPLETE:
            break  # the run has no such point
        before = checkpoints(system_database_url(url))
        assert live(processes, example, url) == COMPLETE, f"after a crash at point {point}"
        assert before <= checkpoints(system_database_url(url)), f"rewritten after a crash at point {point}"
        assert final_record(system_database_url(url)) == expected, f"after a crash at point {point}"
    print(f"{example}: {point - 1} crashes")
    assert point > 2 * len(expected["workflows"]), "the run passed hardly any point"


def test_a_crash_is_a_crash(processes: ForkServerContext, urls: Iterator[str]) -> None:
    url = next(urls)
    assert live(processes, "orders", url, fatal=4) == CRASHED
    workflows = final_record(system_database_url(url))["workflows"]
    assert "SUCCESS" not in {status for _, _, status, *_ in workflows}
