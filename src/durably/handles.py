"""Handles to workflows that an application started."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from durably.core import ops
from durably.core.ports import Wait
from durably.engine.context import current_frame
from durably.engine.performers import outcome
from durably.engine.registry import seconds
from durably.errors import WorkflowTimeout
from durably.types import Seconds

if TYPE_CHECKING:
    from durably.app import App

__all__ = ["AsyncRunHandle", "RunHandle"]

R = TypeVar("R", default=Any)


class AsyncRunHandle(Generic[R]):
    """A workflow that was started; in a workflow, waiting for it is a recorded operation.

    handle = await purchase_ticket.start("Stonebraker", ["a1"], date)
    ticket = await handle.get_result()
    """

    def __init__(self, app: App, workflow_id: str, result_type: Any = Any) -> None:
        self._app = app
        self._result_type = result_type
        self.workflow_id = workflow_id

    def get_result(self, timeout: Seconds | None = None) -> Coroutine[Any, Any, R]:
        """Wait for the workflow's result; raises what it raised.

        WorkflowTimeout after `timeout` seconds (outside workflows), WorkflowCancelled and
        RecoveryAttemptsExceeded where it ended without an outcome.
        """
        here = current_frame()
        if here is not None:
            operation: ops.GetResult[R] = ops.GetResult(self.workflow_id, self._result_type)
            return here.run.perform(operation)
        return self._wait(seconds(timeout))

    async def _wait(self, timeout: float | None) -> R:
        resources = self._app._engine_running().resources
        with resources.hub.watch(Wait("result", self.workflow_id)) as news:
            try:
                async with asyncio.timeout(timeout):
                    ended = await news
            except TimeoutError:
                raise WorkflowTimeout(self.workflow_id, timeout or 0.0) from None
        if ended.status not in ("SUCCESS", "ERROR"):
            raise outcome(ended)
        if ended.error is not None:
            raise resources.codecs.decode_error(self.workflow_id, ended.error, ended.serialization)
        result: R = resources.codecs.get(ended.serialization).decode(
            ended.output or "null", self._result_type
        )
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.workflow_id!r})"


class RunHandle(Generic[R]):
    """The blocking twin of AsyncRunHandle.

    ticket = purchase_ticket.start("Stonebraker", ["a1"], date).get_result()
    """

    def __init__(self, handle: AsyncRunHandle[R]) -> None:
        self._handle = handle

    @property
    def workflow_id(self) -> str:
        """The workflow's id."""
        return self._handle.workflow_id

    def get_result(self, timeout: Seconds | None = None) -> R:
        """Wait for the workflow's result; see AsyncRunHandle.get_result."""
        here = current_frame()
        if here is not None:
            operation: ops.GetResult[R] = ops.GetResult(self.workflow_id, self._handle._result_type)
            return here.run.perform_blocking(operation)
        result: R = self._handle._app._blocking(self._handle.get_result, timeout)
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.workflow_id!r})"
