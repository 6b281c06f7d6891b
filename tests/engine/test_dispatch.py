"""Dispatching: what is ready is claimed at once, from every queue in turn, and only where it is allowed."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from durably import aio, sync
from durably.app import App
from durably.core.ports import Claim, Claimed
from durably.store.postgres import PostgresStore
from tests.engine.support import Statements, enqueue, eventually, rows, status


def application(url: str, *, length: float = 0, **options: Any) -> App:
    app = App("a", system_database_url=url, **options)

    @app.workflow(name="w")
    async def workflow() -> None:
        await asyncio.sleep(length)

    @app.workflow(name="waits")
    async def waits() -> None:
        await aio.recv("never", timeout=None)

    return app


async def test_a_backlog_does_not_starve_another_queue(database_url: str) -> None:
    app = application(database_url, max_running=1, length=0.05)
    app.queue("busy")
    app.queue("other")
    for n in range(60):
        enqueue(database_url, f"b{n}", "w", queue="busy")
    enqueue(database_url, "other", "w", queue="other")
    async with app:
        await eventually(lambda: status(database_url, "other") == "SUCCESS", seconds=30)
        left = rows(database_url, "SELECT count(*) FROM dbos.workflow_status WHERE status = 'ENQUEUED'")[0][0]
    assert left > 50


async def test_a_notice_during_a_claim_is_not_lost(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is enqueued while a claim is under way is claimed next, not at the next pulse."""
    app = application(database_url)
    app.queue("q")
    claim = PostgresStore.claim
    pulses = Statements(monkeypatch)
    pulses_then = 0

    async def late_answer(store: PostgresStore, request: Claim) -> list[Claimed]:
        nonlocal pulses_then
        claimed = await claim(store, request)
        if [workflow.workflow_id for workflow in claimed] == ["first"]:
            offered = asyncio.Event()
            offer = engine.dispatcher.offer

            def offered_now(queue_name: str) -> None:
                offer(queue_name)
                offered.set()

            monkeypatch.setattr(engine.dispatcher, "offer", offered_now)
            await asyncio.to_thread(enqueue, database_url, "second", "w")
            await offered.wait()
            pulses_then = pulses.with_("hub/pulse")
        return claimed

    monkeypatch.setattr(PostgresStore, "claim", late_answer)
    async with app:
        engine = app._engine_running()
        await asyncio.to_thread(enqueue, database_url, "first", "w")
        await eventually(lambda: status(database_url, "second") == "SUCCESS")
        assert pulses.with_("hub/pulse") <= pulses_then + 1


async def test_a_limit_that_is_set_meanwhile_holds_for_the_next_claim(database_url: str) -> None:
    app = application(database_url)
    app.queue("q")
    running = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING'"
    async with app:
        enqueue(database_url, "first", "w")
        await eventually(lambda: status(database_url, "first") == "SUCCESS")
        rows(database_url, "UPDATE dbos.queues SET concurrency = 1 WHERE name = 'q'")
        for n in range(5):
            enqueue(database_url, f"w{n}", "waits")
        await eventually(lambda: rows(database_url, running)[0][0])
        enqueue(database_url, "i", "w", queue="_dbos_internal_queue")
        await eventually(lambda: status(database_url, "i") == "SUCCESS")
        assert rows(database_url, running)[0][0] == 1


async def test_a_claim_that_failed_does_not_spoil_the_stop(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine ends in order, whatever became of its last claim."""
    app = application(database_url)
    app.queue("q")
    failed = asyncio.Event()

    async def broken(store: PostgresStore, request: Claim) -> list[Claimed]:
        failed.set()
        raise ValueError("a right was taken away")

    monkeypatch.setattr(PostgresStore, "claim", broken)
    async with app:
        executor_id = app.executor_id
        enqueue(database_url, "first", "w")
        await failed.wait()
    closed = "SELECT stopped_at IS NOT NULL FROM durably.executors WHERE executor_id = %s"
    assert rows(database_url, closed, executor_id) == [(True,)]


async def test_a_busy_queue_of_another_application_costs_no_queries(database_url: str) -> None:
    """Its notices reach us too; the first is a reason to ask, the others are not."""
    app = application(database_url)
    asked: list[str] = []
    async with app:
        dispatcher = app._engine_running().dispatcher
        dispatcher._ask = lambda: asked.append("asked")
        for _ in range(20):
            dispatcher.offer("theirs")
        assert len(asked) == 1
        dispatcher.offer("*")
        assert len(asked) == 2


async def test_work_that_cannot_run_here_is_told_of(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = application(database_url)
    app.queue("q")
    enqueue(database_url, "foreign", "elsewhere", created_at=1)
    async with app:
        await eventually(lambda: "queue q has work that this process cannot run" in caplog.text)
    assert "foreign of workflow 'elsewhere', no version, serialization portable_json" in caplog.text


async def test_work_that_others_were_quicker_to_take_is_not_told_of(
    database_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(database_url)
    app.queue("q")
    enqueue(database_url, "w", "w")
    asked = Statements(monkeypatch)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT FROM dbos.workflow_status FOR UPDATE")
        async with app:
            await eventually(lambda: asked.with_("queues/untakable"))
            looks = asked.with_("workflows/claim")
            await eventually(lambda: asked.with_("workflows/claim") > looks)
            assert asked.with_("queues/untakable") == 1
            other.commit()
            await eventually(lambda: status(database_url, "w") == "SUCCESS")
    assert "cannot run" not in caplog.text


@pytest.mark.parametrize("parent", ["collects", "collects_blocking", "gathers", "gathers_blocking", "asks"])
async def test_who_waits_for_others_gives_its_place_to_them(database_url: str, parent: str) -> None:
    """With one place in the process, a parent and its children all end."""
    app = App("a", system_database_url=database_url, max_running=1, threads=1)
    app.queue("q")

    @app.workflow(name="child")
    async def child(n: int) -> int:
        return n

    @app.workflow(name="child_blocking")
    def child_blocking(n: int) -> int:
        return n

    @app.workflow(name="answers")
    async def answers() -> None:
        request = await aio.recv_request("questions", timeout=20)
        assert request is not None
        await request.reply([2, 1, 0])

    @app.workflow(name="asks")
    async def asks() -> Any:
        await answers.options(queue_name="q", workflow_id="answers").start()
        return await aio.client().ask("answers", "how many?", "questions", timeout=15)

    @app.workflow(name="collects")
    async def collects() -> list[int]:
        handles = [await child.options(queue_name="q").start(n) for n in range(3)]
        return [await handle.get_result() async for handle in aio.as_completed(handles)]

    @app.workflow(name="collects_blocking")
    def collects_blocking() -> list[int]:
        handles = [child_blocking.options(queue_name="q").start(n) for n in range(3)]
        return [handle.get_result() for handle in sync.as_completed(handles)]

    @app.workflow(name="gathers")
    async def gathers() -> list[int]:
        handles = [await child.options(queue_name="q").start(n) for n in range(3)]
        return [await handle.get_result() for handle in await aio.client().wait_all(handles)]

    @app.workflow(name="gathers_blocking")
    def gathers_blocking() -> list[int]:
        handles = [child_blocking.options(queue_name="q").start(n) for n in range(3)]
        return [handle.get_result() for handle in sync.client().wait_all(handles)]

    async with app:
        enqueue(database_url, "parent", parent)
        assert sorted(await app.client.retrieve_workflow("parent").get_result(timeout=20)) == [0, 1, 2]
