"""Pauses: a run stops at once, nobody takes it, and it goes on where it was."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durably import App, AsyncDBOSClient, WorkflowFilter, aio
from tests.engine.support import Statements, enqueue, eventually, rows, status

NOTES = "SELECT workflow_uuid FROM durably.paused_workflows"
ROW = """SELECT status, queue_name, recovery_attempts, owner_xid FROM dbos.workflow_status
    WHERE workflow_uuid = %s"""
PEER_RESUMES = """UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue',
    recovery_attempts = 0, workflow_deadline_epoch_ms = NULL, deduplication_id = NULL,
    started_at_epoch_ms = NULL, owner_xid = NULL, completed_at = NULL WHERE workflow_uuid = %s"""


def steps(url: str, workflow_id: str) -> list[tuple[Any, ...]]:
    return rows(
        url,
        "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY 1",
        workflow_id,
    )


class Shop:
    """An application whose workflow does one step, then waits in another until the gate opens."""

    def __init__(self, url: str) -> None:
        self.app = app = App("a", system_database_url=url)
        self.gate = asyncio.Event()
        self.seen: list[str] = []
        app.queue("q", concurrency=1)

        @app.step(name="first")
        async def first() -> None:
            self.seen.append("first")

        @app.step(name="second")
        async def second() -> str:
            self.seen.append("enter")
            try:
                await self.gate.wait()
                return "done"
            finally:
                self.seen.append("leave")

        @app.workflow(name="w")
        async def workflow() -> str:
            await first()
            return await second()

        @app.workflow(name="quick")
        async def quick() -> str:
            return "quick"

        @app.workflow(name="self")
        async def pauses_itself() -> str:
            await aio.client().pause_workflow(aio.workflow_id(), reason="a person must look")
            self.seen.append("went on")
            return "unpaused"

        self.workflow, self.quick, self.pauses_itself = workflow, quick, pauses_itself


async def test_a_paused_run_stops_at_once_frees_its_place_and_goes_on_where_it_was(database_url: str) -> None:
    shop = Shop(database_url)
    enqueue(database_url, "w", "w")
    async with shop.app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        handle = client.retrieve_workflow("w")
        await eventually(lambda: "enter" in shop.seen)
        await handle.pause(reason="the bank is closed")
        await eventually(lambda: "leave" in shop.seen, seconds=4)
        assert rows(database_url, ROW, "w") == [("DELAYED", "q", 0, None)]
        enqueue(database_url, "quick", "quick")  # its queue has one place
        assert await client.retrieve_workflow("quick").get_result(timeout=10) == "quick"
        shop.gate.set()
        assert status(database_url, "w") == "DELAYED"
        assert shop.seen == ["first", "enter", "leave"]
        assert await handle.unpause() is True
        assert await handle.get_result(timeout=10) == "done"
    assert shop.seen == ["first", "enter", "leave", "enter", "leave"]
    assert steps(database_url, "w") == [(1, "first"), (2, "second")]
    assert rows(database_url, ROW, "w") == [("SUCCESS", "q", 1, None)]


async def test_a_deadline_waits_while_its_workflow_is_paused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has passed, and pulses have looked; what is left of it counts from the end of the pause."""
    left = """SELECT workflow_deadline_epoch_ms - (EXTRACT(epoch FROM now()) * 1000)::bigint
        FROM dbos.workflow_status WHERE workflow_uuid = 'w'"""
    shop, asked = Shop(database_url), Statements(monkeypatch)
    async with shop.app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        await shop.workflow.options(workflow_id="w", timeout=1.0, queue_name="q").start()
        await eventually(lambda: "enter" in shop.seen)
        (before,) = rows(database_url, left)[0]
        await client.pause_workflow("w")
        await eventually(lambda: rows(database_url, left)[0][0] < 0)
        pulsed = asked.with_("hub/pulse")
        await eventually(lambda: asked.with_("hub/pulse") >= pulsed + 2, seconds=10)
        assert status(database_url, "w") == "DELAYED"
        shop.gate.set()
        await client.unpause_workflow("w")
        (after,) = rows(database_url, left)[0]
        assert 0 < after <= before
        assert await client.retrieve_workflow("w").get_result(timeout=10) == "done"


async def test_a_paused_run_without_a_queue_goes_on_by_the_internal_queue(database_url: str) -> None:
    shop = Shop(database_url)
    async with shop.app:
        handle = await shop.workflow.options(workflow_id="w").start()
        await eventually(lambda: "enter" in shop.seen)
        await handle.pause()
        await eventually(lambda: "leave" in shop.seen, seconds=4)
        assert rows(database_url, ROW, "w") == [("DELAYED", "_dbos_internal_queue", 0, None)]
        shop.gate.set()
        assert await handle.unpause()
        assert await handle.get_result(timeout=10) == "done"


