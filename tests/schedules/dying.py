"""The executor that test_in_workflows kills at a commit. Arguments: the URL; before, after or never."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from durably import Debounce
from durably.app import App
from durably.client._session import Session


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(when: str) -> Callable[..., Awaitable[Any]]:
    """`Session.together`, at whose commit the process ends."""
    original = Session.together

    async def together(self: Session, effect: Callable[[], Awaitable[Any]], record: Any) -> Any:
        def last(value: Any) -> Any:
            if when == "before":
                die()
            return record(value)

        value = await original(self, effect, last)
        if when == "after":
            die()
        return value

    return together


async def main(url: str, when: str) -> None:
    setattr(Session, "together", deadly(when))  # noqa: B010 - in this process, which ends by it
    app = App("editing", system_database_url=url, lease=2)

    @app.workflow(name="index")
    async def index(page: int) -> int:
        return page

    @app.workflow(name="edit")
    async def edit() -> str:
        return (await index.debounce(Debounce("k", period=0.01), 1)).workflow_id

    async with app:
        print("ready", flush=True)
        handle = await edit.options(workflow_id="edit-1").start()
        edited = await handle.get_result()
        await app.client.retrieve_workflow(edited).get_result()
        print(edited, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
