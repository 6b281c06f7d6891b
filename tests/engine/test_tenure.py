"""No body begins while the lease has run out by the process's own clock: it waits for the next heartbeat."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from durably import aio, sync
from durably.app import App
from durably.concurrency.world import RealWorld
from durably.engine.engine import Engine
from durably.engine.leases import Heartbeat, Leases
from durably.engine.run import Run
from durably.engine.tenure import Tenure
from tests.engine.support import enqueue, eventually, status
from tests.engine.test_transactions import beside, url_of
from tests.support.databases import Databases

LEASE = 6.0
KINDS = ["step", "blocking", "thread", "transaction", "blocking transaction"]


class Machine:
    """One that can sleep for a lease, and whose heartbeats can be held back behind that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heartbeats = asyncio.Event()
        self.heartbeats.set()
        self._slept = 0.0
        beat, monotonic = Leases._beat, RealWorld.monotonic
        loop = asyncio.get_running_loop()

        async def held(leases: Leases) -> None:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self.heartbeats.wait(), loop))
            await beat(leases)

        monkeypatch.setattr(Leases, "_beat", held)
        monkeypatch.setattr(RealWorld, "monotonic", lambda world: monotonic(world) + self._slept)

    def sleep(self) -> None:
        """The database knows nothing of it: no lease is closed while this test looks."""
        self.heartbeats.clear()
        self._slept += LEASE


@pytest.fixture
async def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once a run asks to wait for its lease."""
    event, wait = asyncio.Event(), Run.until_it_may_begin

    async def noted(run: Run) -> None:
        event.set()
        await wait(run)

    monkeypatch.setattr(Run, "until_it_may_begin", noted)
    return event


def application(url: str, bodies: list[str]) -> App:
    app = App("tenure", url, lease=LEASE)
    app.queue("q")

    @app.step(name="work")
    async def work() -> None:
        bodies.append("step")

    @app.step(name="work_blocking")
    def work_blocking() -> None:
        bodies.append("blocking")

    @app.transaction(name="pay")
    async def pay(connection: psycopg.AsyncConnection[Any]) -> None:
        bodies.append("transaction")

    @app.transaction(name="pay_blocking")
    def pay_blocking(connection: psycopg.Connection[Any]) -> None:
        bodies.append("blocking transaction")

    @app.workflow(name="step")
    async def step() -> None:
        await aio.recv(timeout=None)
        await work()

    @app.workflow(name="thread")
    async def thread() -> None:
        await aio.recv(timeout=None)
        await aio.run_step("on a thread", bodies.append, "thread")

    @app.workflow(name="transaction")
    async def transaction() -> None:
        await aio.recv(timeout=None)
        await pay()

    @app.workflow(name="blocking")
    def blocking() -> None:
        sync.recv(timeout=None)
        work_blocking()

    @app.workflow(name="blocking transaction")
    def blocking_transaction() -> None:
        sync.recv(timeout=None)
        pay_blocking()

    return app


@pytest.mark.parametrize("kind", KINDS)
async def test_a_body_waits_for_the_next_heartbeat(
    databases: Databases, kind: str, machine: Machine, asked: asyncio.Event
) -> None:
    url, bodies = databases.application(), list[str]()
    async with application(url_of(url), bodies) as app:
        enqueue(beside(url), "w", kind)
        await eventually(lambda: status(beside(url), "w") == "PENDING")
        machine.sleep()
        await app.client.send("w", "go")
        await asyncio.wait_for(asked.wait(), 10)
        assert bodies == []
        machine.heartbeats.set()
        await eventually(lambda: status(beside(url), "w") == "SUCCESS")
    assert bodies == [kind]


async def test_nothing_is_claimed_without_a_sure_lease(databases: Databases, machine: Machine) -> None:
    url = databases.application()
    async with application(url_of(url), []) as app:
        machine.sleep()
        enqueue(beside(url), "w", "step")
        engine = app._engine_running()
        await eventually(lambda: bool(engine.dispatcher._ready))
        assert status(beside(url), "w") == "ENQUEUED"
        machine.heartbeats.set()
        await eventually(lambda: status(beside(url), "w") == "PENDING")


async def test_a_run_keeps_its_lease_while_its_process_stops(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clean stop with a long grace: bodies begin long after the stop began."""
    url = databases.application()
    app = App("tenure", url_of(url), lease=0.9, grace=8)
    begun: list[int] = []
    answered: list[Heartbeat] = []
    beaten = Engine.beaten

    def noted(engine: Engine, heartbeat: Heartbeat) -> None:
        answered.append(heartbeat)
        beaten(engine, heartbeat)

    monkeypatch.setattr(Engine, "beaten", noted)

    @app.step(name="work")
    async def work(n: int) -> None:
        begun.append(n)
        before = len(answered)
        await eventually(lambda: len(answered) > before)  # five of them are longer than the lease

    @app.workflow(name="w")
    async def workflow() -> None:
        for n in range(5):
            await work(n)

    async with app:
        await workflow.options(workflow_id="w").start()
        await eventually(lambda: begun == [0])
    assert status(beside(url), "w") == "SUCCESS"
    assert begun == [0, 1, 2, 3, 4]


async def test_a_lease_is_trusted_from_the_sending_of_its_renewal() -> None:
    now = 100.0

    class World(RealWorld):
        def monotonic(self) -> float:
            return now

    tenure = Tenure(World())
    assert not tenure.is_sure
    tenure.renew(110.0)
    tenure.renew(105.0)  # an answer that was overtaken
    now = 109.9
    assert tenure.is_sure
    now = 110.0
    waits = asyncio.ensure_future(tenure.sure())
    tenure.renew(109.0)
    done, _ = await asyncio.wait({waits}, timeout=0.05)
    assert not done
    tenure.renew(120.0)
    await asyncio.wait_for(waits, 1)
    tenure.end()
    assert not tenure.is_sure
