"""Row 5: connections on which nothing comes any more, and nothing says so."""

from __future__ import annotations

import threading
import time

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.proxy import Proxy
from tests.faults.table import Table

GOAL = "work goes on <= 15 s, waiting clients too"


def test_old_connections_fall_silent_and_new_ones_work(fleet: Fleet, proxy: Proxy, table: Table) -> None:
    """A running workflow, new work, a client that waits and one that enqueues all go on."""
    fleet.launch(url=proxy.url, lease=15.0)
    with fleet.client(proxy.url) as waits, fleet.client(proxy.url) as asks:
        fleet.ask_with(waits, "climb", 3, 0.3, id="running")
        fleet.begun("running")
        seen: list[float] = []
        began = time.monotonic()

        def wait() -> None:
            waits.retrieve_workflow("running").get_result(60)
            seen.append(time.monotonic() - began)

        waiter = threading.Thread(target=wait, daemon=True)
        waiter.start()
        silenced = proxy.silence_all()
        fleet.ask_with(asks, "ladder", id="new")
        asked = time.monotonic() - began
        fleet.wait_until_idle(40)
        ended = time.monotonic() - began
        waiter.join(40)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        5,
        "old connections silent, new ones fine",
        goal=GOAL,
        figures=f"{silenced} connections: enqueue {asked:.1f} s, all work was done after {ended:.1f} s, "
        f"a waiting client was told after {seen[0] if seen else 99:.1f} s, {len(report.problems)} problems",
    )
    assert report.problems == []
    assert max(asked, ended, *seen) <= 15
    assert seen


def test_silence_that_heals(fleet: Fleet, proxy: Proxy, is_full: bool, table: Table) -> None:
    """Nothing gets through for a while, and then everything does."""
    seconds = 20.0 if is_full else 4.0
    fleet.launch(url=proxy.url, lease=15.0)
    fleet.ask("climb", 20, 0.1, id="running")
    fleet.begun("running", 2)
    with proxy.silent():
        fleet.ask("ladder", id="new")
        threading.Event().wait(seconds)
    took = fleet.wait_until_idle(15)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        5,
        f"all silent for {seconds:g} s",
        goal=GOAL,
        figures=f"all had ended {took:.1f} s after it, {len(report.problems)} problems",
    )
    assert report.problems == []
