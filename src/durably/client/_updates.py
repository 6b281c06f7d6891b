"""Workflows as an operator changes them: delete, another delay, another priority, other attributes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any

from durably.client import _records as records
from durably.client._base import Part
from durably.client._selection import STATUSES, Selection
from durably.client._session import Open
from durably.codec import attributes_text
from durably.core import checks, names
from durably.errors import InvalidOption, NoSuchWorkflow, WrongStatus
from durably.store import changes
from durably.types import TERMINAL, Seconds, WorkflowFilter

__all__ = ["Updates"]

NewId = Callable[[], str]


class Updates(Part):
    """What deletes and changes workflows."""

    def delete_workflow(
        self, workflow_id: str, *, delete_children: bool = False
    ) -> Coroutine[Any, Any, bool]:
        """Delete a workflow and all that is recorded of it, whatever its status; False when there is none.

        One that runs is stopped. With `delete_children` its children, and theirs, go too. Forks of it stay,
        and what its parent recorded of it. The id may be used again.

            await client.delete_workflow("order-17", delete_children=True)
        """
        ids = [checks.address("workflow_id", workflow_id)]

        async def delete(open_: Open, attempt: int) -> bool:
            gone = await changes.delete(open_, ids, children=delete_children, statuses=None)
            return workflow_id in gone or attempt > 1  # it was the attempt before, whose answer was lost

        return self._perform(names.DELETE_WORKFLOW, lambda new_id: self._session.call_again(delete), bool)

    def delete_workflows(
        self,
        workflow_ids: Sequence[str] | WorkflowFilter,
        *,
        delete_children: bool = False,
        dry_run: bool = False,
    ) -> Coroutine[Any, Any, list[str]]:
        """Delete workflows, by id or by filter; returns the ids of those that were deleted by it.

        Children that were deleted are among them; ids that do not exist are left out. Ids are deleted in one
        transaction, a filter's workflows in several of 1,000; a filter without a status means those that have
        ended. With `dry_run` nothing is changed.

            old = WorkflowFilter(status="SUCCESS", completed_before=datetime(2026, 1, 1, tzinfo=UTC))
            await client.delete_workflows(old, dry_run=True)
        """
        chosen = Selection(workflow_ids, self._session, usual=TERMINAL)
        statuses = None if chosen.ids is not None else chosen.statuses

        async def act(ids: list[str]) -> list[str]:
            return await self._session.call(
                lambda open_: changes.delete(open_, ids, children=delete_children, statuses=statuses)
            )

        async def delete(new_id: NewId) -> list[str]:
            if dry_run:
                return await chosen.preview(children=delete_children, able=STATUSES)
            return await chosen.each(act)

        return self._perform(names.DELETE_WORKFLOW, delete, list)

    def set_workflow_delay(
        self, workflow_id: str, *, delay: Seconds | None = None, delay_until: datetime | None = None
    ) -> Coroutine[Any, Any, bool]:
        """Delay a delayed workflow otherwise: `delay` seconds from now, or until an instant; 0 is at once.

        Returns False, and changes nothing, where it is not delayed. Raises NoSuchWorkflow, and WrongStatus
        where it is paused or stranded.

            await client.set_workflow_delay("order-17", delay=3600)
        """
        checks.address("workflow_id", workflow_id)
        if (delay is None) == (delay_until is None):
            raise InvalidOption("delay", delay, "give either delay, in seconds, or delay_until, a datetime")
        milliseconds = records.milliseconds(checks.duration("delay", delay, zero=True))
        until = checks.instant("delay_until", delay_until)

        async def change(new_id: NewId) -> bool:
            row = await self._session.call(
                lambda open_: changes.set_delay(
                    open_.database, workflow_id, delay_ms=milliseconds, delay_until=until
                )
            )
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            if row["status"] == "DELAYED" and not row["changed"]:
                raise _held(workflow_id, row["delay_until_epoch_ms"])
            return bool(row["changed"])

        return self._perform(names.SET_DELAY, change, bool)

    def set_workflow_priority(self, workflow_id: str, priority: int) -> Coroutine[Any, Any, bool]:
        """Give a workflow that waits on its queue, or is delayed, another priority; the smallest goes first.

        0 is that of work without one. Returns False, and changes nothing, where it does not wait. Raises
        NoSuchWorkflow.

            await client.set_workflow_priority("order-17", 1)
        """
        checks.address("workflow_id", workflow_id)
        wanted = checks.whole("priority", priority, least=0)

        async def change(new_id: NewId) -> bool:
            row = await self._session.call(
                lambda open_: changes.set_priority(open_.database, workflow_id, wanted)
            )
            if row is None:
                raise NoSuchWorkflow(workflow_id)
            return bool(row["changed"])

        return self._perform(names.SET_PRIORITY, change, bool)

    def update_workflow_attributes(
        self, workflow_id: str, attributes: Mapping[str, Any] | None, *, merge: bool = False
    ) -> Coroutine[Any, Any, None]:
        """Give a workflow, in whatever status, other attributes (None: none), by which filters find it.

        With `merge` those that are not named stay. Raises NoSuchWorkflow.

            await client.update_workflow_attributes("order-17", {"reviewed_by": "ada"}, merge=True)
        """
        checks.address("workflow_id", workflow_id)
        if attributes is None and merge:
            raise InvalidOption("attributes", attributes, "with merge=True give those that are to change")
        text = attributes_text(self._session.settings.codecs, attributes) or "null"

        async def change(new_id: NewId) -> None:
            is_there = await self._session.call(
                lambda open_: changes.set_attributes(open_.database, workflow_id, text, merge=merge)
            )
            if not is_there:
                raise NoSuchWorkflow(workflow_id)

        return self._perform(names.UPDATE_ATTRIBUTES, change, _nothing)


def _held(workflow_id: str, until: int) -> WrongStatus:
    hint = "it is stranded: move_workflows, or a worker whose code fits, lets it go on"
    if until == names.PAUSED_UNTIL_MS:
        hint = "it is paused: unpause_workflow lets it go on, with the delay that it had"
    return WrongStatus(workflow_id, action="delayed otherwise", status="DELAYED", hint=hint)


def _nothing(value: None) -> None:
    """What a call shows that returns nothing."""
