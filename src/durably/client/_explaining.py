"""Why workflows do not run, and those that were set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durably.client import _decode as decode
from durably.client import _filters as filters
from durably.client._base import Part
from durably.core import checks
from durably.core.explain import explain
from durably.core.names import INTERNAL_QUEUE
from durably.errors import NoSuchWorkflow
from durably.store import queues
from durably.store import workflows as rows_of
from durably.types import Explanation, Status, WorkflowFilter, WorkflowStatus

__all__ = ["Explaining"]

DEAD: Status = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"


class Explaining(Part):
    """What explains workflows, and brings back those that were set aside."""

    async def explain(self, workflow_id: str) -> Explanation:
        """Return the one reason why a workflow is not running, or what it does.

        Raises NoSuchWorkflow. In a database that only DBOS has used it is told from DBOS's tables.

            print((await client.explain("order-17")).message)
        """
        checks.address("workflow_id", workflow_id)
        facts = await self._session.call(lambda open_: queues.facts(open_, workflow_id))
        if facts is None:
            raise NoSuchWorkflow(workflow_id)
        reason, message = explain(facts)
        return Explanation(workflow_id=workflow_id, status=facts.status, reason=reason, message=message)

    async def list_dead_letters(self, filter: WorkflowFilter | None = None) -> list[WorkflowStatus]:
        """Return the workflows that were set aside after more than `max_recovery_attempts` recoveries.

        Each of their attempts ended with the death of its process. The filter's status does not count.

            for dead in await client.list_dead_letters(): print(dead.workflow_id, dead.recovery_attempts)
        """
        codecs = self._session.settings.codecs
        return [decode.workflow(codecs, row) for row in await self._dead(filter or WorkflowFilter())]

    async def requeue_dead_letters(
        self,
        workflows: Sequence[str] | WorkflowFilter | None = None,
        *,
        queue_name: str | None = None,
        dry_run: bool = False,
    ) -> list[str]:
        """Resume workflows that were set aside, by id or filter, or all; returns their ids.

        They go on from their last recorded operation, with their attempts counted anew, on `queue_name` or
        DBOS's internal queue. With `dry_run` nothing is changed.

            await client.requeue_dead_letters(WorkflowFilter(name="purchaseTicket"), dry_run=True)
        """
        queue = checks.optional_name("queue_name", queue_name) or INTERNAL_QUEUE
        if workflows is None:
            workflows = WorkflowFilter()
        if not isinstance(workflows, WorkflowFilter):
            workflows = WorkflowFilter(workflow_ids=tuple(filters.addresses("workflows", workflows)))
        found = [row["workflow_id"] for row in await self._dead(workflows)]
        token = self._session.new_id()
        if found and not dry_run:
            await self._session.call(
                lambda open_: rows_of.resume(open_.database, found, queue_name=queue, token=token)
            )
        return found

    async def _dead(self, filter: WorkflowFilter) -> list[dict[str, Any]]:
        page = filters.page(replace(filter, status=DEAD), self._session.settings)
        return await self._session.call(lambda open_: rows_of.list_workflows(open_.database, page))
