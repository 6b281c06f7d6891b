"""The executor that test_fleet starts in processes of its own, and kills. Argument: the URL."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from typing import Any

from durably.app import App


async def main(url: str) -> None:
    app = App("shared", system_database_url=url, version="1", lease=2, grace=1)

    @app.workflow(name="echoAll", class_name="Interop")
    async def echo_all(time: datetime, context: Any) -> list[Any]:
        return [time.isoformat(), context]

    async with app:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
