"""Row 1, for transactions: kill -9 between the commit of the application's database and the system's."""

from __future__ import annotations

import threading

import psycopg
import pytest

from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.proxy import Act, Exchange, Proxy
from tests.faults.table import Table
from tests.support.databases import Databases

PAID = "SELECT count(*) FROM payments"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("act", ["silence before", "silence after"])
def test_a_kill_between_the_two_commits_pays_once(
    act: Act, databases: Databases, ledger: Ledger, table: Table
) -> None:
    own = databases.empty()
    system = databases.migrated()
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("CREATE TABLE payments (account text, cents int)")
    fleet = Fleet(system, ledger)
    reached = threading.Event()

    def rule(exchange: Exchange) -> Act:
        if reached.is_set():
            return "silence before"
        if "steps/record_one" in exchange.statements:
            reached.set()
            return act
        return "pass"

    try:
        with Proxy(system) as proxy:
            proxy.rule = rule
            worker = fleet.launch(url=proxy.url, own=own)
            fleet.ask("pays", 5, id="w")
            assert reached.wait(20), worker.log
            worker.kill()
        fleet.launch(own=own)
        took = fleet.wait_until_idle(30)
        assert fleet.see("w") == [5]
    finally:
        fleet.stop()
    with psycopg.connect(own) as connection:
        paid = connection.execute(PAID).fetchone()
    table.add(
        1,
        f"kill -9 between a transaction's two commits, {act}",
        goal="paid once",
        figures=f"paid {paid[0] if paid else 0} times, on again after {took:.1f} s",
    )
    assert paid == (1,)
