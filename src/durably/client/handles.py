"""Handles: what a client holds of a workflow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from durably.core.records import Started
from durably.types import Arguments, Seconds, StartStep, StepInfo, WorkflowStatus

if TYPE_CHECKING:
    from durably.client._async import AsyncDBOSClient

__all__ = ["AsyncWorkflowHandle"]

R_co = TypeVar("R_co", covariant=True, default=Any)


class AsyncWorkflowHandle(Generic[R_co]):
    """A workflow by its id: its result, its status, and what can be done with it.

    Two handles are equal when they are of the same workflow. Nothing is kept on the server. In a workflow
    (`aio.client()` gives handles there) each call is an operation, which is recorded.

        handle = await client.enqueue(options, 17)
        print(handle.workflow_id, await handle.get_result(timeout=30))
    """

    def __init__(self, client: AsyncDBOSClient, workflow_id: str, result_type: Any = Any) -> None:
        self._workflow_id = workflow_id
        self._client = client
        self._result_type = result_type
        self._started: Started | None = None

    @property
    def workflow_id(self) -> str:
        """The workflow's id.

        print(handle.workflow_id)
        """
        return self._workflow_id

    @property
    def created(self) -> bool | None:
        """Whether the start that returned this handle made the workflow: False where the id was in use.

        None for a handle that no start returned.

            print(handle.created)
        """
        return self._started.created if self._started else None

    @property
    def arguments_ignored(self) -> bool | None:
        """Whether that start met a workflow with other arguments, which its own were dropped for.

        None for a handle that no start returned, or where the two could not be compared.

            print(handle.arguments_ignored)
        """
        if self._started is None:
            return None
        return False if self._started.created else self._started.arguments_ignored

    async def get_result(self, timeout: Seconds | None = None, *, missing_ok: bool = False) -> R_co:
        """Wait for the workflow's end: its result, or its error raised.

        `timeout` in seconds (None: for ever) ends the wait with WorkflowTimeout; the workflow goes on.
        Raises what the workflow raised where its class is known here (`create(errors=[...])`), else
        WorkflowFailed; WorkflowCancelled; RecoveryAttemptsExceeded; within a second NoSuchWorkflow, unless
        `missing_ok`: then an id that is yet to be enqueued is waited for.

            ticket = await handle.get_result(timeout=30)
        """
        return await self._client._get_result(  # type: ignore[no-any-return]
            self.workflow_id, timeout, self._result_type, missing_ok=missing_ok
        )

    def get_status(self) -> Coroutine[Any, Any, WorkflowStatus]:
        """Return what the system database shows of it now. Raises NoSuchWorkflow.

        status = await handle.get_status()
        """
        return self._client.get_workflow(self.workflow_id)

    def cancel(self, *, cancel_children: bool = False) -> Coroutine[Any, Any, bool]:
        """Cancel it; returns False when it had already ended. See `cancel_workflow`.

        await handle.cancel()
        """
        return self._client.cancel_workflow(self.workflow_id, cancel_children=cancel_children)

    def resume(self, *, queue_name: str | None = None) -> Coroutine[Any, Any, None]:
        """Put it back on a queue, to go on from its last recorded operation. See `resume_workflow`.

        await handle.resume(queue_name="ticketQueue")
        """
        return _nothing(self._client.resume_workflow(self.workflow_id, queue_name=queue_name))

    def pause(self, *, reason: str | None = None, paused_by: str | None = None) -> Coroutine[Any, Any, None]:
        """Pause it until it is unpaused. See `pause_workflow`.

        await handle.pause(reason="the bank is closed")
        """
        return self._client.pause_workflow(self.workflow_id, reason=reason, paused_by=paused_by)

    def unpause(self) -> Coroutine[Any, Any, bool]:
        """Let it go on; returns False when it was not paused. See `unpause_workflow`.

        await handle.unpause()
        """
        return self._client.unpause_workflow(self.workflow_id)

    def delete(self, *, delete_children: bool = False) -> Coroutine[Any, Any, bool]:
        """Delete it, and all that is recorded of it. See `delete_workflow`.

        await handle.delete()
        """
        return self._client.delete_workflow(self.workflow_id, delete_children=delete_children)

    def set_delay(
        self, *, delay: Seconds | None = None, delay_until: datetime | None = None
    ) -> Coroutine[Any, Any, bool]:
        """Delay it otherwise, where it is delayed. See `set_workflow_delay`.

        await handle.set_delay(delay=3600)
        """
        return self._client.set_workflow_delay(self.workflow_id, delay=delay, delay_until=delay_until)

    def set_priority(self, priority: int) -> Coroutine[Any, Any, bool]:
        """Give it another priority, where it waits. See `set_workflow_priority`.

        await handle.set_priority(1)
        """
        return self._client.set_workflow_priority(self.workflow_id, priority)

    def update_attributes(
        self, attributes: Mapping[str, Any] | None, *, merge: bool = False
    ) -> Coroutine[Any, Any, None]:
        """Give it other attributes. See `update_workflow_attributes`.

        await handle.update_attributes({"reviewed_by": "ada"}, merge=True)
        """
        return self._client.update_workflow_attributes(self.workflow_id, attributes, merge=merge)

    def fork(
        self,
        start_step: StartStep = None,
        *,
        new_workflow_id: str | None = None,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        timeout: Seconds | None = None,
        replacement_children: Mapping[str, str] | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[R_co]]:
        """Begin a new workflow with what this one recorded before `start_step`. See `fork_workflow`.

        fork = await handle.fork("failure")
        """
        forking = self._client.fork_workflow(
            self.workflow_id,
            start_step,
            new_workflow_id=new_workflow_id,
            app_version=app_version,
            queue_name=queue_name,
            queue_partition_key=queue_partition_key,
            timeout=timeout,
            replacement_children=replacement_children,
            arguments=arguments,
            outputs=outputs,
        )
        return self._alike(forking)

    async def _alike(
        self, making: Coroutine[Any, Any, AsyncWorkflowHandle[Any]]
    ) -> AsyncWorkflowHandle[R_co]:
        made = await making
        made._result_type = self._result_type
        return made

    def rewind(
        self,
        start_step: StartStep = None,
        *,
        app_version: str | None = None,
        queue_name: str | None = None,
        queue_partition_key: str | None = None,
        arguments: Arguments | tuple[Sequence[Any], Mapping[str, Any]] | None = None,
        outputs: Mapping[int, Any] | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Let it go on from `start_step`, once it has ended. See `rewind_workflow`.

        await handle.rewind("failure")
        """
        rewinding = self._client.rewind_workflow(
            self.workflow_id,
            start_step,
            app_version=app_version,
            queue_name=queue_name,
            queue_partition_key=queue_partition_key,
            arguments=arguments,
            outputs=outputs,
        )
        return _nothing(rewinding)

    async def send(self, message: Any, topic: str | None = None, idempotency_key: str | None = None) -> None:
        """Send it a message. See the client's `send`.

        await handle.send({"ok": True}, topic="approval")
        """
        await self._client.send(self.workflow_id, message, topic, idempotency_key)

    async def ask(
        self,
        question: Any,
        topic: str | None = None,
        *,
        timeout: Seconds = 60.0,
        type_: Any = Any,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask it, and return its reply. See the client's `ask`.

        answer = await handle.ask({"may": "ship"}, "questions", timeout=10)
        """
        return await self._client.ask(
            self.workflow_id, question, topic, timeout=timeout, type_=type_, idempotency_key=idempotency_key
        )

    async def get_event(
        self, key: str, timeout_seconds: Seconds = 60, type_: Any = Any, *, missing_ok: bool = False
    ) -> Any:
        """Return the value of an event of it, or None when it has not come in time. See the client's.

        status = await handle.get_event("status", timeout_seconds=10)
        """
        return await self._client.get_event(
            self.workflow_id, key, timeout_seconds, type_, missing_ok=missing_ok
        )

    def get_all_events(self) -> Coroutine[Any, Any, dict[str, Any]]:
        """Return the latest value of each of its events, by key.

        stage = (await handle.get_all_events())["status"]
        """
        return self._client.get_all_events(self.workflow_id)

    def read_stream(
        self, key: str, *, offset: int = 0, timeout: Seconds | None = None, type_: Any = Any
    ) -> AsyncIterator[Any]:
        """Return the values of a stream of it, as they come, until it ends. See the client's `read_stream`.

        async for token in handle.read_stream("tokens"): print(token)
        """
        return self._client.read_stream(self.workflow_id, key, offset=offset, timeout=timeout, type_=type_)

    def steps(self) -> Coroutine[Any, Any, Sequence[StepInfo]]:
        """Return its recorded operations, in order.

        names = [step.function_name for step in await handle.steps()]
        """
        return self._client.list_workflow_steps(self.workflow_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AsyncWorkflowHandle) and self.workflow_id == other.workflow_id

    def __hash__(self) -> int:
        return hash(self.workflow_id)

    def __repr__(self) -> str:
        return f"AsyncWorkflowHandle({self.workflow_id!r})"


async def _nothing(coroutine: Coroutine[Any, Any, Any]) -> None:
    await coroutine
