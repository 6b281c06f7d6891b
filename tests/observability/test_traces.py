"""Traces across client, queue and executor, on a real database and through real crashes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from durably import App, AsyncDBOSClient, DBOSClient, EnqueueOptions, Message, Retry, aio, sync
from durably.client import Enqueue
from durably.concurrency.trace import CARRIER
from durably.integrations.otel import OpenTelemetry
from durably.observing import CallFacts, Observer, OperationFacts, RunFacts, Watch
from tests.engine.support import enqueue, eventually, rows, status, waits
from tests.observability.spans import Spans, parent_of, span_of, trace_of

ORDER = EnqueueOptions[..., Any](workflow_name="order", queue_name="orders")


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def tracing(spans: Spans) -> OpenTelemetry:
    return OpenTelemetry(tracer_provider=spans.provider, metrics=False)


def shop(url: str, tracing: Observer) -> App:
    """An application whose workflow has a step that is tried twice, a child, a message, an event."""
    app = App("shop", system_database_url=url, observers=[tracing])
    app.queue("orders")
    tries: list[int] = []

    @app.step(name="charge", retry=Retry(attempts=3, interval=0.001))
    async def charge(amount: int) -> str:
        tries.append(amount)
        if len(tries) == 1:
            raise ConnectionError("the bank is away")
        return f"receipt of {amount}"

    @app.workflow(name="printTicket")
    async def print_ticket(receipt: str) -> str:
        await aio.set_event("printed", True)
        return receipt.upper()

    @app.workflow(name="order")
    async def order(amount: int) -> str:
        receipt = await charge(amount)
        ticket = await print_ticket(receipt)
        approval = await aio.recv("approval", timeout=60)
        return f"{ticket} {approval}"

    return app


async def test_client_queue_executor_child_and_step_are_one_trace(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    app = shop(database_url, tracing)
    async with app, AsyncDBOSClient.create(system_database_url=database_url, observers=[tracing]) as client:
        handle = await client.enqueue(ORDER, 7)
        await eventually(lambda: waits(app, handle.workflow_id))
        await client.send(handle.workflow_id, "yes", topic="approval")
        assert await handle.get_result() == "RECEIPT OF 7 yes"
    assert sorted(branch for branch in spans.tree() if not branch.startswith("send")) == [
        "enqueue order",
        "enqueue order > run order",
        "enqueue order > run order > get_result",
        "enqueue order > run order > recv",
        "enqueue order > run order > start printTicket",
        "enqueue order > run order > start printTicket > run printTicket",
        "enqueue order > run order > start printTicket > run printTicket > set_event",
        "enqueue order > run order > step charge",
    ]
    assert len({trace_of(span) for span in spans.all if span.name != "send"}) == 1
    assert spans.one("send").attributes["durably.workflow.id"] == handle.workflow_id  # type: ignore[index]


async def test_spans_say_what_they_are_of(database_url: str, spans: Spans, tracing: OpenTelemetry) -> None:
    app = shop(database_url, tracing)
    async with app, AsyncDBOSClient.create(system_database_url=database_url, observers=[tracing]) as client:
        handle = await client.enqueue(ORDER, 7)
        await client.send(handle.workflow_id, "yes", topic="approval")
        await handle.get_result()
        executor_id = app.executor_id
    called, run, step = spans.one("enqueue order"), spans.one("run order"), spans.one("step charge")
    assert (called.kind, run.kind, step.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.INTERNAL)
    assert called.attributes and run.attributes and step.attributes
    assert called.attributes["durably.workflow.id"] == handle.workflow_id
    assert called.attributes["messaging.destination.name"] == "orders"
    wait = run.attributes["durably.run.queue_wait"]
    assert isinstance(wait, float) and 0 <= wait < 60
    assert {key: value for key, value in run.attributes.items() if not key.startswith("messaging.")} == {
        "durably.workflow.id": handle.workflow_id,
        "durably.workflow.name": "order",
        "durably.queue.name": "orders",
        "durably.application.name": "shop",
        "durably.application.version": "shop@stable",
        "durably.executor.id": executor_id,
        "durably.run.attempt": 1,
        "durably.run.resumed": False,
        "durably.run.queue_wait": wait,
        "durably.outcome": "success",
    }
    assert (step.attributes["durably.step.id"], step.attributes["durably.outcome"]) == (1, "success")
    [failed] = step.events
    assert failed.name == "durably.step.attempt_failed"
    assert failed.attributes and failed.attributes["exception.message"] == "the bank is away"
    assert step.status.status_code is not StatusCode.ERROR
    text = json.dumps([dict(span.attributes or {}) for span in spans.all])
    assert "receipt" not in text.lower() and "yes" not in text


async def test_an_error_is_on_the_spans_of_its_step_and_its_run(database_url: str, spans: Spans) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    app = App(
        "shop",
        system_database_url=database_url,
        observers=[OpenTelemetry(tracer_provider=spans.provider, metrics=False)],
    )

    @app.step(name="charge")
    async def charge(error: bool) -> None:
        raise ValueError("no card") if error else Silent()

    @app.workflow(name="order")
    async def order(error: bool) -> None:
        await charge(error)

    async with app:
        with pytest.raises(ValueError, match="no card"):
            await order(True)
        with pytest.raises(Exception, match="Silent"):
            await order(False)
    for name in ("step charge", "run order"):  # a run's span may end after its caller was answered
        span, silent = spans.named(name)
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "no card")
        assert span.attributes and span.attributes["error.type"] == "ValueError"
        assert span.events[-1].name == "exception"
        assert silent.status.status_code is StatusCode.ERROR


async def test_without_errors_no_message_of_one_is_told(database_url: str, spans: Spans) -> None:
    quiet = OpenTelemetry(tracer_provider=spans.provider, metrics=False, errors=False)
    app = App("shop", system_database_url=database_url, observers=[quiet])

    @app.workflow(name="order")
    async def order() -> None:
        raise ValueError("card 4242")

    async with app:
        with pytest.raises(ValueError):
            await order()
    span = spans.one("run order")
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
    assert span.attributes and span.attributes["error.type"] == "ValueError"


async def test_what_user_code_opens_is_in_the_span_of_its_step(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    """An instrumented HTTP client's call, say; in both colours."""
    app = App("shop", system_database_url=database_url, observers=[tracing])
    tracer = spans.provider.get_tracer("user")

    @app.step(name="charge")
    async def charge() -> None:
        with tracer.start_as_current_span("POST /charges"):
            pass

    @app.step(name="mail")
    def mail() -> None:
        with tracer.start_as_current_span("SMTP"):
            pass

    @app.workflow(name="order")
    async def order() -> None:
        await charge()

    @app.workflow(name="notify")
    def notify() -> None:
        mail()
        sync.set_event("sent", True)

    async with app:
        await order()
        await asyncio.to_thread(notify)
    tree = spans.tree()
    assert "start order > run order > step charge > POST /charges" in tree
    assert "start notify > run notify > step mail > SMTP" in tree
    assert "start notify > run notify > set_event" in tree
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_a_step_that_is_interrupted_has_a_span_that_says_so(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    app = App("shop", system_database_url=database_url, observers=[tracing])
    entered = asyncio.Event()

    @app.step(name="charge")
    async def charge() -> None:
        entered.set()
        await asyncio.Event().wait()

    @app.workflow(name="order")
    async def order() -> None:
        await charge()

    async with app:
        handle = await order.options(workflow_id="o").start()
        await entered.wait()
        await app.client.cancel_workflow("o")
        with pytest.raises(Exception, match="cancelled"):
            await handle.get_result()
        await eventually(lambda: spans.named("run order"))
    step, run = spans.one("step charge"), spans.one("run order")
    assert step.attributes and step.attributes["durably.outcome"] == "interrupted"
    assert run.attributes and run.attributes["durably.outcome"] in ("cancelled", "interrupted")
    assert StatusCode.ERROR not in (step.status.status_code, run.status.status_code)


async def test_each_attempt_of_a_workflow_that_is_tried_again_has_a_span(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    app = App("shop", system_database_url=database_url, observers=[tracing])
    attempts: list[int] = []

    @app.workflow(name="order", retry=Retry(attempts=3, interval=0.001))
    async def order() -> str:
        attempts.append(1)
        if len(attempts) < 2:
            raise ConnectionError("away")
        return "done"

    async with app:
        assert await order() == "done"
    outcomes = [span.attributes["durably.outcome"] for span in spans.named("run order") if span.attributes]
    assert outcomes == ["retried", "success"]
    assert len({trace_of(span) for span in spans.all}) == 1


def test_the_blocking_client_traces_too(database_url: str, spans: Spans, tracing: OpenTelemetry) -> None:
    tracer = spans.provider.get_tracer("web")
    with DBOSClient.create(system_database_url=database_url, observers=[tracing]) as client:
        with tracer.start_as_current_span("POST /orders"):
            client.enqueue(ORDER, 7)
            client.enqueue_many([Enqueue(ORDER, (1,)), Enqueue(ORDER, (2,))])
            assert client.enqueue_many([]) == []
    assert spans.tree() == ["POST /orders", "POST /orders > enqueue order", "POST /orders > enqueue order"]
    assert (spans.all[2].attributes or {})["messaging.batch.message_count"] == 2


async def test_the_row_carries_the_trace_as_dbos_keeps_it(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    async with AsyncDBOSClient.create(system_database_url=database_url, observers=[tracing]) as client:
        handle = await client.enqueue(ORDER, 7)
    query = "SELECT attributes FROM dbos.workflow_status WHERE workflow_uuid = %s"
    [[attributes]] = rows(database_url, query, handle.workflow_id)
    called = spans.one("enqueue order")
    expected = f"00-{trace_of(called)}-{span_of(called)}"
    assert attributes[CARRIER]["traceparent"].rpartition("-")[0] == expected


async def test_a_trace_that_a_dbos_application_began_goes_on(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    """A row as DBOS for Python writes it, where its enqueuer has opted in."""
    carrier = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    attributes = json.dumps({CARRIER: carrier, "team": "red"})
    app = shop(database_url, tracing)
    async with app:
        enqueue(database_url, "o", "order", 7, queue="orders", attributes=attributes)
        await app.client.send("o", "yes", topic="approval")
        await eventually(lambda: status(database_url, "o") == "SUCCESS")
        await eventually(lambda: spans.named("run order"))
    run = spans.one("run order")
    assert (trace_of(run), parent_of(run)) == ("a" * 32, "b" * 16)
    [[child]] = rows(database_url, "SELECT attributes FROM dbos.workflow_status WHERE name = 'printTicket'")
    assert child["team"] == "red" and child[CARRIER]["traceparent"].split("-")[1] == "a" * 32


# -- crashes -------------------------------------------------------------------------------------------

Start = Callable[[str], Coroutine[Any, Any, asyncio.subprocess.Process]]


@pytest.fixture
async def start(database_url: str, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the application of program.py."""
    started: list[asyncio.subprocess.Process] = []

    async def process(mode: str) -> asyncio.subprocess.Process:
        command = [sys.executable, "-m", "tests.observability.program", database_url]
        started.append(
            await asyncio.create_subprocess_exec(
                *command, str(tmp_path / "spans"), mode, stdout=asyncio.subprocess.PIPE
            )
        )
        return started[-1]

    yield process
    for each in started:
        if each.returncode is None:
            each.kill()
        await each.wait()


async def said(process: asyncio.subprocess.Process, last: str) -> list[str]:
    """The lines that the process prints, up to the one that ends so."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(30):
        while line := (await process.stdout.readline()).decode().strip():
            lines.append(line)
            if line.endswith(last):
                return lines
    raise AssertionError(f"{lines}, and no {last}")


async def test_a_replay_repeats_neither_spans_nor_log_lines(
    database_url: str, start: Start, tmp_path: Path, spans: Spans, tracing: OpenTelemetry
) -> None:
    """A process is killed amid the second step; the next one goes on, in the same trace."""
    async with AsyncDBOSClient.create(system_database_url=database_url, observers=[tracing]) as client:
        first = await start("hang")
        handle = await client.enqueue(EnqueueOptions(workflow_name="order", queue_name="orders"))
        before = await said(first, "charging")
        first.kill()
        await first.wait()
        second = await start("finish")
        after = await said(second, "charged")
        assert await handle.get_result() == "seat receipt"
        await eventually(lambda: len((tmp_path / "spans").read_text().splitlines()) >= 3)
        second.terminate()
    id_ = handle.workflow_id
    logged = [line for line in before + after if line.startswith("log")]
    assert logged == [
        f"log {id_}/ begins",
        f"log {id_}/1 reserving",
        f"log {id_}/ reserved",
        f"log {id_}/ reserved",  # behind the last record: whether it was logged is not known
        f"log {id_}/ charged",
    ]
    written = [json.loads(line) for line in (tmp_path / "spans").read_text().splitlines()]
    assert [span["name"] for span in written] == ["step reserve", "step charge", "run order"]
    assert (written[-1]["durably.run.attempt"], written[-1]["durably.run.resumed"]) == (2, True)
    assert "durably.run.queue_wait" not in written[-1]
    [trace_id] = {span["trace"] for span in written}
    assert trace_id == trace_of(spans.one("enqueue order"))


# -- observers of one's own ----------------------------------------------------------------------------


async def test_an_observer_that_fails_harms_nobody(
    database_url: str, spans: Spans, tracing: OpenTelemetry, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, once for each of its methods; the other observers are told."""

    class Broken(Observer):
        def call(self, facts: CallFacts) -> Watch:
            raise RuntimeError("broken call")

        def run(self, facts: RunFacts) -> Watch:
            raise RuntimeError("broken run")

        def operation(self, facts: OperationFacts) -> Watch:
            return BrokenWatch()

        def committed(self, records: int, seconds: float) -> None:
            raise RuntimeError("broken commit")

    class BrokenWatch(Watch):
        def __exit__(self, *_: object) -> None:
            raise RuntimeError("broken exit")

    app = App("shop", system_database_url=database_url, observers=[Broken(), tracing])

    @app.workflow(name="order")
    async def order() -> str:
        await aio.set_event("a", 1)
        await aio.set_event("b", 2)
        return "done"

    async with app:
        assert await order() == "done"
    assert len(spans.named("set_event")) == 2
    told = [
        record.getMessage() for record in caplog.records if "of an observer failed" in record.getMessage()
    ]
    assert len(told) == 4 and len(set(told)) == 4


def test_what_is_no_observer_is_refused() -> None:
    with pytest.raises(Exception, match=r"durably\.observing\.Observer"):
        DBOSClient.create("postgresql://localhost/x", observers=["otel"])  # type: ignore[list-item]


async def test_messages_that_are_sent_together_need_no_span(
    database_url: str, spans: Spans, tracing: OpenTelemetry
) -> None:
    """They are not lost for it."""
    app = shop(database_url, tracing)
    async with app:
        handle = await app.client.enqueue(ORDER, 7)
        await app.client.send_many(
            [Message(destination_id=handle.workflow_id, message="yes", topic="approval")]
        )
        assert await handle.get_result() == "RECEIPT OF 7 yes"
