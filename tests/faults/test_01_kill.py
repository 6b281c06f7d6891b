"""Row 1: kill -9 at a statement boundary, before the server sees it or after it has done it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.proxy import Act, Exchange, Proxy
from tests.faults.table import Table

STATEMENTS = (
    "workflows/claim",
    "steps/record_one",
    "steps/record",
    "events/set",
    "messages/send",
    "messages/receive",
    "timers/start",
    "workflows/create",
    "workflows/finish_one",
)


@pytest.mark.timeout(900)  # each kill is a process that starts, on a machine that may have more to do
def test_a_kill_at_a_statement(
    new_fleet: Callable[[], Fleet], is_full: bool, first_seed: int, table: Table
) -> None:
    """The worker is killed as its n-th exchange is about to be seen, or was answered; another goes on."""
    kills = 200 if is_full else 24
    chance = random.Random(first_seed)
    met: set[str] = set()
    report = history.Report()
    fleet = new_fleet()
    with Proxy(fleet.url) as proxy:
        for number in range(kills):
            met.update(kill_once(fleet, proxy, chance, f"w{number}"))
        fleet.launch()
        fleet.wait_until_idle(60)
        report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        1,
        "kill -9 at a statement boundary",
        goal="0 lost, 0 bad, a body at most once more per kill, never after it was acknowledged",
        figures=f"{kills} kills, seed {first_seed}: {len(report.problems)} problems, "
        f"{report.repeated} bodies repeated, at {len(met)} kinds of statement",
    )
    assert report.problems == []
    assert report.most_in_a_process == 1
    assert len(met) >= 5, met


def kill_once(fleet: Fleet, proxy: Proxy, chance: random.Random, id_: str) -> tuple[str, ...]:
    """Run a workflow, kill its worker at a random exchange of the workflow's own, and say which that was.

    None, where the workflow shared so many with those that former kills left that it ended before.
    """
    target = chance.randrange(12)
    act: Act = chance.choice(("cut before", "cut after"))
    reached = threading.Event()
    met: list[Exchange] = []
    own = [0]

    def rule(exchange: Exchange) -> Act:
        if reached.is_set():
            return "silence before"
        if not any(statement in STATEMENTS for statement in exchange.statements):
            return "pass"
        own[0] += 1
        if own[0] <= target:
            return "pass"
        met.append(exchange)
        reached.set()
        return "silence before" if act == "cut before" else "silence after"

    proxy.rule = rule
    worker = fleet.launch(url=proxy.url, ready=False)  # what a former kill left may be met before it is
    fleet.ask("everything", id=id_)
    fleet.until(lambda: reached.is_set() or not fleet.active(), 60)
    worker.kill()
    fleet.ledger.note("fault", id_)
    return met[0].statements if met else ()
