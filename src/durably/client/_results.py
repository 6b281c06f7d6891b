"""Retrieve, and wait: for one workflow, for the first of several, for all."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, overload

from typing_extensions import TypeVar

from durably.client import _decode as decode
from durably.client._base import Part
from durably.client._session import Open
from durably.client._waits import GRACE, Waits
from durably.client.declared import DeclaredWorkflow
from durably.client.handles import AsyncWorkflowHandle
from durably.core import checks, names
from durably.core.ports import ResultRow, Wait
from durably.errors import DatabaseError, InvalidOption, NoSuchWorkflow, WorkflowTimeout
from durably.store import workflows
from durably.types import Seconds

__all__ = ["Endings", "Results"]

R = TypeVar("R", default=Any)

LAST_LOOK = 1.0  # seconds that the last look of a wait that is over may take


class Results(Part):
    """What waits for workflows."""

    @overload
    def retrieve_workflow(self, workflow_id: str, declared: None = None) -> AsyncWorkflowHandle[Any]: ...
    @overload
    def retrieve_workflow(
        self, workflow_id: str, declared: DeclaredWorkflow[..., R]
    ) -> AsyncWorkflowHandle[R]: ...
    def retrieve_workflow(
        self, workflow_id: str, declared: DeclaredWorkflow[..., Any] | None = None
    ) -> AsyncWorkflowHandle[Any]:
        """Return the handle of a workflow by its id; nothing is asked yet, not even whether it exists.

        With `declared`, results are decoded to its return type.

            handle = client.retrieve_workflow("order-17")
            print(await handle.get_result())
        """
        result_type = Any if declared is None else declared.result_type
        return self._handle(checks.address("workflow_id", workflow_id), result_type)

    def wait_first(
        self, handles: Sequence[AsyncWorkflowHandle[R]], timeout: Seconds | None = None
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[R]]:
        """Wait until one of these workflows has ended, however; returns its handle. In a workflow, recorded.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout. Raises NoSuchWorkflow for
        one that does not exist.

            first = await client.wait_first(handles)
        """
        if not handles:
            raise InvalidOption("handles", handles, "there is none to wait for")
        by_id = {handle.workflow_id: handle for handle in handles}

        async def wait(new_id: Callable[[], str]) -> str:
            done = await self._wait(handles, timeout, asyncio.FIRST_COMPLETED)
            return next(id_ for id_ in by_id if id_ in done)

        return self._perform(names.WAIT_FIRST, wait, lambda id_: by_id[id_])

    async def as_completed(
        self, handles: Sequence[AsyncWorkflowHandle[R]], timeout: Seconds | None = None
    ) -> AsyncIterator[AsyncWorkflowHandle[R]]:
        """Iterate over these handles in the order in which their workflows end, however they do.

        In a workflow each is recorded, as by `wait_first`. Raises WorkflowTimeout when none ends for
        `timeout` seconds (None: wait for ever), and NoSuchWorkflow for one that does not exist.

            async for handle in client.as_completed(handles): print(await handle.get_result())
        """
        seconds = checks.wait_seconds("timeout", timeout)
        left = Endings(handle.workflow_id for handle in handles)
        by_id = {handle.workflow_id: handle for handle in handles}
        try:
            while left.ids:
                yield by_id[await self._next_of(left, seconds)]
        finally:
            left.close()

    def _next_of(self, left: Endings, seconds: float | None) -> Coroutine[Any, Any, str]:
        async def wait(new_id: Callable[[], str]) -> str:
            open_ = await self._session.here()
            return await self._next_ending(open_, left, seconds)

        return self._perform(names.WAIT_FIRST, wait, left.without)

    async def _next_ending(self, open_: Open, left: Endings, seconds: float | None) -> str:
        return await left.next(open_.waits, seconds)

    async def wait_all(
        self, handles: Sequence[AsyncWorkflowHandle[R]], timeout: Seconds | None = None
    ) -> list[AsyncWorkflowHandle[R]]:
        """Wait until all of these workflows have ended, however; returns their handles in the same order.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout. Raises NoSuchWorkflow for
        one that does not exist.

            results = [await handle.get_result() for handle in await client.wait_all(handles)]
        """
        await self._wait(handles, timeout, asyncio.ALL_COMPLETED)
        return list(handles)

    async def _get_result(
        self, workflow_id: str, timeout: Seconds | None, result_type: Any, *, missing_ok: bool
    ) -> Any:
        seconds = checks.wait_seconds("timeout", timeout)
        open_ = await self._session.here()
        wait = Wait("result", workflow_id)
        with open_.waits.watch(wait, missing_ok=missing_ok) as future:
            try:
                async with asyncio.timeout(seconds):
                    row: ResultRow = await future
            except TimeoutError:
                row = await self._last_look(open_, wait, seconds or 0.0, missing_ok=missing_ok)
        return decode.outcome(self._session.settings.codecs, row, result_type)

    async def _last_look(self, open_: Open, wait: Wait, seconds: float, *, missing_ok: bool) -> ResultRow:
        """After a wait so short that nobody has asked: a result, or why there is none."""
        if seconds < GRACE:
            with contextlib.suppress(DatabaseError, TimeoutError):
                async with asyncio.timeout(LAST_LOOK):
                    row: ResultRow | None = await open_.waits.look(wait)
                    if row is not None:
                        return row
                    if not missing_ok and not await workflows.existing(open_.database, [wait.id]):
                        raise NoSuchWorkflow(wait.id)
        raise WorkflowTimeout(wait.id, seconds)

    async def _wait(
        self, handles: Sequence[AsyncWorkflowHandle[Any]], timeout: Seconds | None, until: str
    ) -> set[str]:
        """The ids of those that have ended."""
        seconds = checks.wait_seconds("timeout", timeout)
        open_ = await self._session.here()
        with contextlib.ExitStack() as stack:
            futures = {
                stack.enter_context(
                    open_.waits.watch(Wait("result", handle.workflow_id), missing_ok=False)
                ): handle.workflow_id
                for handle in handles
            }
            done, waiting = await _waited(futures, seconds, until)
            for future in done:
                future.result()  # raises NoSuchWorkflow
            if waiting and (until == asyncio.ALL_COMPLETED or not done):
                raise WorkflowTimeout(futures[next(iter(waiting))], seconds or 0.0)
            return {futures[future] for future in done}


class Endings:
    """Workflows whose ends are told one by one; each is watched once, however many others end before it."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = Counter(ids)
        self._watches = contextlib.ExitStack()
        self._ended: asyncio.Queue[tuple[str, asyncio.Future[Any]]] | None = None  # from the first wait on

    async def next(self, waits: Waits, seconds: float | None) -> str:
        """Wait for the next end; raises NoSuchWorkflow, and WorkflowTimeout."""
        if self._ended is None:
            self._ended = asyncio.Queue()
            for id_ in self.ids:
                future = self._watches.enter_context(waits.watch(Wait("result", id_), missing_ok=False))
                future.add_done_callback(partial(self._note, self._ended, id_))
        try:
            async with asyncio.timeout(seconds):
                id_, future = await self._ended.get()
        except TimeoutError:
            raise WorkflowTimeout(next(iter(self.ids)), seconds or 0.0) from None
        future.result()
        if self.ids[id_] > 1:  # there are several handles of it
            self._note(self._ended, id_, future)
        return id_

    def without(self, id_: str) -> str:
        """One end less is left to come."""
        self.ids[id_] -= 1
        if not self.ids[id_]:
            del self.ids[id_]
        return id_

    def close(self) -> None:
        """Watch no more."""
        self._watches.close()

    @staticmethod
    def _note(
        ended: asyncio.Queue[tuple[str, asyncio.Future[Any]]], id_: str, future: asyncio.Future[Any]
    ) -> None:
        if not future.cancelled():
            ended.put_nowait((id_, future))


async def _waited(
    futures: dict[asyncio.Future[Any], str], seconds: float | None, until: str
) -> tuple[set[asyncio.Future[Any]], set[asyncio.Future[Any]]]:
    if not futures:
        return set(), set()
    until = asyncio.FIRST_EXCEPTION if until == asyncio.ALL_COMPLETED else until
    return await asyncio.wait(futures, timeout=seconds, return_when=until)
