"""Workflows that are tried again as a whole: when, from where, how often, and across processes."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from durably import App, Retry, RetryAfter, aio, sync
from durably.decorators import AsyncWorkflow, BlockingWorkflow
from durably.errors import (
    InvalidOption,
    StepRetriesExhausted,
    WorkflowCancelled,
    WorkflowRetriesExhausted,
)
from tests.engine.support import eventually, rows, status
from tests.engine.test_transactions import Place
from tests.support.databases import Databases

STEPS = """SELECT function_id, function_name, output, error IS NULL FROM dbos.operation_outputs
    WHERE workflow_uuid = 'w' ORDER BY 1"""
FINAL = """SELECT s.status, s.queue_name, s.recovery_attempts, o.output, o.error
    FROM dbos.workflow_status s LEFT JOIN dbos.workflow_output o USING (workflow_uuid)"""
COUNTED = "SELECT workflow_uuid, failed FROM durably.workflow_attempts"
WAITING = """SELECT status, queue_name, recovery_attempts, owner_xid, started_at_epoch_ms,
    delay_until_epoch_ms > extract(epoch from clock_timestamp()) * 1000 + 3000000 FROM dbos.workflow_status"""
DUE_NOW = "UPDATE dbos.workflow_status SET delay_until_epoch_ms = 1 WHERE status = 'DELAYED'"
QUICK = Retry(attempts=3, interval=0.01, backoff=1, jitter=0)
LATER = Retry(attempts=3, interval=3600, jitter=0)


@pytest.fixture
def app(database_url: str) -> App:
    return App("a", system_database_url=database_url, threads=4, grace=0)


class Order:
    """Pays and ships; the first `failures` attempts to ship fail, with what `error` makes."""

    def __init__(
        self, app: App, retry: Retry, *, failures: int = 10, error: Callable[[], Exception] = OSError
    ) -> None:
        self.bodies: list[str] = []
        self.attempts: list[int] = []

        def body(name: str) -> str:
            self.bodies.append(name)
            if name == "ship" and self.bodies.count("ship") <= failures:
                raise error()
            return name

        @app.step(name="pay")
        async def pay() -> str:
            return body("pay")

        @app.step(name="ship")
        async def ship() -> str:
            return body("ship")

        @app.step(name="pay")
        def pay_blocking() -> str:
            return body("pay")

        @app.step(name="ship")
        def ship_blocking() -> str:
            return body("ship")

        @app.workflow(name="async", retry=retry)
        async def order() -> list[str]:
            self.attempts.append(aio.context().retry_attempt)
            return [await pay(), await ship()]

        @app.workflow(name="blocking", retry=retry)
        def order_blocking() -> list[str]:
            self.attempts.append(sync.context().retry_attempt)
            return [pay_blocking(), ship_blocking()]

        self.order: AsyncWorkflow[[], list[str]] = order
        self._blocking: BlockingWorkflow[[], list[str]] = order_blocking

    async def start(self, colour: str) -> None:
        if colour == "async":
            await self.order.options(workflow_id="w").start()
        else:
            await asyncio.to_thread(self._blocking.options(workflow_id="w").start)

    async def run(self, app: App, colour: str) -> Any:
        await self.start(colour)
        return await app.client.retrieve_workflow("w").get_result(timeout=15)


def is_counted(url: str, failed: int) -> bool:
    return rows(url, COUNTED) == [("w", failed)]


both_colours = pytest.mark.parametrize("colour", ["async", "blocking"])


@both_colours
async def test_a_workflow_is_tried_again_from_what_failed_on(
    app: App, database_url: str, colour: str
) -> None:
    order = Order(app, QUICK, failures=2)
    async with app:
        assert await order.run(app, colour) == ["pay", "ship"]
    assert order.bodies == ["pay", "ship", "ship", "ship"]
    assert order.attempts == [1, 2, 3]
    assert rows(database_url, STEPS) == [(1, "pay", '"pay"', True), (2, "ship", '"ship"', True)]


@both_colours
async def test_a_workflow_that_keeps_failing_says_so_and_why(app: App, colour: str) -> None:
    order = Order(app, QUICK, error=lambda: ConnectionError("no truck"))
    async with app:
        with pytest.raises(WorkflowRetriesExhausted) as caught:
            await order.run(app, colour)
        assert (caught.value.workflow_id, caught.value.attempts) == ("w", 3)
        assert (
            str(caught.value)
            == f"workflow {colour!r} failed 3 times; the last time: ConnectionError: no truck"
        )
    assert order.bodies == ["pay", "ship", "ship", "ship"]


@both_colours
async def test_between_attempts_it_is_an_ordinary_delayed_workflow(
    app: App, database_url: str, colour: str
) -> None:
    """Which any DBOS application puts on its queue when it is due; the next attempt is after a restart."""
    order = Order(app, LATER, failures=1)
    async with app:
        await order.start(colour)
        await eventually(lambda: status(database_url, "w") == "DELAYED")
        waiting = ("DELAYED", "_dbos_internal_queue", 0, None, None, True)
        assert rows(database_url, WAITING) == [waiting]
        assert rows(database_url, STEPS) == [(1, "pay", '"pay"', True)]
        assert rows(database_url, COUNTED) == [("w", 1)]
        await eventually(lambda: not app._engine_running().executor.running)
    rows(database_url, DUE_NOW)
    async with app:
        assert await app.client.retrieve_workflow("w").get_result(timeout=15) == ["pay", "ship"]
    assert (order.bodies, order.attempts) == (["pay", "ship", "ship"], [1, 2])
    async with app:
        assert rows(database_url, COUNTED) == []  # swept, for the workflow has ended


@pytest.mark.parametrize("when", ["before", "after"])
@both_colours
async def test_a_crash_at_a_retry_leaves_the_same_rows(database_url: str, colour: str, when: str) -> None:
    """The process ends before, or after, the commit of each retry; the third one may end by itself."""
    lines: list[str] = []
    for how in (when, when, "never"):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.engine.retrying", database_url, colour, how),
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        output, _ = await asyncio.wait_for(process.communicate(), 15)
        assert process.returncode == (0 if how == "never" else 9)
        lines += output.decode().splitlines()
    ships = ["ship 1", "ship 2", "ship 3"]
    assert lines == ["pay 1", *ships, "42 shipped 3"]
    outcome = ("SUCCESS", "_dbos_internal_queue", 1, '[42,"shipped",3]', None)
    assert rows(database_url, FINAL) == [outcome]
    assert rows(database_url, STEPS) == [(1, "pay", "42", True), (2, "ship", '"shipped"', True)]


async def test_the_workflow_says_itself_when_to_be_tried_again(app: App) -> None:
    begun: list[float] = []

    @app.workflow(name="w", retry=LATER)
    async def workflow() -> str:
        begun.append(time.monotonic())
        if len(begun) < 2:
            raise RetryAfter(0.05)
        return "done"

    async with app:
        assert await asyncio.wait_for(workflow(), 15) == "done"
    assert begun[1] - begun[0] >= 0.05


async def test_an_error_that_is_never_worth_it_ends_the_workflow_at_once(app: App) -> None:
    order = Order(app, Retry(attempts=5, give_up_on=PermissionError), error=lambda: PermissionError("no"))
    async with app:
        with pytest.raises(PermissionError, match="no"):
            await order.run(app, "async")
    assert order.bodies == ["pay", "ship"]


async def test_a_predicate_says_which_errors_are_worth_it(app: App) -> None:
    errors = iter(["again", "again", "final"])
    rule = Retry(attempts=9, interval=0.01, on=lambda error: "again" in str(error))
    order = Order(app, rule, error=lambda: ValueError(next(errors)))
    async with app:
        with pytest.raises(ValueError, match="final"):
            await order.run(app, "async")
    assert order.attempts == [1, 2, 3]


async def test_a_predicate_that_fails_is_the_outcome(app: App) -> None:
    def broken(error: BaseException) -> bool:
        raise ZeroDivisionError("a mistake in the predicate")

    order = Order(app, Retry(on=broken))
    async with app:
        with pytest.raises(ZeroDivisionError, match="a mistake in the predicate"):
            await order.run(app, "async")


async def test_a_step_has_its_own_attempts_in_each_of_the_workflows(app: App) -> None:
    begun: list[int] = []

    @app.step(name="call", retry=QUICK)
    async def call() -> None:
        begun.append(aio.context().retry_attempt)
        raise OSError("busy")

    @app.workflow(name="w", retry=Retry(attempts=2, interval=0.01, on=StepRetriesExhausted))
    async def workflow() -> None:
        await call()

    async with app:
        with pytest.raises(WorkflowRetriesExhausted, match="failed 2 times; the last time: StepRetriesExh"):
            await workflow()
    assert begun == [1, 1, 1, 2, 2, 2]


async def test_what_the_failed_part_did_is_done_again(app: App, database_url: str) -> None:
    """Messages that it took are there again, events have their former value; what came before stays."""

    @app.step(name="fails")
    async def fails() -> None:
        if aio.context().retry_attempt == 1:
            raise OSError("busy")

    @app.workflow(name="w", retry=LATER)
    async def workflow() -> list[Any]:
        first = await aio.recv("words", timeout=15)
        await aio.set_event("state", "before")
        _, second, _ = await asyncio.gather(
            fails(),
            aio.recv("words", timeout=15),
            aio.set_event("state", "meanwhile"),
            return_exceptions=True,
        )
        await fails()  # the same error, from its record
        return [first, second]

    async with app:
        handle = await workflow.options(workflow_id="w").start()
        await handle.send("one", topic="words")
        await handle.send("two", topic="words")
        await eventually(lambda: status(database_url, "w") == "DELAYED")
        consumed = "SELECT message, consumed FROM dbos.notifications ORDER BY 1"
        assert rows(database_url, consumed) == [('"one"', True), ('"two"', False)]
        assert rows(database_url, "SELECT key, value FROM dbos.workflow_events") == [("state", '"before"')]
        rows(database_url, DUE_NOW)
        assert await handle.get_result(timeout=15) == ["one", "two"]
        assert rows(database_url, "SELECT value FROM dbos.workflow_events") == [('"meanwhile"',)]


@pytest.mark.parametrize("together", [False, True])
async def test_a_transaction_that_failed_is_done_again_and_no_other(
    databases: Databases, together: bool
) -> None:
    """Its error is recorded in the application's database too, where the next attempt would meet it."""
    place = Place(databases, together=together)
    app = place.app()
    insert = "INSERT INTO payments VALUES (%s, %s)"

    @app.transaction(name="pay")
    async def pay(connection: psycopg.AsyncConnection[Any], account: str, attempt: int) -> None:
        await connection.execute(insert, [account, attempt])
        if account == "b" and attempt == 1:
            raise ConnectionError("the bank is away")

    @app.workflow(name="w", retry=QUICK)
    async def workflow() -> None:
        for account in "abc":
            await pay(account, aio.context().retry_attempt)

    async with app:
        await asyncio.wait_for(workflow(), 15)
    assert place.paid == [("a", 1), ("b", 2), ("c", 2)]


