"""Workflows as an operator sees them: get, list, count, steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from durably.client import _decode as decode
from durably.client import _filters as filters
from durably.client._base import Part
from durably.core import checks, names
from durably.errors import NoSuchWorkflow
from durably.store import versions, workflows
from durably.types import StepInfo, WorkflowFilter, WorkflowStatus

__all__ = ["Workflows"]

NewId = Callable[[], str]


class Workflows(Part):
    """What shows workflows."""

    def get_workflow(self, workflow_id: str) -> Coroutine[Any, Any, WorkflowStatus]:
        """Return what the system database shows of a workflow now. Raises NoSuchWorkflow.

        print((await client.get_workflow("order-17")).status)
        """
        checks.address("workflow_id", workflow_id)

        async def look(new_id: NewId) -> decode.Row:
            row = await self._session.call(lambda open_: workflows.get(open_.database, workflow_id))
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            return row | await self._session.call(lambda open_: versions.circumstances(open_, row))

        codecs = self._session.settings.codecs
        return self._perform(names.GET_STATUS, look, lambda row: decode.workflow(codecs, row))

    def list_workflows(
        self, filter: WorkflowFilter | None = None
    ) -> Coroutine[Any, Any, list[WorkflowStatus]]:
        """Return the workflows of a filter, in order of creation; without one, all of them.

        A client that was created with an application name sees that application's and those that belong to
        none, unless the filter names an application or workflow ids. A payload that cannot be decoded here
        is its raw text. Takes 30 s at most, then raises DatabaseError.

            failed = await client.list_workflows(WorkflowFilter(status="ERROR", sort_desc=True, limit=20))
        """
        codecs = self._session.settings.codecs
        page = filters.page(filter or WorkflowFilter(), self._session.settings)
        return self._perform(
            names.LIST_WORKFLOWS,
            lambda new_id: self._session.call(lambda open_: workflows.list_workflows(open_.database, page)),
            lambda rows: [decode.workflow(codecs, row) for row in rows],
        )

    def count_workflows(self, filter: WorkflowFilter | None = None) -> Coroutine[Any, Any, int]:
        """Return how many workflows a filter has, regardless of its `limit` and `offset`.

        waiting = await client.count_workflows(WorkflowFilter(status="ENQUEUED"))
        """
        conditions = filters.conditions(filter or WorkflowFilter(), self._session.settings)
        return self._perform(
            names.COUNT_WORKFLOWS,
            lambda new_id: self._session.call(lambda open_: workflows.count(open_.database, conditions)),
            int,
        )

    def list_workflow_steps(
        self, workflow_id: str, *, load_output: bool = True, limit: int | None = None, offset: int = 0
    ) -> Coroutine[Any, Any, list[StepInfo]]:
        """Return the recorded operations of a workflow, in order; none for an id that does not exist.

        for step in await client.list_workflow_steps("order-17"): print(step.function_name, step.output)
        """
        checks.address("workflow_id", workflow_id)
        page = filters.bounds(limit, offset)
        codecs = self._session.settings.codecs
        return self._perform(
            names.LIST_STEPS,
            lambda new_id: self._session.call(
                lambda open_: workflows.list_steps(
                    open_.database, workflow_id, load_output=load_output, **page
                )
            ),
            lambda rows: [decode.step(codecs, workflow_id, row) for row in rows],
        )
