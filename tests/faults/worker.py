"""The application that faults happen to: a process of `python -m tests.faults.worker URL LEDGER OPTIONS`.

Options are JSON: `lease`, `name` of the application, `host` (another machine's), `clock` (seconds by which
its own is off), `queues` ({name: concurrency}), `word` (what its code is like), `stops` ([id, step]: the
body that freezes its process). Prints `ready`, and `stopped` at a clean end.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from psycopg import AsyncConnection

from durably import App, aio, sync
from durably.engine import engine
from tests.faults.ledger import Ledger

STEPS = 5


class Untold(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def fails(error: BaseException) -> Any:
    raise error


def deep(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def circle() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


OUTCOMES: dict[str, Callable[[], Any]] = {
    "SystemExit": lambda: fails(SystemExit(3)),
    "KeyboardInterrupt": lambda: fails(KeyboardInterrupt()),
    "BaseException": lambda: fails(BaseException("base")),
    "CancelledError": lambda: fails(asyncio.CancelledError()),
    "surrogate in an error": lambda: fails(ValueError("\ud800")),
    "NUL in an error": lambda: fails(ValueError("a\0b")),
    "error that cannot say": lambda: fails(Untold()),
    "error of 5 MB": lambda: fails(ValueError("x" * 5_000_000)),
    "error with an object": lambda: fails(ValueError(object(), lambda: 1)),
    "surrogate": lambda: "\ud800",
    "NUL": lambda: "a\0b",
    "NaN": lambda: math.nan,
    "object": object,
    "generator": lambda: (number for number in range(3)),
    "circle": circle,
    "100,000 deep": lambda: deep(100_000),
    "integer of 400 digits": lambda: 10**400,
    "bytes": lambda: b"\xff\0",
}


def build(
    url: str,
    ledger: Ledger,
    *,
    name: str = "faults",
    queues: dict[str, Any] | None = None,
    own: str | None = None,
    version: str = "1",
    word: str = "old",
    stops: list[Any] | None = None,
    **options: Any,
) -> App:
    """The application, whose bodies write to the ledger."""
    app = App(name, own, system_database_url=url, version=version, **options)
    for queue, concurrency in (queues or {"q": None}).items():
        app.queue(queue, concurrency=concurrency)

    if stops is not None:
        sys.setswitchinterval(1000.0)  # so that no other thread is stopped between its check and its body

    def body(step: int, value: Any) -> Any:
        id_ = aio.workflow_id()
        ledger.note("begin", id_, step=step)
        if stops == [id_, step] and ledger.count("begin", id_, step) == 1:
            os.kill(os.getpid(), signal.SIGSTOP)
        ledger.note("end", id_, step=step, value=value)
        return value

    @app.step(name="add")
    async def add(step: int, total: int) -> int:
        result: int = body(step, total + step)
        return result

    @app.step(name="add_blocking")
    def add_blocking(step: int, total: int) -> int:
        result: int = body(step, total + step)
        return result

    @app.workflow(name="ladder")
    async def ladder(steps: int = STEPS) -> int:
        total = 0
        for step in range(1, steps + 1):
            total = await add(step, total)
        return total

    @app.workflow(name="ladder_blocking")
    def ladder_blocking(steps: int = STEPS) -> int:
        total = 0
        for step in range(1, steps + 1):
            total = add_blocking(step, total)
        return total

    @app.step(name="slowly")
    async def slowly(step: int, total: int, seconds: float) -> int:
        id_ = aio.workflow_id()
        ledger.note("begin", id_, step=step)
        await asyncio.sleep(seconds)
        ledger.note("end", id_, step=step, value=total + step)
        return total + step

    @app.workflow(name="climb")
    async def climb(steps: int, seconds: float) -> int:
        total = 0
        for step in range(1, steps + 1):
            total = await slowly(step, total, seconds)
        return total

    @app.step(name="linger")
    async def linger() -> str:
        """The first one lingers until it is told to stop; the next ends at once."""
        id_ = aio.workflow_id()
        ledger.note("begin", id_, step=1)
        try:
            if ledger.count("begin", id_) == 1:
                await asyncio.sleep(600)
        except asyncio.CancelledError:
            ledger.note("cancelled", id_, step=1)
            raise
        ledger.note("end", id_, step=1, value="gone on")
        return "gone on"

    @app.workflow(name="lingers")
    async def lingers() -> list[Any]:
        return [await linger(), await add(2, 0)]

    @app.step(name="block")
    async def block(seconds: float) -> str:
        """Blocks the event loop, as user code may."""
        ledger.note("begin", aio.workflow_id(), step=1)
        time.sleep(seconds)  # that is the fault
        ledger.note("end", aio.workflow_id(), step=1, value="late")
        return "late"

    @app.workflow(name="blocks")
    async def blocks(seconds: float) -> str:
        return await block(seconds)

    @app.step(name="hold")
    async def hold(seconds: float) -> str:
        ledger.note("begin", aio.workflow_id(), step=1)
        await asyncio.sleep(seconds)
        ledger.note("end", aio.workflow_id(), step=1, value="held")
        return "held"

    @app.workflow(name="holds")
    async def holds(seconds: float) -> str:
        return await hold(seconds)

    @app.workflow(name="gated")
    async def gated() -> list[int]:
        first = await add(1, 0)
        await aio.recv("go", timeout=None)
        return [first, await add(4, 0)]

    @app.workflow(name="nap")
    async def nap(seconds: float) -> float:
        began = await aio.run_step("clock", time.monotonic)
        await aio.sleep(seconds)
        ledger.note("wake", aio.workflow_id(), value=time.monotonic() - began - seconds)
        return seconds

    @app.workflow(name="everything")
    async def everything() -> int:
        """One of each operation, so that each statement is met."""
        total = await add(1, 0)
        await aio.set_event("stage", total)
        await aio.send(aio.workflow_id(), total, topic="self")
        total += int(await aio.recv("self", timeout=30) or 0)
        await aio.sleep(0.01)
        total += await (await ladder.start(2)).get_result()
        await aio.set_event("stage", total)
        return total

    @app.workflow(name="ends")
    async def ends(kind: str) -> Any:
        ledger.note("begin", aio.workflow_id())
        return OUTCOMES[kind]()

    @app.workflow(name="ends_blocking")
    def ends_blocking(kind: str) -> Any:
        ledger.note("begin", sync.workflow_id())
        return OUTCOMES[kind]()

    if own is not None:

        @app.transaction(name="pay")
        async def pay(connection: AsyncConnection[Any], cents: int) -> int:
            await connection.execute("INSERT INTO payments VALUES (%s, %s)", [aio.workflow_id(), cents])
            return cents

        @app.workflow(name="pays")
        async def pays(cents: int) -> int:
            return await pay(cents)

    @app.workflow(name="echo")
    async def echo(value: Any) -> Any:
        return value

    @app.workflow(name="tidy")
    async def tidy() -> int:
        """Rings are collected, and the allocator gives back what is free: what is left is held."""
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        return gc.collect()

    @app.step(name="copy")
    async def copy(pieces: int) -> int:
        for piece in range(await aio.saved_progress(type=int) or 0, pieces):
            body(piece, piece)
            await aio.heartbeat(piece + 1)
        return pieces

    @app.workflow(name="copies")
    async def copies(pieces: int) -> int:
        return await copy(pieces)

    @app.step(name=f"{word}-step")
    async def named() -> str:
        return word

    @app.workflow(name="deploys")
    async def deploys() -> list[str]:
        """Its record fits only code of the same word."""
        first = await named()
        await aio.recv("go", timeout=None)
        return [first, await named()]

    @app.step(name="die")
    async def die() -> None:
        ledger.note("begin", aio.workflow_id(), step=1)
        os.kill(os.getpid(), signal.SIGKILL)

    @app.workflow(name="killer")
    async def killer() -> None:
        await die()

    return app


def pretend(host: str | None, clock: float) -> None:
    """Another machine, whose clock is wrong."""
    if host is not None:
        setattr(engine, "host_identity", lambda: host)  # noqa: B010 - of this process only
    if clock:
        real = time.time
        time.time = lambda: real() + clock


async def main(url: str, ledger: Ledger, options: dict[str, Any]) -> None:
    """Run until SIGTERM."""
    pretend(options.pop("host", None), options.pop("clock", 0.0))
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with build(url, ledger, **options):
        print("ready", flush=True)
        await stopped.wait()
    print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Ledger(sys.argv[2]), json.loads(sys.argv[3])))
