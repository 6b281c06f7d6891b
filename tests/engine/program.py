"""The application that test_recovery starts in processes of its own, and kills.

Arguments: the system database's URL, and JSON of options: lease, grace, host (another machine's name).
Each step that begins is printed as `<workflow id> <step> <pid>`; the workflow `gated` begins its second step
when it is told so, which is how a test kills it in between.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from typing import Any

from durably import aio
from durably.app import App
from durably.engine import engine


def build(url: str, *, lease: float = 15.0, grace: float = 10.0) -> App:
    app = App("recovery", system_database_url=url, lease=lease, grace=grace)
    app.queue("q")

    @app.step(name="begin")
    async def begin(name: str) -> int:
        say(aio.workflow_id(), name, os.getpid())
        return os.getpid()

    @app.workflow(name="gated")
    async def gated() -> list[int]:
        first = await begin("first")
        await aio.recv("go", timeout=None)
        return [first, await begin("second")]

    @app.workflow(name="busy")
    async def busy(seconds: float) -> int:
        await begin("first")
        await asyncio.sleep(seconds)
        return await begin("second")

    @app.workflow(name="blocks")
    async def blocks(seconds: float) -> int:
        await begin("first")
        time.sleep(seconds)
        return await begin("second")

    return app


def say(*words: Any) -> None:
    print(*words, flush=True)


async def main(url: str, options: dict[str, Any]) -> None:
    host = options.pop("host", None)
    if host is not None:
        setattr(engine, "host_identity", lambda: host)  # noqa: B010 - another machine's, for this process
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with build(url, **options):
        say("ready")
        await stopped.wait()
    say("stopped")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
