"""Row 8: a step or a transaction asks the system database, and the connection breaks: not its outcome."""

from __future__ import annotations

import psycopg
import pytest

from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.proxy import Act, Exchange, Proxy
from tests.faults.table import Table
from tests.support.databases import Databases

QUESTIONS = {"copies": "steps/progress", "pays": "workflows/owner"}
TIMES = 3


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("act", ["cut before", "cut after"])
def test_a_question_whose_answer_is_lost_is_asked_again(
    act: Act, name: str, databases: Databases, ledger: Ledger, table: Table
) -> None:
    system, own = databases.migrated(), databases.empty()
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute("CREATE TABLE payments (account text, cents int)")
    cuts: list[Exchange] = []

    def rule(exchange: Exchange) -> Act:
        if QUESTIONS[name] in exchange.statements and len(cuts) < TIMES:
            cuts.append(exchange)
            return act
        return "pass"

    fleet = Fleet(system, ledger)
    try:
        with Proxy(system) as proxy:
            proxy.rule = rule
            fleet.launch(url=proxy.url, own=own)
            fleet.ask(name, 5, id="w")
            seen = fleet.see("w")
        ((status, attempts),) = fleet.rows("SELECT status, recovery_attempts FROM dbos.workflow_status")
    finally:
        fleet.stop()
    table.add(
        8,
        f"the answer to {QUESTIONS[name]} is lost, {act}",
        goal="0 failed, 0 stranded",
        figures=f"{len(cuts)} times: {status}, {attempts} attempt",
    )
    assert (seen, status, attempts, len(cuts)) == ([5], "SUCCESS", 1, TIMES)
