"""Every public name has a docstring with an example, and every example runs on a real database.

An example runs where a reader would write it: a client's in a program of its colour, one of `aio` in an
`async def` workflow (or a step), one of `sync` in a `def` one. `tests.docs.shop` is what it finds there.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

import pytest

from durably import App, AsyncDBOSClient, DBOSClient, EnqueueOptions, RetryAfter, errors
from durably.config import system_database_url
from durably.errors import NoReply, WorkflowCancelled
from tests.docs.docstrings import Documented, example_of, public_names
from tests.docs.running import compiled, declared_purchase, execute, execute_blocking, names
from tests.docs.shop import Shop
from tests.engine.support import eventually, rows
from tests.support.databases import Databases

ERROR = "the library raises it, a program only names it in `except`"
RESULT = "a client returns it; its fields are listed, and the method that returns it has the example"
MODULE = "its names have their own"
WITHOUT_EXAMPLE = {
    **{f"errors.{name}": ERROR for name in errors.__all__ if name != "RetryAfter"},
    "Schedule": RESULT, "StepInfo": RESULT, "WorkflowStatus": RESULT,
    "aio": MODULE, "errors": MODULE, "sync": MODULE,
}  # fmt: skip

NAMES = public_names()
EXAMPLES = [name for name in NAMES if name.example]
APPLICATION = ("App", "Queue", "Retry", "RateLimit", "RetryAfter", "errors.RetryAfter")


def kind(name: str) -> str:
    first = name.partition(".")[0]
    if first in ("aio", "sync"):
        return "workflow"
    if first in APPLICATION or name in APPLICATION:
        return "application"
    return "async client" if first.startswith("Async") else "client"


def of(wanted: str) -> pytest.MarkDecorator:
    chosen = [name for name in EXAMPLES if kind(name.name) == wanted]
    return pytest.mark.parametrize("documented", chosen, ids=str)


# -- what is documented --------------------------------------------------------------------------------------


@pytest.mark.parametrize("documented", NAMES, ids=str)
def test_a_public_name_has_a_docstring_and_an_example(documented: Documented) -> None:
    assert documented.doc
    assert bool(documented.example) != (documented.name in WITHOUT_EXAMPLE)


def test_no_exception_outlives_its_name() -> None:
    assert WITHOUT_EXAMPLE.keys() <= {name.name for name in NAMES}


def test_an_example_is_what_parses_at_the_end() -> None:
    assert example_of("One sentence.\n\n    x = 1\n    ") == "x = 1"
    assert (
        example_of("One.\n\n    More of it.\n\n        x = 1\n\n        await y\n    ") == "x = 1\n\nawait y"
    )
    assert example_of("One sentence.\n\n    Another one, and no example.\n    ") == ""


# -- clients -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def application_url(databases: Databases) -> str:
    """The application's database, for clients that find the system database beside it."""
    return databases.application()


@pytest.fixture(scope="module")
def shop(application_url: str) -> Iterator[Shop]:
    shop = Shop(App("shop", application_url, threads=8), system_database_url(application_url))
    with shop.app:
        yield shop


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[AsyncDBOSClient]:
    async with AsyncDBOSClient.create(system_database_url=shop.url) as client:
        yield client


MAKE_SCHEDULES = ("create_schedule", "apply_schedules")


async def prepare(shop: Shop, client: AsyncDBOSClient, name: str) -> None:
    await shop.reset(client, orders(name), scheduled=not name.endswith(MAKE_SCHEDULES))


def orders(name: str) -> str:
    """How the orders of an example are to be when it begins: for most they run, and answer questions."""
    verb = name.rpartition(".")[2].removesuffix("s")
    if verb in ("rewind", "rewind_workflow"):
        return "failing"
    if verb in ("resume", "resume_workflow", "move_workflow"):
        return "cancelled"
    return "ending" if verb in ("retrieve_workflow", "get_result") else "patient"


@of("async client")
async def test_an_example_of_an_async_client(
    documented: Documented, shop: Shop, client: AsyncDBOSClient, application_url: str
) -> None:
    await prepare(shop, client, documented.name)
    handles = [client.retrieve_workflow(id_) for id_ in ("chat-17", "poller")]
    namespace = names(client=client, handles=handles, handle=client.retrieve_workflow("order-17"))
    example = documented.example.replace("postgresql://localhost/shop", application_url)
    await execute(compiled(documented.name, example), namespace)
    if namespace["client"] is not client:
        await namespace["client"].destroy()


@of("client")
async def test_an_example_of_a_blocking_client(
    documented: Documented, shop: Shop, client: AsyncDBOSClient, application_url: str
) -> None:
    await prepare(shop, client, documented.name)
    example = documented.example.replace("postgresql://localhost/shop", application_url)
    await asyncio.to_thread(_run_blocking, documented.name, example, shop.url)