async def test_no_step_of_a_failed_attempt_goes_on_beside_the_next_one(app: App) -> None:
    seen: list[str] = []
    under_way = asyncio.Event()

    @app.step(name="slow")
    async def slow() -> str:
        attempt = aio.context().retry_attempt
        seen.append(f"begin {attempt}")
        under_way.set()
        try:
            if attempt == 1:
                await asyncio.Event().wait()
        finally:
            seen.append(f"end {attempt}")
        return "slow"

    @app.step(name="fails")
    async def fails() -> None:
        await under_way.wait()
        if aio.context().retry_attempt == 1:
            raise OSError("busy")

    async def indirectly() -> str:
        return await slow()

    @app.workflow(name="w", retry=QUICK)
    async def workflow() -> str:
        return (await asyncio.gather(indirectly(), fails()))[0]

    async with app:
        assert await asyncio.wait_for(workflow(), 15) == "slow"
    assert seen == ["begin 1", "end 1", "begin 2", "end 2"]


async def test_a_resume_begins_the_attempts_anew(app: App, database_url: str) -> None:
    order = Order(app, LATER)
    async with app:
        await order.start("async")
        for attempt in (1, 2):
            await eventually(partial(is_counted, database_url, attempt))
            await eventually(lambda: not app._engine_running().executor.running)
            if attempt == 1:
                rows(database_url, DUE_NOW)
        await app.client.resume_workflow("w")
        await eventually(partial(is_counted, database_url, 1))
    assert order.attempts == [1, 2, 1]


