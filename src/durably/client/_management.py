"""Workflows as an operator steers them: cancel, resume; one, several, or those of a filter."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from durably.client import _filters as filters
from durably.client import _records as records
from durably.client._base import Part
from durably.client._selection import Selection
from durably.client.handles import AsyncWorkflowHandle
from durably.core import names
from durably.core.names import INTERNAL_QUEUE
from durably.errors import NoSuchWorkflow
from durably.store import workflows
from durably.types import ACTIVE, Status, WorkflowFilter

__all__ = ["Management"]

NewId = Callable[[], str]

STOPPED: tuple[Status, ...] = ("CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
UNFINISHED: tuple[Status, ...] = (*ACTIVE, *STOPPED)  # without an outcome


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
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        cancel_children: bool = False,
        dry_run: bool = False,
    ) -> Coroutine[Any, Any, list[str]]:
        """Cancel workflows, by id or by filter; returns the ids of those that were cancelled by it.

        Those that have ended, and ids that do not exist, are left out. Ids are cancelled in one transaction,
        a filter's workflows in several of 1,000; a filter without a status means those that have not ended.
        With `dry_run` nothing is changed.

            cancelled = await client.cancel_workflows(["order-17", "order-18"])
            await client.cancel_workflows(WorkflowFilter(name="purchaseTicket"), dry_run=True)
        """
        chosen = Selection(workflow_ids, self._session, able=UNFINISHED, usual=ACTIVE)
        statuses = None if chosen.ids is not None else chosen.statuses

        async def act(ids: list[str]) -> list[str]:
            met = await self._cancel(ids, cancel_children, statuses)
            return [workflow_id for workflow_id, changed in met.items() if changed]

        async def cancel(new_id: NewId) -> list[str]:
            if dry_run:
                return await chosen.preview(children=cancel_children, able=UNFINISHED)
            return list(dict.fromkeys(await chosen.each(act)))

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
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        queue_name: str | None = None,
        dry_run: bool = False,
    ) -> Coroutine[Any, Any, list[AsyncWorkflowHandle[Any]]]:
        """Resume workflows, by id or by filter; returns their handles.

        Ids in one transaction, all or, when one does not exist (NoSuchWorkflow), none. A filter's workflows
        in several of 1,000; a filter without a status means those that were cancelled or set aside. With
        `dry_run` nothing is changed: handles of those that would be resumed.

            handles = await client.resume_workflows(["order-17", "order-18"], queue_name="ticketQueue")
            await client.resume_workflows(WorkflowFilter(name="purchaseTicket", status="CANCELLED"))
        """
        chosen = Selection(workflow_ids, self._session, able=UNFINISHED, usual=STOPPED)
        if chosen.ids is not None and not dry_run:
            return self._resume(chosen.ids, queue_name, self._handles)
        queue = self._queue(queue_name)

        async def resume(new_id: NewId) -> list[str]:
            if dry_run:
                return await chosen.find()
            token = new_id()

            async def act(ids: list[str]) -> list[str]:
                met = await self._session.call(
                    lambda open_: workflows.resume(
                        open_.database,
                        ids,
                        queue_name=queue,
                        token=token,
                        strict=False,
                        statuses=chosen.statuses,
                    )
                )
                return [id_ for id_, changed in met.items() if changed]

            return await chosen.each(act)

        return self._perform(names.RESUME_WORKFLOW, resume, self._handles)

    def _resume(
        self, ids: list[str], queue_name: str | None, show: Callable[[list[str]], Any]
    ) -> Coroutine[Any, Any, Any]:
        queue = self._queue(queue_name)

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

    def _handles(self, ids: list[str]) -> list[AsyncWorkflowHandle[Any]]:
        return [self._handle(workflow_id) for workflow_id in ids]

    def _queue(self, queue_name: str | None) -> str:
        return INTERNAL_QUEUE if queue_name is None else records.queue("queue_name", queue_name)

    async def _cancel(
        self, ids: Sequence[str], cancel_children: bool, statuses: Sequence[Status] | None = None
    ) -> dict[str, bool]:
        return await self._session.call(
            lambda open_: workflows.cancel(
                open_.database, ids, cancel_children=cancel_children, statuses=statuses
            )
        )
