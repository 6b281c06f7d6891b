"""A process that runs an example's application until its workflows have ended, or until it dies at a point.

Points are the moments at which a crash could tell two histories apart: before each commit of the writer,
after it (committed, and nobody was told), and after each claim. They are counted from 1, in this run's order.
"""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

from durably.store import batch, postgres
from durably.types import ACTIVE, WorkflowFilter

__all__ = ["COMPLETE", "CRASHED", "run"]

COMPLETE, CRASHED = 0, 86


class Points:
    """Counts points, and dies at one of them."""

    def __init__(self, fatal: int | None) -> None:
        self._fatal = fatal
        self._passed = 0

    def reach(self) -> None:
        """Die here, as by SIGKILL: no handler, no goodbye to the database."""
        self._passed += 1
        if self._passed == self._fatal:
            os._exit(CRASHED)

    def install(self) -> None:
        """Put points around the store's transactions, for the life of this process."""
        commit, claim = batch.commit, postgres.PostgresStore.claim

        async def commit_between_points(*args: Any) -> list[Any]:
            self.reach()
            replies = await commit(*args)
            self.reach()
            return replies

        async def claim_before_point(store: Any, asked: Any) -> list[Any]:
            claimed = await claim(store, asked)
            if claimed:
                self.reach()
            return claimed

        setattr(postgres, "commit", commit_between_points)  # noqa: B010 - for this process alone
        setattr(postgres.PostgresStore, "claim", claim_before_point)  # noqa: B010


def run(example: str, url: str, fatal: int | None) -> None:
    """The process's main function; its exit status is COMPLETE or CRASHED."""
    os.environ["DURABLY_DATABASE_URL"] = url
    Points(fatal).install()
    begin = importlib.import_module("tests.replay.scenarios").SCENARIOS[example]
    app = importlib.import_module(f"examples.{example}").app
    asyncio.run(_live(app, begin))


async def _live(app: Any, begin: Callable[[], Awaitable[object]]) -> None:
    async with app:
        await begin()
        async with asyncio.timeout(30):
            while await app.client.count_workflows(WorkflowFilter(status=ACTIVE)):
                await asyncio.sleep(0.01)
