"""Workflows as an operator holds them: pause, unpause."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from durably.client import _filters as filters
from durably.client._base import Part
from durably.client._selection import Selection
from durably.client._session import Open
from durably.core import checks, names
from durably.core.explain import paused
from durably.errors import NoSuchWorkflow, WrongStatus
from durably.store import pauses, workflows
from durably.types import ACTIVE, WorkflowFilter

__all__ = ["Pausing"]

NewId = Callable[[], str]


class Pausing(Part):
    """What pauses workflows."""

    def pause_workflow(
        self, workflow_id: str, *, reason: str | None = None, paused_by: str | None = None
    ) -> Coroutine[Any, Any, None]:
        """Pause a workflow that has not ended: nobody runs it until `unpause_workflow`.

        One that runs stops at once, wherever it is, and goes on later from its last recorded operation; that
        is no recovery attempt. It is DELAYED for ever then, for DBOS executors too, and holds no place on its
        queue. Its deadline waits too: it is later by as long as the pause was. `get_workflow` and `explain`
        show `reason` and `paused_by` (the role of the database unless given). Raises NoSuchWorkflow, and
        WrongStatus where it has ended or is paused.

            await client.pause_workflow("order-17", reason="the bank is closed", paused_by="ada")
        """
        ids = filters.addresses("workflow_id", [workflow_id])
        why, who = checks.optional_name("reason", reason), checks.optional_name("paused_by", paused_by)

        async def pause(new_id: NewId) -> None:
            token = new_id()
            met = await self._session.call(
                lambda open_: pauses.pause(
                    open_, ids, statuses=ACTIVE, reason=why, paused_by=who, token=token
                )
            )
            if workflow_id not in met:
                raise NoSuchWorkflow(workflow_id)
            await self._raise_refused(met[workflow_id])

        return self._perform(names.PAUSE_WORKFLOW, pause, _nothing)

    def pause_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        reason: str | None = None,
        paused_by: str | None = None,
        dry_run: bool = False,
    ) -> Coroutine[Any, Any, list[str]]:
        """Pause workflows, by id or by filter; returns the ids of those that were paused by it.

        Those that have ended or are paused already, and ids that do not exist, are left out. Ids are paused
        in one transaction, a filter's workflows in several of 1,000. With `dry_run` nothing is changed.

            await client.pause_workflows(WorkflowFilter(name="purchaseTicket"), reason="the bank is closed")
        """
        chosen = Selection(workflow_ids, self._session, able=ACTIVE, is_paused=False)
        why, who = checks.optional_name("reason", reason), checks.optional_name("paused_by", paused_by)

        async def pause(new_id: NewId) -> list[str]:
            if dry_run:
                return await chosen.find()
            token = new_id()

            async def act(ids: list[str]) -> list[str]:
                met = await self._session.call(
                    lambda open_: pauses.pause(
                        open_, ids, statuses=chosen.statuses, reason=why, paused_by=who, token=token
                    )
                )
                return [id_ for id_, row in met.items() if row["refusal"] in (None, "repeated")]

            return await chosen.each(act)

        return self._perform(names.PAUSE_WORKFLOW, pause, list)

    def unpause_workflow(self, workflow_id: str) -> Coroutine[Any, Any, bool]:
        """Let a paused workflow go on; returns False when it was not paused.

        It is what it was before: delayed until the same instant, or on its queue; one that ran goes on its
        queue again, or on DBOS's internal queue where it had none. Raises NoSuchWorkflow.

            await client.unpause_workflow("order-17")
        """
        ids = filters.addresses("workflow_id", [workflow_id])

        async def unpause(open_: Open, attempt: int) -> bool:
            if await pauses.unpause(open_, ids):
                return True
            if not await workflows.existing(open_.database, ids):
                raise NoSuchWorkflow(workflow_id)
            return attempt > 1  # then it was the attempt before, whose answer was lost

        return self._perform(names.UNPAUSE_WORKFLOW, lambda new_id: self._session.call_again(unpause), bool)

    def unpause_workflows(
        self, workflow_ids: Sequence[str] | WorkflowFilter, *, dry_run: bool = False
    ) -> Coroutine[Any, Any, list[str]]:
        """Let paused workflows go on, by id or by filter; returns the ids of those that were paused.

        In transactions as `pause_workflows`. With `dry_run` nothing is changed.

            await client.unpause_workflows(WorkflowFilter(name="purchaseTicket"))
        """
        chosen = Selection(workflow_ids, self._session, able=("DELAYED",), is_paused=True)

        async def unpause(new_id: NewId) -> list[str]:
            if dry_run:
                return await chosen.find()
            return await chosen.each(lambda ids: self._session.call(lambda open_: pauses.unpause(open_, ids)))

        return self._perform(names.UNPAUSE_WORKFLOW, unpause, list)

    async def _raise_refused(self, met: dict[str, Any]) -> None:
        workflow_id, refusal = met["workflow_id"], met["refusal"]
        if refusal in (None, "repeated"):
            return
        hint = "only one that has not ended can be"
        if refusal == "paused":
            noted = await self._session.call(lambda open_: pauses.notes(open_, [workflow_id]))
            note = noted.get(workflow_id, {})
            hint = "already " + paused(note.get("paused_by"), note.get("paused_at"), note.get("reason"))
        raise WrongStatus(workflow_id, action="paused", status=met["status"], hint=hint)


def _nothing(value: None) -> None:
    """What a call shows that returns nothing."""