def _run_blocking(name: str, example: str, url: str) -> None:
    with DBOSClient.create(system_database_url=url) as client:
        handles = [client.retrieve_workflow(id_) for id_ in ("chat-17", "poller")]
        namespace = names(client=client, handles=handles, handle=client.retrieve_workflow("order-17"))
        namespace["purchase_ticket"] = declared_purchase
        execute_blocking(compiled(name, example), namespace)
        if namespace["client"] is not client:
            namespace["client"].destroy()


# -- workflows -----------------------------------------------------------------------------------------------

IN_STEPS = ("heartbeat", "saved_progress", "step_id", "cancel_requested")
ENDLESS = ("sleep", "cancel_requested")  # until somebody cancels the workflow
QUESTIONS = {"Request": "ship?", "Request.reply": {"cost": "it"}, "recv_request": {"may": "ship"}}
SLEEPING = (
    "SELECT 1 FROM dbos.operation_outputs WHERE workflow_uuid = 'example' AND function_name = 'DBOS.sleep'"
)
EXAMPLE = EnqueueOptions(workflow_name="example", queue_name="sums", workflow_id="example")
BLOCKING_EXAMPLE = dataclasses.replace(EXAMPLE, workflow_name="blocking example")
RECORDED = "SELECT function_name FROM dbos.operation_outputs WHERE workflow_uuid = 'example'"


@of("workflow")
async def test_an_example_in_a_workflow(documented: Documented, shop: Shop, client: AsyncDBOSClient) -> None:
    await shop.reset(client)
    colour, _, name = documented.name.partition(".")
    is_blocking = colour == "sync" or name == "cancel_requested"
    shop.examples[documented.name] = compiled(documented.name, documented.example), name in IN_STEPS
    handle = await client.enqueue(BLOCKING_EXAMPLE if is_blocking else EXAMPLE, documented.name)
    if name in QUESTIONS:
        await answered(client, name)
    if name in ENDLESS:
        await eventually(lambda: rows(shop.url, SLEEPING) if name == "sleep" else shop.begun)
        await handle.cancel()
        with pytest.raises(WorkflowCancelled):
            await handle.get_result(timeout=10)
    elif name == "shield":
        with pytest.raises(ValueError, match="the lorry is full"):
            await handle.get_result(timeout=10)
        assert any("refund" in row[0] for row in rows(shop.url, RECORDED))
    else:
        await handle.get_result(timeout=10)
    assert documented.name in shop.begun


async def answered(client: AsyncDBOSClient, name: str) -> None:
    """Ask what the example answers; `recv_request` alone leaves it unanswered."""
    asking = client.ask("example", QUESTIONS[name], "questions", timeout=10)
    if name == "recv_request":
        with pytest.raises(NoReply):
            await asking
    else:
        assert await asking in (True, {"cents": 300})


# -- applications --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tickets_url(databases: Databases) -> str:
    return databases.application()


@pytest.fixture
async def tickets(monkeypatch: pytest.MonkeyPatch, tickets_url: str) -> AsyncIterator[dict[str, Any]]:
    """The names of a program that has an application, whose database its environment names."""
    monkeypatch.setenv("DURABLY_DATABASE_URL", tickets_url)
    app = App("tickets")

    @app.workflow(name="purchaseTicket")
    async def purchase_ticket(event: str) -> str:
        return event

    @app.workflow(name="report")
    async def report(scheduled_at: datetime, context: Any) -> None: ...

    class BoxOffice:
        def __init__(self, seats: int) -> None:
            self.seats = seats

        @app.workflow(name="purchaseSeat", class_name="BoxOffice")
        async def purchase_ticket(self, event: str) -> str:
            return event

    yield names(app=app, purchase_ticket=purchase_ticket, report=report, BoxOffice=BoxOffice)
    await asyncio.to_thread(app.shutdown)


@of("application")
async def test_an_example_of_an_application(documented: Documented, tickets: dict[str, Any]) -> None:
    code, app = compiled(documented.name, documented.example), tickets["app"]
    if documented.name.endswith("RetryAfter"):
        response = type("Response", (), {"headers": {"Retry-After": "2.5"}})
        with pytest.raises(RetryAfter, match=r"2\.5"):
            await execute(code, {**tickets, "response": response, "error": ConnectionError("refused")})
    elif documented.name in ("App.launch", "App.shutdown"):
        if documented.name == "App.shutdown":
            await asyncio.to_thread(app.launch)
        await asyncio.to_thread(exec, code, tickets)
        assert (app._engine is not None) == (documented.name == "App.launch")
    elif documented.name.startswith("Queue."):
        tickets["queue"] = app.queue("ticketQueue", concurrency=10)
        async with app:
            await execute(code, tickets)
            await tickets["handle"].get_result(timeout=10)
    else:
        await execute(code, tickets)