async def test_a_workflow_that_waits_for_its_next_attempt_can_be_cancelled(
    app: App, database_url: str
) -> None:
    order = Order(app, LATER)
    async with app:
        await order.start("async")
        await eventually(lambda: status(database_url, "w") == "DELAYED")
        await app.client.cancel_workflow("w")
        with pytest.raises(WorkflowCancelled):
            await app.client.retrieve_workflow("w").get_result(timeout=15)
        rows(database_url, DUE_NOW)
    assert order.attempts == [1]


async def test_a_cancelled_workflow_is_not_tried_again(app: App, database_url: str) -> None:
    begun = asyncio.Event()
    attempts: list[int] = []

    @app.workflow(name="w", retry=QUICK)
    async def workflow() -> None:
        attempts.append(1)
        try:
            begun.set()
            await aio.recv("never", timeout=None)
        finally:
            raise OSError("in the cleanup")

    async with app:
        await workflow.options(workflow_id="w").start()
        await begun.wait()
        await app.client.cancel_workflow("w")
        await eventually(lambda: not app._engine_running().executor.running)
        assert status(database_url, "w") == "CANCELLED"
    assert (attempts, rows(database_url, COUNTED)) == ([1], [])


async def test_a_former_owner_has_nothing_tried_again(app: App, database_url: str) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    @app.workflow(name="w", retry=LATER)
    async def workflow() -> None:
        began.set()
        await go_on.wait()
        raise OSError("busy")

    async with app:
        await workflow.options(workflow_id="w").start()
        await began.wait()
        rows(database_url, "UPDATE dbos.workflow_status SET owner_xid = 'another'")
        go_on.set()
        await eventually(lambda: not app._engine_running().executor.running)
        owned = "SELECT status, owner_xid FROM dbos.workflow_status"
        assert rows(database_url, owned) == [("PENDING", "another")]
        assert rows(database_url, COUNTED) == []
        rows(database_url, "UPDATE dbos.workflow_status SET executor_id = 'dbos'")


async def test_the_deadline_is_that_of_all_attempts(app: App, database_url: str) -> None:
    order = Order(app, LATER)
    async with app:
        await order.order.options(workflow_id="w", timeout=1).start()
        with pytest.raises(WorkflowCancelled):
            await app.client.retrieve_workflow("w").get_result(timeout=15)
    assert order.attempts == [1]


def test_a_rule_is_a_retry(app: App) -> None:
    with pytest.raises(InvalidOption, match=r"retry=5.*Retry\(attempts=5\)"):
        app.workflow(retry=5)  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match=r"retry=5.*Retry\(attempts=5\)"):

        @app.step(retry=5)  # type: ignore[arg-type]
        async def step() -> None: ...
