"""Workflows as an operator sees them: get, list, count, steps, cancel, resume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durably.client import _decode as decode
from durably.client import _filters as filters
from durably.client import _records as records
from durably.client._base import Part
from durably.client.handles import AsyncWorkflowHandle
from durably.core import checks
from durably.core.names import INTERNAL_QUEUE
from durably.errors import NoSuchWorkflow
from durably.store import workflows
from durably.types import StepInfo, WorkflowFilter, WorkflowStatus

__all__ = ["Workflows"]


class Workflows(Part):
    """What shows and controls workflows."""

    async def get_workflow(self, workflow_id: str) -> WorkflowStatus:
        """Return what the system database shows of a workflow now. Raises NoSuchWorkflow.

        print((await client.get_workflow("order-17")).status)
        """
        checks.address("workflow_id", workflow_id)
        row = await self._session.call(lambda open_: workflows.get(open_.database, workflow_id))
        if row is None:
            raise NoSuchWorkflow(workflow_id)
        return decode.workflow(self._session.settings.codecs, row)

    async def list_workflows(self, filter: WorkflowFilter | None = None) -> list[WorkflowStatus]:
        """Return the workflows of a filter, in order of creation; without one, all of them.

        A client that was created with an application name sees that application's and those that belong to
        none, unless the filter names an application or workflow ids. A payload that cannot be decoded here
        is its raw text. Takes 30 s at most, then raises DatabaseError.

            failed = await client.list_workflows(WorkflowFilter(status="ERROR", sort_desc=True, limit=20))
        """
        codecs = self._session.settings.codecs
        page = filters.page(filter or WorkflowFilter(), self._session.settings)
        rows = await self._session.call(lambda open_: workflows.list_workflows(open_.database, page))
        return [decode.workflow(codecs, row) for row in rows]

    async def count_workflows(self, filter: WorkflowFilter | None = None) -> int:
        """Return how many workflows a filter has, regardless of its `limit` and `offset`.

        waiting = await client.count_workflows(WorkflowFilter(status="ENQUEUED"))
        """
        conditions = filters.conditions(filter or WorkflowFilter(), self._session.settings)
        return await self._session.call(lambda open_: workflows.count(open_.database, conditions))

    async def list_workflow_steps(
        self, workflow_id: str, *, load_output: bool = True, limit: int | None = None, offset: int = 0
    ) -> list[StepInfo]:
        """Return the recorded operations of a workflow, in order; none for an id that does not exist.

        for step in await client.list_workflow_steps("order-17"): print(step.function_name, step.output)
        """
        checks.address("workflow_id", workflow_id)
        page = filters.bounds(limit, offset)
        rows = await self._session.call(
            lambda open_: workflows.list_steps(open_.database, workflow_id, load_output=load_output, **page)
        )
        codecs = self._session.settings.codecs
        return [decode.step(codecs, workflow_id, row) for row in rows]

    async def cancel_workflow(self, workflow_id: str, *, cancel_children: bool = False) -> bool:
        """Cancel a workflow that has not succeeded or failed; returns False when it has.

        A queued one never runs; a running one stops at its next operation. It loses its queue and its
        deduplication id. Raises NoSuchWorkflow.

            await client.cancel_workflow("order-17", cancel_children=True)
        """
        met = await self._cancel([workflow_id], cancel_children)
        if workflow_id not in met:
            raise NoSuchWorkflow(workflow_id)
        return met[workflow_id]

    async def cancel_workflows(
        self, workflow_ids: Sequence[str], *, cancel_children: bool = False
    ) -> list[str]:
        """Cancel workflows in one transaction; returns the ids of those that were cancelled by it.

        Those that have ended, and ids that do not exist, are left out.

            cancelled = await client.cancel_workflows(["order-17", "order-18"])
        """
        met = await self._cancel(workflow_ids, cancel_children)
        return [workflow_id for workflow_id, changed in met.items() if changed]

    async def resume_workflow(
        self, workflow_id: str, *, queue_name: str | None = None
    ) -> AsyncWorkflowHandle[Any]:
        """Put a workflow back on a queue, to go on from its last recorded operation; returns its handle.

        One that has succeeded or failed stays as it is. Without `queue_name` it goes on DBOS's internal
        queue, which every executor of its application serves. Its attempts count from 0 again, a timeout
        starts anew. One that is running is taken from its executor. Raises NoSuchWorkflow.

            handle = await client.resume_workflow("order-17", queue_name="ticketQueue")
        """
        return (await self.resume_workflows([workflow_id], queue_name=queue_name))[0]

    async def resume_workflows(
        self, workflow_ids: Sequence[str], *, queue_name: str | None = None
    ) -> list[AsyncWorkflowHandle[Any]]:
        """Resume workflows in one transaction, all or, when one does not exist (NoSuchWorkflow), none.

        handles = await client.resume_workflows(["order-17", "order-18"], queue_name="ticketQueue")
        """
        ids = filters.addresses("workflow_ids", workflow_ids)
        target = INTERNAL_QUEUE if queue_name is None else records.queue("queue_name", queue_name)
        met = await self._session.call_again(
            lambda open_, attempt: workflows.resume(
                open_.database, ids, queue_name=target, running=attempt == 1
            )
        )
        for workflow_id in ids:
            if workflow_id not in met:
                raise NoSuchWorkflow(workflow_id)
        return [self._handle(workflow_id) for workflow_id in ids]

    async def _cancel(self, workflow_ids: Sequence[str], cancel_children: bool) -> dict[str, bool]:
        ids = filters.addresses("workflow_ids", workflow_ids)
        return await self._session.call(
            lambda open_: workflows.cancel(open_.database, ids, cancel_children=cancel_children)
        )
