"""Every public name has a docstring with an example; those of applications run on a real database.

An example runs where a reader would write it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durably import App, RetryAfter, errors
from tests.docs.docstrings import Documented, example_of, public_names
from tests.docs.running import compiled, execute, names
from tests.support.databases import Databases

ERROR = "the library raises it, a program only names it in `except`"
RESULT = "a client returns it; its fields are listed, and the method that returns it has the example"
MODULE = "its names have their own"
WITHOUT_EXAMPLE = {
    **{f"errors.{name}": ERROR for name in errors.__all__ if name != "RetryAfter"},
    "StepInfo": RESULT, "WorkflowStatus": RESULT,
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


# -- applications --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def application_url(databases: Databases) -> str:
    """The application's database, for clients that find the system database beside it."""
    return databases.application()


@pytest.fixture
async def tickets(monkeypatch: pytest.MonkeyPatch, application_url: str) -> AsyncIterator[dict[str, Any]]:
    """The names of a program that has an application, whose database its environment names."""
    monkeypatch.setenv("DURABLY_DATABASE_URL", application_url)
    app = App("tickets")

    @app.workflow(name="purchaseTicket")
    async def purchase_ticket(event: str) -> str:
        return event

    class BoxOffice:
        def __init__(self, seats: int) -> None:
            self.seats = seats

        @app.workflow(name="purchaseSeat", class_name="BoxOffice")
        async def purchase_ticket(self, event: str) -> str:
            return event

    yield names(app=app, purchase_ticket=purchase_ticket, BoxOffice=BoxOffice)
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
