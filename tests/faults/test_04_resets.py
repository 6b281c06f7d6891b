"""Row 4: connections are reset at random, of workers and of the client."""

from __future__ import annotations

import random
import threading
import time

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.load import Load
from tests.faults.proxy import Proxy
from tests.faults.table import Table


def test_random_resets(fleet: Fleet, proxy: Proxy, is_full: bool, first_seed: int, table: Table) -> None:
    """Every connection there is falls at once, again and again, while work comes and goes."""
    seconds, seeds = (120.0, 5) if is_full else (5.0, 1)
    for _ in range(2):
        fleet.launch(url=proxy.url)
    cuts = 0
    with Load(fleet, "ladder", pace=0.01, url=proxy.url) as load:
        for seed in range(first_seed, first_seed + seeds):
            cuts += reset_for(seconds, proxy, random.Random(seed))
    slowest = fleet.wait_until_idle(20)
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        4,
        "random resets",
        goal="0 stranded of 10,000",
        figures=f"{cuts} cuts in {seconds * seeds:g} s, seed {first_seed}: {len(report.problems)} problems "
        f"of {report.workflows}, {report.repeated} bodies repeated; idle {slowest:.1f} s after the last ask",
    )
    assert load.errors == []
    assert cuts > 10
    assert report.problems == []
    assert report.repeated <= cuts


def reset_for(seconds: float, proxy: Proxy, chance: random.Random) -> int:
    """Cut for so long; how many connections that took."""
    pause, end, cuts = threading.Event(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        pause.wait(chance.uniform(0.05, 0.6))
        cuts += proxy.cut_all()
    return cuts