async def test_a_delayed_workflow_is_due_while_it_is_paused_and_begins_when_it_is_unpaused(
    database_url: str,
) -> None:
    shop = Shop(database_url)
    async with shop.app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        enqueue(database_url, "late", "quick")
        await client.retrieve_workflow("late").get_result(timeout=10)
        rows(
            database_url,
            "INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, serialization, "
            "delay_until_epoch_ms) VALUES ('d', 'quick', 'DELAYED', 'q', 'portable_json', 4000000000000)",
        )
        rows(
            database_url,
            """INSERT INTO dbos.workflow_input VALUES ('d', '{"positionalArgs": [], "namedArgs": {}}')""",
        )
        await client.pause_workflow("d")
        past = "UPDATE durably.paused_workflows SET delay_until_epoch_ms = 17 WHERE workflow_uuid = 'd'"
        rows(database_url, past)
        assert await client.unpause_workflow("d")
        assert await client.retrieve_workflow("d").get_result(timeout=10) == "quick"


async def test_a_workflow_may_pause_itself_once_and_goes_on_behind_it(database_url: str) -> None:
    shop = Shop(database_url)
    async with shop.app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        handle = await shop.pauses_itself.options(workflow_id="me").start()
        await eventually(lambda: status(database_url, "me") == "DELAYED")
        found = await client.get_workflow("me")
        assert "a person must look" in (found.explanation or "")
        await eventually(lambda: "me" not in shop.app._engine_running().executor.running)
        assert shop.seen == []
        await client.unpause_workflow("me")
        assert await handle.get_result(timeout=10) == "unpaused"
    assert shop.seen == ["went on"]
    assert steps(database_url, "me") == [(1, "DBOS.pauseWorkflow")]


async def test_a_parent_waits_for_a_paused_child(database_url: str) -> None:
    shop = Shop(database_url)

    @shop.app.workflow(name="parent")
    async def parent() -> str:
        child = await shop.workflow.options(workflow_id="child").start()
        return await child.get_result()

    async with shop.app:
        handle = await parent.options(workflow_id="p").start()
        await eventually(lambda: "enter" in shop.seen)
        await shop.app.client.pause_workflow("child")
        await eventually(lambda: "leave" in shop.seen, seconds=4)
        assert status(database_url, "p") == "PENDING"
        shop.gate.set()
        await shop.app.client.unpause_workflow("child")
        assert await handle.get_result(timeout=10) == "done"


async def test_a_pause_that_a_peer_ended_leaves_nothing_stale(database_url: str) -> None:
    shop = Shop(database_url)
    async with AsyncDBOSClient.create(system_database_url=database_url) as client:
        for workflow_id in ("resumed", "kept"):
            enqueue(database_url, workflow_id, "quick")
            await client.pause_workflow(workflow_id, reason="lunch")
        rows(database_url, PEER_RESUMES, "resumed")
        assert "paused" not in ((await client.get_workflow("resumed")).explanation or "")
        assert (await client.explain("resumed")).reason != "paused"
        assert await client.list_workflows(WorkflowFilter(is_paused=True, workflow_ids=["resumed"])) == []
        rows(database_url, "UPDATE durably.paused_workflows SET paused_at = now() - interval '1 hour'")
        async with shop.app:
            assert await client.retrieve_workflow("resumed").get_result(timeout=10) == "quick"
            await eventually(lambda: rows(database_url, NOTES) == [("kept",)])
        assert (await client.explain("kept")).reason == "paused"


async def test_a_storm_of_pauses_and_resumes_never_makes_two_executions(database_url: str) -> None:
    """Each execution notes its entry and its exit outside the system; one that was taken leaves first."""
    shop = Shop(database_url)
    live = most = 0
    calm = asyncio.Event()

    @shop.app.step(name="counted")
    async def counted() -> str:
        nonlocal live, most
        live += 1
        most = max(most, live)
        try:
            await calm.wait()
            return "done"
        finally:
            live -= 1

    @shop.app.workflow(name="storm")
    async def storm() -> str:
        return await counted()

    async with shop.app, AsyncDBOSClient.create(system_database_url=database_url) as client:
        handle = await storm.options(workflow_id="s").start()
        await eventually(lambda: live == 1)
        for _ in range(20):
            await asyncio.gather(
                *(client.pause_workflows(["s"]) for _ in range(3)),
                *(client.unpause_workflows(["s"]) for _ in range(3)),
                *(client.cancel_workflow("s") for _ in range(2)),
                *(client.resume_workflow("s") for _ in range(3)),
            )
        await client.resume_workflow("s")
        await eventually(lambda: live == 1)
        calm.set()
        assert await handle.get_result(timeout=20) == "done"
    assert most == 1
    assert steps(database_url, "s") == [(1, "counted")]
