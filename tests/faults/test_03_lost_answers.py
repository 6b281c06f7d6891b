"""Row 3: the request or the answer of any statement is lost, by a reset or by silence."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults import history
from tests.faults.fleet import Fleet
from tests.faults.proxy import Act, Exchange, Proxy
from tests.faults.table import Table

STATEMENTS = (
    "executors/beat",
    "events/set",
    "hub/pulse",
    "messages/receive",
    "messages/send",
    "steps/record_one",
    "timers/start",
    "workflows/claim",
    "workflows/create",
    "workflows/finish_one",
)


class Once:
    """Loses the first exchanges with a statement, each time on a new connection."""

    def __init__(self, statement: str, act: Act, times: int) -> None:
        self.statement = statement
        self.act = act
        self.left = times

    def is_done(self) -> bool:
        return self.left == 0

    def __call__(self, exchange: Exchange) -> Act:
        if self.left and self.statement in exchange.statements:
            self.left -= 1
            return self.act
        return "pass"


@pytest.mark.parametrize("act", ["cut before", "cut after"])
def test_a_lost_answer(fleet: Fleet, proxy: Proxy, act: Act, is_full: bool, table: Table) -> None:
    """Each statement in turn loses its first exchanges; the workflow that met it ends, nothing doubled."""
    rounds = 20 if is_full else 1
    worker = fleet.launch(url=proxy.url)
    lost: Counter[str] = Counter()
    slowest = 0.0
    for number in range(rounds):
        for statement in STATEMENTS:
            rule = Once(statement, act, times=1 + number % 3)
            proxy.rule = rule
            before = rule.left
            fleet.ask("everything", id=f"{statement}-{number}")
            slowest = max(slowest, fleet.wait_until_idle(20))
            if statement in ("executors/beat", "hub/pulse"):
                fleet.until(rule.is_done, 10)
            lost[statement] += before - rule.left
    assert worker.lives
    report = history.check(history.read(fleet.url, fleet.ledger.events()))
    table.add(
        3,
        f"exchange lost, {act}",
        goal="0 stranded, 0 doubled, for every statement",
        figures=f"{lost.total()} losses at {len(lost)} statements: {len(report.problems)} problems, "
        f"{report.repeated} bodies repeated, slowest {slowest:.1f} s",
    )
    assert set(+lost) == set(STATEMENTS)
    assert report.problems == []
    assert report.repeated <= lost["workflows/claim"]
