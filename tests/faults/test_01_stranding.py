"""Row 1, for stranding: kill -9 as a run that does not fit the code is set aside, before and after it is."""

from __future__ import annotations

import threading

import pytest

from tests.faults.fleet import Fleet
from tests.faults.proxy import Act, Exchange, Proxy
from tests.faults.table import Table

NOTED = "SELECT workflow_uuid FROM durably.stranded_workflows WHERE released_at IS NULL"
ROW = "SELECT status, owner_xid FROM dbos.workflow_status WHERE workflow_uuid = 'w'"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("act", ["silence before", "silence after"])
def test_a_kill_as_a_workflow_is_set_aside(act: Act, fleet: Fleet, table: Table) -> None:
    """The next process sets it aside, once; code that fits goes on where it was."""
    old = fleet.launch(word="old")
    fleet.ask("deploys", id="w")
    fleet.until(lambda: fleet.rows("SELECT 1 FROM dbos.operation_outputs WHERE function_id = 1"), 20)
    old.kill()
    reached = threading.Event()

    def rule(exchange: Exchange) -> Act:
        if reached.is_set():
            return "silence before"
        if "stranded/strand" in exchange.statements:
            reached.set()
            return act
        return "pass"

    with Proxy(fleet.url) as proxy:
        proxy.rule = rule
        killed = fleet.launch(url=proxy.url, word="new")
        assert reached.wait(30), killed.log
        killed.kill()
    fleet.launch(word="new")
    fleet.until(lambda: fleet.rows(NOTED) == [("w",)] and fleet.rows(ROW) == [("DELAYED", None)], 20)
    fleet.workers[-1].kill()
    fleet.launch(word="old")
    with fleet.client() as client:
        client.send("w", "go", "go")
    (seen,) = fleet.see("w", timeout=30)
    table.add(
        1,
        f"kill -9 as a run is stranded, {act}",
        goal="set aside once, nothing lost; the code that fits ends it",
        figures=f"set aside, then ended as {seen}",
    )
    assert seen == ["old", "old"]
