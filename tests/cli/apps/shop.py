"""An application for the tests of the command line."""

from __future__ import annotations

import asyncio
from typing import Any

from durably import App, aio

app = App("shop", version="v1")
queue = app.queue("orders")
not_an_app = "shop"


@app.step()
async def work(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "worked"


@app.workflow(name="echo", class_name="Shop")
async def echo(*args: Any, **kwargs: Any) -> Any:
    return {"args": list(args), "kwargs": kwargs}


@app.workflow(name="say")
async def say(text: str) -> str:
    return text


@app.workflow(name="fail")
async def fail(message: str) -> None:
    raise LookupError(message)


@app.workflow(name="gate")
async def gate() -> list[Any]:
    await aio.set_event("status", "waiting")
    first = await aio.recv("open", timeout=60)
    return [first, await aio.recv("open", timeout=0)]


@app.workflow(name="labour")
async def labour(seconds: float) -> str:
    await aio.set_event("status", "labouring")
    return await work(seconds)


@app.workflow(name="talk")
async def talk(text: str) -> str:
    """Says it in a stream, and publishes it."""
    await aio.write_stream("said", text)
    await aio.write_stream("said", "bye")
    await aio.set_event("said", text)
    return text
