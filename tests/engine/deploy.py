"""One process of one deploy, for test_blue_green: the database's URL, the version, a word for its code.

The workflow's steps are named after the code, so a run of one code does not fit the other.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from durably import aio
from durably.app import App


def build(url: str, version: str, word: str) -> App:
    app = App("deploys", system_database_url=url, version=version)
    app.queue("q")

    @app.step(name=f"{word}-step")
    async def step() -> str:
        return word

    @app.workflow(name="w")
    async def workflow() -> list[str]:
        first = await step()
        await aio.recv("go", timeout=None)
        return [first, await step(), version]

    return app


async def main(url: str, version: str, word: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with build(url, version, word):
        print("ready", flush=True)
        await stopped.wait()
    print("stopped", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
