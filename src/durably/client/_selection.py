"""Workflows that an operation is for: those of some ids, or of a filter at the time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from durably.client import _filters as filters
from durably.client._session import Session
from durably.core import checks
from durably.store import workflows
from durably.types import ACTIVE, TERMINAL, Status, WorkflowFilter

__all__ = ["Selection"]

BATCH = 1000  # workflows of a filter in a transaction
STATUSES: tuple[Status, ...] = (*ACTIVE, *TERMINAL)


class Selection:
    """What was chosen, checked. `able`: statuses in which the operation does something to a workflow.

    A filter that names no status means those in `usual`. What has left its status when its turn comes is left
    alone: the operation is given `statuses`.
    """

    def __init__(
        self,
        given: Sequence[str] | WorkflowFilter,
        session: Session,
        *,
        able: Sequence[Status] = STATUSES,
        usual: Sequence[Status] | None = None,
        is_paused: bool | None = None,
    ) -> None:
        self._session = session
        self.ids: list[str] | None = None
        self.statuses: list[Status] = list(able)
        if isinstance(given, WorkflowFilter):
            self.statuses = _named(given, able, able if usual is None else usual)
            chosen = replace(given, status=tuple(self.statuses), load_input=False, load_output=False)
        else:
            self.ids = filters.addresses("workflow_ids", given)
            chosen = WorkflowFilter(workflow_ids=self.ids, status=tuple(self.statuses))
        if is_paused is not None and chosen.is_paused is None:
            chosen = replace(chosen, is_paused=is_paused)
        self._page = filters.page(chosen, session.settings)

    async def find(self) -> list[str]:
        """The ids of those that the operation would do something to now, in order of creation."""
        return await self._session.call(lambda open_: workflows.ids(open_.database, self._page))

    async def preview(self, *, children: bool, able: Sequence[Status]) -> list[str]:
        """The same with their descendants, where asked, that have a status in `able`."""
        if not children:
            return await self.find()
        roots = self.ids if self.ids is not None else await self.find()
        return await self._session.call(
            lambda open_: workflows.family(open_.database, roots, children=True, statuses=able)
        )

    async def each(self, act: Callable[[list[str]], Awaitable[list[str]]]) -> list[str]:
        """`act` on them: on ids at once, on those of a filter in batches; all that it returned."""
        if self.ids is not None:
            return await act(self.ids)
        done: list[str] = []
        found = await self.find()
        for start in range(0, len(found), BATCH):
            done += await act(found[start : start + BATCH])
        return done


def _named(filter: WorkflowFilter, able: Sequence[Status], usual: Sequence[Status]) -> list[Status]:
    if filter.status is None:
        return list(usual)
    named = (filter.status,) if isinstance(filter.status, str) else tuple(filter.status)
    for status in named:
        checks.choice("status", status, STATUSES)
    return [status for status in able if status in named]
