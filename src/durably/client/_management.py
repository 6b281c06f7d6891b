"""Workflows as an operator steers them: cancel, resume."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from durably.client import _filters as filters
from durably.client import _records as records
from durably.client._base import Part
from durably.client.handles import AsyncWorkflowHandle
from durably.core import names
from durably.core.names import INTERNAL_QUEUE
from durably.errors import NoSuchWorkflow
from durably.store import workflows

__all__ = ["Management"]

NewId = Callable[[], str]


class Management(Part):
    """What steers workflows."""

    def cancel_workflow(
        self, workflow_id: str, *, cancel_children: bool = False
    ) -> Coroutine[Any, Any, bool]:
        """Cancel a workflow that has not succeeded or failed; returns False when it has.

        A queued one never runs; a running one stops at its next operation. It loses its queue and its
        deduplication id. Raises NoSuchWorkflow.

            await client.cancel_workflow("order-17", cancel_children=True)
        """
        ids = filters.addresses("workflow_id", [workflow_id])

        async def cancel(new_id: NewId) -> bool:
            met = await self._cancel(ids, cancel_children)
            if workflow_id not in met:
                raise NoSuchWorkflow(workflow_id)
            return met[workflow_id]

        return self._perform(names.CANCEL_WORKFLOW, cancel, bool)

    def cancel_workflows(
        self, workflow_ids: Sequence[str], *, cancel_children: bool = False
    ) -> Coroutine[Any, Any, list[str]]:
        """Cancel workflows in one transaction; returns the ids of those that were cancelled by it.

        Those that have ended, and ids that do not exist, are left out.

            cancelled = await client.cancel_workflows(["order-17", "order-18"])
        """
        ids = filters.addresses("workflow_ids", workflow_ids)

        async def cancel(new_id: NewId) -> list[str]:
            met = await self._cancel(ids, cancel_children)
            return [workflow_id for workflow_id, changed in met.items() if changed]

        return self._perform(names.CANCEL_WORKFLOW, cancel, list)

    def resume_workflow(
        self, workflow_id: str, *, queue_name: str | None = None
    ) -> Coroutine[Any, Any, AsyncWorkflowHandle[Any]]:
        """Put a workflow back on a queue, to go on from its last recorded operation; returns its handle.

        One that has succeeded or failed stays as it is. Without `queue_name` it goes on DBOS's internal
        queue, which every executor of its application serves. Its attempts count from 0 again, a timeout
        starts anew. One that is running is taken from its executor, which stops it. Raises NoSuchWorkflow.

            handle = await client.resume_workflow("order-17", queue_name="ticketQueue")
        """
        ids = filters.addresses("workflow_id", [workflow_id])
        return self._resume(ids, queue_name, lambda found: self._handle(found[0]))

    def resume_workflows(
        self, workflow_ids: Sequence[str], *, queue_name: str | None = None
    ) -> Coroutine[Any, Any, list[AsyncWorkflowHandle[Any]]]:
        """Resume workflows in one transaction, all or, when one does not exist (NoSuchWorkflow), none.

        handles = await client.resume_workflows(["order-17", "order-18"], queue_name="ticketQueue")
        """
        ids = filters.addresses("workflow_ids", workflow_ids)
        return self._resume(ids, queue_name, lambda found: [self._handle(id_) for id_ in found])

    def _resume(
        self, ids: list[str], queue_name: str | None, show: Callable[[list[str]], Any]
    ) -> Coroutine[Any, Any, Any]:
        queue = INTERNAL_QUEUE if queue_name is None else records.queue("queue_name", queue_name)

        async def resume(new_id: NewId) -> list[str]:
            token = new_id()
            met = await self._session.call(
                lambda open_: workflows.resume(open_.database, ids, queue_name=queue, token=token)
            )
            for workflow_id in ids:
                if workflow_id not in met:
                    raise NoSuchWorkflow(workflow_id)
            return ids

        return self._perform(names.RESUME_WORKFLOW, resume, show)

    async def _cancel(self, ids: Sequence[str], cancel_children: bool) -> dict[str, bool]:
        return await self._session.call(
            lambda open_: workflows.cancel(open_.database, ids, cancel_children=cancel_children)
        )
