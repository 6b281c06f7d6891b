"""The application that the examples in docstrings talk to: what it runs, what they find when they begin."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import CodeType
from typing import Any

import psycopg

import durably
from durably import App, AsyncDBOSClient, EnqueueOptions, Message, aio, sync
from durably.engine.engine import Engine
from tests.docs.running import DATE, execute, execute_blocking, names
from tests.engine.support import eventually, rows

__all__ = ["Shop"]

KEPT = {"application_code", "application_versions", "dbos_migrations", "executors", "migrations", "queues"}
# Versions besides the application's own, older ones; a workflow that was given up; one that was set aside.
OTHERS = """
    DELETE FROM dbos.application_versions WHERE application_name IS NULL;
    INSERT INTO dbos.application_versions (version_id, version_name, version_timestamp)
    SELECT name, name, 1 FROM unnest(ARRAY['v1', 'v2', 'tickets@2026-11-26']) AS name;
    INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, recovery_attempts)
    VALUES ('dead', 'purchaseTicket', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', 'ticketQueue', 51);
    INSERT INTO dbos.workflow_status (workflow_uuid, name, status, queue_name, delay_until_epoch_ms)
    VALUES ('stranded', 'purchaseTicket', 'DELAYED', 'ticketQueue', 253402128000000);
    INSERT INTO durably.stranded_workflows (
        workflow_uuid, application_name, function_id, asked, recorded, difference, code, code_changed, met,
        executor_id)
    SELECT 'stranded', 'shop', 1, 'ship', 'charge', 'it asks for ship, recorded is charge', code, true,
           ARRAY[code], 'another' FROM durably.application_code;
    INSERT INTO durably.console_accounts (name, password, role, sees_payloads)
    VALUES ('ada', 'scrypt:1024:8:1:00:00', 'operator', true);
    INSERT INTO durably.api_tokens (token_id, token_hash, name, role, sees_payloads, created_by)
    VALUES ('f00dfeed0001', 'none', 'deploy', 'viewer', true, 'ada');
    INSERT INTO durably.audit (who, verb, kind, targets, source)
    VALUES ('ada', 'pause', 'queue', '{emails}', 'cli');
"""


@dataclass
class Shop:
    """The application, and the examples that its workflows `example` run, by name."""

    app: App
    url: str
    examples: dict[str, tuple[CodeType, bool]] = field(default_factory=dict)  # and whether a step runs it
    begun: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for queue in ("ticketQueue", "sums", "emails"):
            self.app.queue(queue)
        _define_shop(self.app)
        _define_examples(self)

    @property
    def engine(self) -> Engine:
        engine = self.app._engine
        assert engine is not None
        return engine

    async def reset(self, client: AsyncDBOSClient, event: str = "patient", *, scheduled: bool = True) -> None:
        """Forget all workflows, and begin those that examples name; `event` says how the orders end."""
        active = await client.list_workflows(
            durably.WorkflowFilter(status=["ENQUEUED", "DELAYED", "PENDING"])
        )
        await client.cancel_workflows([workflow.workflow_id for workflow in active])
        await eventually(lambda: not self.engine.executor.running)
        _empty(self.url)
        self.begun.clear()
        await client.register_queue("emails", concurrency=10)
        if scheduled:
            await client.create_schedule(
                schedule_name="nightly", workflow_name="report", schedule="0 3 * * *", application_name="shop"
            )
        await self._begin(client, event)

    async def _begin(self, client: AsyncDBOSClient, event: str) -> None:
        order = EnqueueOptions(
            workflow_name="purchaseTicket",
            workflow_class_name="DBOSTicketAuthority",
            queue_name="ticketQueue",
        )
        orders = [dataclasses.replace(order, workflow_id=id_) for id_ in ("order-17", "order-18")]
        chat = EnqueueOptions(workflow_name="chat", queue_name="sums", workflow_id="chat-17")
        poller = EnqueueOptions(workflow_name="poller", queue_name="sums", workflow_id="poller")
        arguments = (event, ["a1"], DATE)
        handles = await client.enqueue_many(
            [(orders[0], arguments), (orders[1], arguments), (chat, ()), (poller, (1,))]
        )
        for handle in handles[2:]:
            await handle.get_result(timeout=10)
        for handle in handles[:2]:
            assert await handle.get_event("status", timeout_seconds=10)
            if event == "failing":
                await eventually(lambda: not self.engine.executor.running)
            elif event == "cancelled":
                await handle.cancel()
        await eventually(lambda: event == "patient" or not self.engine.executor.running)
        if event == "patient":
            await client.send_many([Message(destination_id=orders[0].workflow_id or "", message="hello")])


def _empty(url: str) -> None:
    """Delete what workflows left; the application runs on, so its own rows stay."""
    query = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('dbos', 'durably')"
    left = [f'{schema}."{table}"' for schema, table in rows(url, query) if table not in KEPT]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("".join(f"DELETE FROM {table};" for table in left).encode())
        connection.execute(OTHERS.encode())


def _define_shop(app: App) -> None:
    @app.step(name="reserve")
    async def reserve(event: str) -> str:
        return f"receipt for {event}"

    @app.workflow(name="purchaseTicket", class_name="DBOSTicketAuthority")
    async def purchase_ticket(event: str, seats: list[str], date: datetime) -> dict[str, str]:
        await aio.set_event("status", {"stage": "reserving"})
        await reserve(event)
        await aio.write_stream("tokens", "reserved")
        await aio.close_stream("tokens")
        if event == "failing":
            raise ValueError("sold out")
        while event in ("patient", "cancelled"):
            request = await aio.recv_request("questions", timeout=None)
            assert request is not None
            await request.reply("yes")
        return {"event": event}

    @app.workflow(name="chat")
    async def chat() -> None:
        for token in ("a", "b", "c"):
            await aio.write_stream("tokens", token)

    @app.workflow(name="poller")
    async def poller(left: int) -> None:
        if left:
            aio.continue_as_new(left - 1)

    @app.workflow(name="report")
    async def report(scheduled_at: datetime, context: Any) -> None: ...

    @app.workflow(name="add")
    async def add_(one: int, other: int) -> int:
        return one + other

    @app.workflow(name="square")
    async def square(number: int) -> int:
        return number * number


def _define_examples(shop: Shop) -> None:
    app = shop.app
    asynchronous, blocking = _async_steps(app), _blocking_steps(app)

    async def run(name: str, namespace: Mapping[str, Any]) -> None:
        shop.begun.add(name)
        await execute(shop.examples[name][0], names(**namespace))

    @app.step(name="step of an example")
    async def in_step(name: str) -> None:
        await run(name, asynchronous)

    @app.step(name="blocking step of an example")
    def in_blocking_step(name: str) -> None:
        shop.begun.add(name)
        execute_blocking(shop.examples[name][0], names(**blocking))

    @app.workflow(name="example")
    async def example(name: str) -> None:
        if not name:
            return  # the second generation
        if shop.examples[name][1]:
            await in_step(name)
            return
        handles = [aio.client().retrieve_workflow(id_) for id_ in ("chat-17", "poller")]
        await aio.send(aio.workflow_id(), {"ok": True}, topic="approval")
        request = await aio.recv_request("questions") if name.endswith("Request.reply") else None
        await run(name, {**asynchronous, "handles": handles, "handle": handles[0], "request": request})

    @app.workflow(name="blocking example")
    def blocking_example(name: str) -> None:
        if not name:
            return
        if shop.examples[name][1]:
            in_blocking_step(name)
            return
        handles = [sync.client().retrieve_workflow(id_) for id_ in ("chat-17", "poller")]
        sync.send(sync.workflow_id(), {"ok": True}, topic="approval")
        request = sync.recv_request("questions") if name.endswith("Request.reply") else None
        shop.begun.add(name)
        namespace = {**blocking, "handles": handles, "handle": handles[0], "request": request}
        execute_blocking(shop.examples[name][0], names(**namespace))


def _async_steps(app: App) -> dict[str, Callable[..., Any]]:
    @app.step(name="charge")
    async def charge(card: Any, cents: int = 0) -> None: ...

    @app.step(name="charge_cents")
    async def charge_cents(total: int) -> None: ...

    @app.step(name="ship")
    async def ship(order: str) -> None:
        raise ValueError("the lorry is full")

    @app.step(name="refund")
    async def refund(order: str) -> None: ...

    async def copy(page: str) -> None: ...

    return {"charge": charge, "charge_cents": charge_cents, "ship": ship, "refund": refund, "copy": copy}


def _blocking_steps(app: App) -> dict[str, Callable[..., Any]]:
    @app.step(name="charge, blocking")
    def charge(card: Any, cents: int = 0) -> None: ...

    @app.step(name="charge_cents, blocking")
    def charge_cents(total: int) -> None: ...

    @app.step(name="ship, blocking")
    def ship(order: str) -> None:
        raise ValueError("the lorry is full")

    @app.step(name="refund, blocking")
    def refund(order: str) -> None: ...

    def copy(page: str) -> None: ...

    return {"charge": charge, "charge_cents": charge_cents, "ship": ship, "refund": refund, "copy": copy}
