"""Workflows as an operator sees them: get, list, count, steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from durably.client import _decode as decode
from durably.client import _filters as filters
from durably.client._base import Part
from durably.client._session import Open
from durably.core import checks, names
from durably.errors import NoSuchWorkflow
from durably.store import pauses, versions, workflows
from durably.types import StepInfo, WorkflowFilter, WorkflowStatus

__all__ = ["Workflows"]

NewId = Callable[[], str]


class Workflows(Part):
    """What shows workflows."""

    def get_workflow(
        self, workflow_id: str, *, load_input: bool = True, load_output: bool = True
    ) -> Coroutine[Any, Any, WorkflowStatus]:
        """Return what the system database shows of a workflow now. Raises NoSuchWorkflow.

        Its input, and its output and error, are None where they are not to be loaded.

            print((await client.get_workflow("order-17")).status)
        """
        checks.address("workflow_id", workflow_id)

        async def look(new_id: NewId) -> decode.Row:
            row = await self._session.call(
                lambda open_: workflows.get(
                    open_.database, workflow_id, load_input=bool(load_input), load_output=bool(load_output)
                )
            )
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            noted = (await self._session.call(lambda open_: pauses.with_notes(open_, [row])))[0]
            if "pause" in noted:
                return noted
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

        async def list_(open_: Open) -> list[decode.Row]:
            return await pauses.with_notes(open_, await workflows.list_workflows(open_.database, page))

        return self._perform(
            names.LIST_WORKFLOWS,
            lambda new_id: self._session.call(list_),
            lambda rows: [decode.workflow(codecs, row) for row in rows],
        )

    def list_workflow_generations(self, workflow_id: str) -> Coroutine[Any, Any, list[WorkflowStatus]]:
        """Return the generations of a workflow that continued as new, oldest first, the present one last.

        Those before it are finished workflows of their own, `<id>/1`, `<id>/2`, ..., each with its input and
        steps, until retention removes them. Takes 30 s at most. Raises NoSuchWorkflow.

            for run in await client.list_workflow_generations("poller"): print(run.workflow_id, run.input)
        """
        checks.address("workflow_id", workflow_id)
        codecs, prefix = self._session.settings.codecs, f"{workflow_id}/"
        before = WorkflowFilter(parent_workflow_id=workflow_id, workflow_id_prefix=prefix, status="SUCCESS")
        page = filters.page(before, self._session.settings)

        async def look(new_id: NewId) -> list[decode.Row]:
            latest = await self._session.call(lambda open_: workflows.get(open_.database, workflow_id))
            if latest is None:
                raise NoSuchWorkflow(workflow_id)
            found = await self._session.call(lambda open_: workflows.list_workflows(open_.database, page))
            return [*_generations(found, prefix), latest]

        return self._perform(
            names.LIST_WORKFLOWS, look, lambda rows: [decode.workflow(codecs, row) for row in rows]
        )

    def count_workflows(
        self, filter: WorkflowFilter | None = None, *, count_to: int | None = None
    ) -> Coroutine[Any, Any, int]:
        """Return how many workflows a filter has, regardless of its `limit` and `offset`.

        Counting ends at `count_to`, so that a look at a long table costs little.

            waiting = await client.count_workflows(WorkflowFilter(status="ENQUEUED"), count_to=10_000)
        """
        conditions = filters.conditions(filter or WorkflowFilter(), self._session.settings)
        conditions["count_to"] = None if count_to is None else checks.whole("count_to", count_to, least=1)
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


def _generations(rows: list[decode.Row], prefix: str) -> list[decode.Row]:
    """Those of a number, in its order; a child may have an id of the user's that begins like theirs."""
    numbers = {row["workflow_id"]: row["workflow_id"].removeprefix(prefix) for row in rows}
    named = [row for row in rows if numbers[row["workflow_id"]].isdecimal()]
    return sorted(named, key=lambda row: int(numbers[row["workflow_id"]]))
