"""Messages, events, questions and streams between us and real DBOS clients and workflows, in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from durably import App, EnqueueOptions, Retry, aio
from tests.engine.support import eventually, rows, status
from tests.interop import harness
from tests.interop.conftest import Place

APPS = {"typescript": harness.typescript_app, "python": harness.python_app}
PROMPT = (
    0.1  # seconds from a commit until the one who waits goes on, the best of TRIES: the machine may be busy
)
TRIES = 5
EVENT_SET_AT = """SELECT completed_at_epoch_ms / 1000.0 FROM dbos.operation_outputs
    WHERE workflow_uuid = %s AND function_name = 'DBOS.setEvent' ORDER BY function_id LIMIT 1"""
SENT_AND_RECEIVED = """SELECT n.created_at_epoch_ms / 1000.0, p.completed_at_epoch_ms / 1000.0
    FROM dbos.notifications n JOIN dbos.operation_outputs p ON p.workflow_uuid = n.destination_uuid
    WHERE n.destination_uuid = %s AND p.function_name = 'DBOS.recv'"""
# Whether their client has looked since an instant; Python's is told by its name: its last may be a COMMIT.
LOOKED = """SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND query_start > %s::timestamptz
      AND (query ILIKE %s AND query NOT ILIKE '%%asked%%' OR application_name = 'dbos_transact_client')"""
NewId = Callable[..., str]
Start = Callable[[Callable[[], harness.Process]], harness.Process]


@pytest.fixture(scope="module", params=APPS)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def url(language: str, new_place: Callable[[], Place], start: Start) -> str:
    """A system database where an application of theirs runs; ours, in this process, joins it."""
    place = new_place()
    start(lambda: APPS[language](place.system_url, APP_NAME=f"theirs-{language}", EXECUTOR_ID="peer-1"))
    return place.system_url


@pytest.fixture(scope="module")
def theirs(language: str, url: str) -> Iterator[harness.PeerClient]:
    with harness.PeerClient(language, url) as client:
        yield client


@pytest.fixture
def app(url: str) -> App:
    app = App("ours", system_database_url=url, grace=0)
    app.queue("ours")
    return app


async def ask(client: harness.PeerClient, op: str, **fields: Any) -> Any:
    return await asyncio.to_thread(client.call, op, **fields)


def now(url: str) -> Any:
    return rows(url, "SELECT clock_timestamp()")[0][0]


def reached(instants: list[float], n: int) -> bool:
    return len(instants) > n


def figures(what: str, seconds: list[float]) -> None:
    """Printed for who wants to know (pytest -rP)."""
    print(what, ", ".join(f"{1000 * each:.1f}" for each in sorted(seconds)), "ms")


def gate(workflow_id: str, language: str) -> EnqueueOptions[..., Any]:
    """A workflow of theirs that tells that it waits, and waits for a message."""
    return EnqueueOptions(
        workflow_name="gate",
        workflow_class_name="Interop",
        queue_name="ticketQueue",
        workflow_id=workflow_id,
        application_name=f"theirs-{language}",
    )


# -- their clients and our workflows -----------------------------------------------------------------------


async def test_our_workflow_is_woken_by_a_message_of_their_client(
    app: App, theirs: harness.PeerClient, new_id: NewId
) -> None:
    woken: list[float] = []

    @app.workflow(name="listens")
    async def listens() -> list[Any]:
        words = []
        for _ in range(TRIES):
            words.append(await aio.recv("words", timeout=30))
            woken.append(time.perf_counter())
        return words

    wid, took = new_id("listens"), list[float]()
    async with app:
        handle = await listens.options(workflow_id=wid).start()
        for n in range(TRIES):
            began = time.perf_counter()
            await ask(theirs, "send", id=wid, message=n, topic="words", serializationType="portable")
            await eventually(partial(reached, woken, n))
            took.append(woken[n] - began)
        assert await handle.get_result() == list(range(TRIES))
    figures("woken after", took)
    assert min(took) < PROMPT, took


async def test_their_client_is_woken_by_an_event_of_our_workflow(
    app: App, url: str, theirs: harness.PeerClient, new_id: NewId
) -> None:
    published: list[float] = []

    @app.workflow(name="tells")
    async def tells() -> None:
        for n in range(TRIES):
            await aio.recv("go", timeout=30)
            published.append(time.perf_counter())
            await aio.set_event(f"key-{n}", {"n": n})

    wid, took = new_id("tells"), list[float]()
    async with app:
        handle = await tells.options(workflow_id=wid).start()
        for n in range(TRIES):
            since = now(url)
            waiting = asyncio.create_task(ask(theirs, "getEvent", id=wid, key=f"key-{n}", timeoutSeconds=30))
            await eventually(partial(rows, url, LOOKED, since, "%workflow_events%"))
            await handle.send(None, topic="go")
            assert await waiting == {"n": n}
            took.append(time.perf_counter() - published[n])
    figures("woken after", took)
    assert min(took) < PROMPT, took


async def test_their_client_reads_the_rows_of_a_question(
    app: App, url: str, theirs: harness.PeerClient, new_id: NewId
) -> None:
    """A question is a message and its reply an event, so a DBOS client can ask as well."""

    @app.workflow(name="shop")
    async def shop() -> None:
        for _ in range(2):
            request = await aio.recv_request("prices", timeout=30)
            assert request is not None
            await request.reply({"cents": 100 * request.question["count"]})

    wid = new_id("shop")
    async with app:
        handle = await shop.options(workflow_id=wid).start()
        assert await handle.ask({"count": 3}, "prices", idempotency_key="ours") == {"cents": 300}
        [(key,)] = rows(url, "SELECT key FROM dbos.workflow_events WHERE workflow_uuid = %s", wid)
        assert await ask(theirs, "getEvent", id=wid, key=key, timeoutSeconds=5) == {"reply": {"cents": 300}}
        question = {"ask": "theirs", "question": {"count": 2}}
        await ask(theirs, "send", id=wid, message=question, topic="prices", serializationType="portable")
        assert await ask(theirs, "getEvent", id=wid, key="reply:theirs", timeoutSeconds=20) == {
            "reply": {"cents": 200}
        }
        await handle.get_result()
        steps = await ask(theirs, "listWorkflowSteps", id=wid)
        assert [step["name"] for step in steps if step["name"] != "DBOS.sleep"] == [
            *("DBOS.recv", "DBOS.setEvent"),
            *("DBOS.recv", "DBOS.setEvent"),
        ]


async def test_their_client_reads_our_stream_from_an_offset_and_ends_with_the_workflow(
    app: App, url: str, theirs: harness.PeerClient, new_id: NewId
) -> None:
    """The stream is never closed: its reader ends because the workflow does."""

    @app.workflow(name="writes")
    async def writes() -> None:
        for n in range(4):
            await aio.write_stream("progress", {"n": n})
        await aio.recv("go", timeout=30)
        await aio.write_stream("progress", "last")

    wid = new_id("writes")
    async with app:
        handle = await writes.options(workflow_id=wid).start()
        since = now(url)
        reading = asyncio.create_task(ask(theirs, "readStream", id=wid, key="progress", offset=2))
        await eventually(lambda: rows(url, LOOKED, since, "%streams%"))
        await handle.send(None, topic="go")
        await handle.get_result()
        ended = time.perf_counter()
        assert await reading == [{"n": 2}, {"n": 3}, "last"]
        figures("ended after", [time.perf_counter() - ended])
        assert await ask(theirs, "readStream", id=wid, key="progress", offset=4) == ["last"]
        assert await ask(theirs, "readStream", id=wid, key="progress", offset=9) == []


async def test_their_client_sees_a_workflow_that_is_tried_again_as_a_delayed_one(
    app: App, url: str, theirs: harness.PeerClient, new_id: NewId
) -> None:
    """It may resume it, too: the next attempt is at once."""

    @app.step(name="ship")
    async def ship() -> str:
        if aio.context().retry_attempt == 1 and not tried:
            tried.append(1)
            raise ConnectionError("no truck")
        return "shipped"

    @app.workflow(name="orders", retry=Retry(attempts=5, interval=3600))
    async def orders() -> list[Any]:
        return [await aio.run_step("pay", lambda: 42), await ship()]

    wid, tried = new_id("order"), list[int]()
    async with app:
        handle = await orders.options(workflow_id=wid).start()
        await eventually(lambda: status(url, wid) == "DELAYED")
        seen = await ask(theirs, "getStatus", id=wid)
        assert (seen["status"], seen["workflowName"], seen.get("output")) == ("DELAYED", "orders", None)
        steps = await ask(theirs, "listWorkflowSteps", id=wid)
        assert [(step["name"], step["output"]) for step in steps] == [("pay", 42)]
        await ask(theirs, "resume", id=wid)
        assert await handle.get_result(timeout=20) == [42, "shipped"]


# -- our client and workflows, and their workflows ---------------------------------------------------------


async def test_our_client_and_their_workflow_wake_each_other(
    app: App, url: str, language: str, new_id: NewId
) -> None:
    heard, received = list[float](), list[float]()
    async with app:
        for _ in range(TRIES):
            wid = new_id("gate")
            handle = await app.client.enqueue(gate(wid, language))
            assert await handle.get_event("status", timeout_seconds=30) == "waiting"
            seen = time.time()
            heard.append(seen - float(rows(url, EVENT_SET_AT, wid)[0][0]))
            await handle.send({"n": 1}, topic="open")
            assert await handle.get_result(timeout=30) == {"before": 42, "message": {"n": 1}}
            [(sent, taken)] = rows(url, SENT_AND_RECEIVED, wid)
            received.append(float(taken - sent))
    figures("event seen after", heard)
    figures("message received after", received)
    assert min(heard) < PROMPT, heard
    assert min(received) < PROMPT, received


async def test_our_workflow_and_theirs_wake_each_other(
    app: App, url: str, language: str, new_id: NewId
) -> None:
    seen: list[float] = []

    @app.workflow(name="talks")
    async def talks(other: str) -> Any:
        status = await aio.get_event(other, "status", timeout=30)
        seen.append(time.time())
        await aio.send(other, {"status": status}, "open")
        return await aio.client().retrieve_workflow(other).get_result()

    heard, received = list[float](), list[float]()
    async with app:
        for _ in range(TRIES):
            wid = new_id("gate")
            talking = await talks.start(wid)
            await app.client.enqueue(gate(wid, language))
            result = {"before": 42, "message": {"status": "waiting"}}
            assert await talking.get_result(timeout=30) == result
            heard.append(seen[-1] - float(rows(url, EVENT_SET_AT, wid)[0][0]))
            [(sent, taken)] = rows(url, SENT_AND_RECEIVED, wid)
            received.append(float(taken - sent))
    figures("event seen after", heard)
    figures("message received after", received)
    assert min(heard) < PROMPT, heard
    assert min(received) < PROMPT, received
