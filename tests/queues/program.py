"""The executor that test_histories starts in processes of its own, and kills. Argument: the URL."""

from __future__ import annotations

import asyncio
import sys

from durably.app import App


async def main(url: str) -> None:
    app = App("histories", system_database_url=url, version="1", lease=1.5, grace=1.0)

    @app.step(name="work")
    async def work(milliseconds: int) -> int:
        await asyncio.sleep(milliseconds / 1000)
        return milliseconds

    @app.workflow(name="job")
    async def job(milliseconds: int) -> int:
        return await work(milliseconds)

    async with app:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
