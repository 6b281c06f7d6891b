"""Handles to workflows that an application started: a client's handles, whose waits a workflow records."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeVar

from durably.client import AsyncWorkflowHandle, WorkflowHandle
from durably.concurrency.portal import Portal, on_loop
from durably.core import ops
from durably.core.ports import Wait
from durably.engine.context import current_frame
from durably.engine.performers import result_of
from durably.engine.registry import seconds
from durably.errors import WorkflowTimeout
from durably.types import Seconds

if TYPE_CHECKING:
    from durably.app import App

__all__ = ["AsyncRunHandle", "RunHandle"]

R_co = TypeVar("R_co", covariant=True, default=Any)


class AsyncRunHandle(AsyncWorkflowHandle[R_co]):
    """A workflow that was started here; in a workflow, waiting for it is a recorded operation.

    handle = await purchase_ticket.start("Stonebraker", ["a1"], date)
    ticket = await handle.get_result()
    """

    def __init__(self, app: App, workflow_id: str, result_type: Any = Any) -> None:
        super().__init__(app.client, workflow_id, result_type)
        self._app = app

    def get_result(
        self, timeout: Seconds | None = None, *, missing_ok: bool = False
    ) -> Coroutine[Any, Any, R_co]:
        """Wait for the workflow's result; raises what it raised.

        WorkflowTimeout after `timeout` seconds, WorkflowCancelled and RecoveryAttemptsExceeded where it ended
        without an outcome.

            ticket = await handle.get_result(timeout=30)
        """
        here = current_frame()
        if here is not None:
            operation: ops.GetResult[R_co] = ops.GetResult(
                self.workflow_id, self._result_type, seconds(timeout)
            )
            return here.run.perform(operation)
        return on_loop(self._app._engine_running().resources.loop, self._wait(seconds(timeout)))

    async def _wait(self, timeout: float | None) -> R_co:
        engine = self._app._engine_running()
        runs_here = self.workflow_id in engine.executor.running
        with engine.hub.watch(Wait("result", self.workflow_id), ask=not runs_here) as news:
            try:
                async with asyncio.timeout(timeout):
                    ended = await news
            except TimeoutError:
                raise WorkflowTimeout(self.workflow_id, timeout or 0.0) from None
        result: R_co = result_of(engine.resources.codecs, ended, self._result_type)
        return result


class RunHandle(WorkflowHandle[R_co]):
    """The blocking twin of AsyncRunHandle.

    ticket = purchase_ticket.start("Stonebraker", ["a1"], date).get_result()
    """

    def __init__(self, twin: AsyncRunHandle[R_co], portal: Portal) -> None:
        super().__init__(twin, portal)
        self._result_type = twin._result_type

    def get_result(self, timeout: Seconds | None = None, *, missing_ok: bool = False) -> R_co:
        """Wait for the workflow's result; see AsyncRunHandle.get_result.

        ticket = handle.get_result(timeout=30)
        """
        here = current_frame()
        if here is not None:
            operation: ops.GetResult[R_co] = ops.GetResult(
                self.workflow_id, self._result_type, seconds(timeout)
            )
            return here.run.perform_blocking(operation)
        return super().get_result(timeout, missing_ok=missing_ok)
