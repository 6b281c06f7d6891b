"""Versions of applications; workflows that are stranded between them, or pinned to one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from durably.client import _explain as explain
from durably.client import _filters as filters
from durably.client._base import Part
from durably.core import checks, names
from durably.errors import NoSuchVersion
from durably.store import versions, workflows
from durably.types import ApplicationVersion, StrandedWorkflow, WorkflowFilter

__all__ = ["Versions"]

NewId = Callable[[], str]


class Versions(Part):
    """What shows and steers versions."""

    async def list_application_versions(
        self, *, application_name: str | None = None
    ) -> list[ApplicationVersion]:
        """Return the versions that applications have registered here, the latest first.

        Each worker registers its own when it starts. With an application name, or a client that has one: its
        versions and those of no application.

            for version in await client.list_application_versions(): print(version.version_name)
        """
        scope = self._application(application_name)
        rows = await self._session.call(lambda open_: versions.listed(open_.database, scope))
        return [ApplicationVersion(**row) for row in rows]

    async def get_latest_application_version(
        self, *, application_name: str | None = None
    ) -> ApplicationVersion | None:
        """Return the version whose workers run what was enqueued for no version; None where there is none.

        latest = await client.get_latest_application_version(application_name="tickets")
        """
        found = await self.list_application_versions(application_name=application_name)
        return found[0] if found else None

    async def set_latest_application_version(self, version_name: str) -> ApplicationVersion:
        """Let the workers of this version run what was enqueued for no version, from now on.

        A version is the latest of its application when it is registered first; starting its workers again
        does not make it so, this does: going back to an older one, say. Raises NoSuchVersion.

            await client.set_latest_application_version("tickets@2026-11-26")
        """
        name = checks.name("version_name", version_name)
        row = await self._session.call(lambda open_: versions.set_latest(open_.database, name))
        if row is None:
            raise NoSuchVersion(name)
        return ApplicationVersion(**row)

    def list_stranded(
        self, filter: WorkflowFilter | None = None
    ) -> Coroutine[Any, Any, list[StrandedWorkflow]]:
        """Return the workflows that were set aside because what they recorded does not fit the code.

        Such a workflow is DELAYED, and goes on by itself as soon as a process runs whose code it fits. By
        hand it goes on with `move_workflows` to a version that fits, or as a `fork_workflow` from the
        operation that differs. The filter's status does not count.

            for stranded in await client.list_stranded(): print(stranded.explanation)
        """
        wanted = filter or WorkflowFilter()
        page = self._stranded_page(wanted)
        scope = wanted.application_name or self._application(None)

        async def look(new_id: NewId) -> list[dict[str, Any]]:
            notes = await self._session.call(
                lambda open_: versions.stranded(open_, page["workflow_ids"], scope)
            )
            if not notes:
                return []
            conditions = {**page, "workflow_ids": list(notes)}
            found = await self._session.call(
                lambda open_: workflows.list_workflows(open_.database, conditions)
            )
            pairs = [(row, notes[row["workflow_id"]]) for row in found]
            rows = [explain.stranded(row, note) for row, note in pairs if explain.is_stranded(row, note)]
            first = wanted.offset
            return rows[first : None if wanted.limit is None else first + wanted.limit]

        return self._perform(
            names.LIST_STRANDED, look, lambda rows: [StrandedWorkflow(**row) for row in rows]
        )

    def move_workflows(
        self, workflows_: Sequence[str] | WorkflowFilter, app_version: str | None
    ) -> Coroutine[Any, Any, list[str]]:
        """Give workflows that do not run another version; returns the ids of those that were moved.

        Only workers of that version run them then; None leaves them to whichever is the latest. Stranded
        workflows go back on their queues. What runs or has ended is left out: resume it first. Raises
        NoSuchVersion where no worker has registered the version.

            await client.move_workflows(["order-17"], "tickets@2026-11-26")
            await client.move_workflows(WorkflowFilter(name="purchaseTicket", app_version="v1"), "v2")
        """
        version = checks.optional_name("app_version", app_version)
        chosen = self._chosen(workflows_)

        async def move(new_id: NewId) -> list[str]:
            if version is not None:
                known = await self._session.call(lambda open_: versions.listed(open_.database, None))
                if version not in (row["version_name"] for row in known):
                    raise NoSuchVersion(version)
            ids = await chosen()
            return await self._session.call(lambda open_: versions.move(open_.database, ids, version))

        return self._perform(names.MOVE_WORKFLOWS, move, list)

    def _chosen(self, given: Sequence[str] | WorkflowFilter) -> Callable[[], Coroutine[Any, Any, list[str]]]:
        """The ids that were given, or those of a filter at the time."""
        settings = self._session.settings
        if isinstance(given, WorkflowFilter):
            page = filters.page(replace(given, load_input=False, load_output=False), settings)
        else:
            page, ids = None, filters.addresses("workflows", given)

        async def choose() -> list[str]:
            if page is None:
                return ids
            found = await self._session.call(lambda open_: workflows.list_workflows(open_.database, page))
            return [row["workflow_id"] for row in found]

        return choose

    def _stranded_page(self, wanted: WorkflowFilter) -> dict[str, Any]:
        every = replace(
            wanted,
            status=("DELAYED", "ENQUEUED"),
            application_name=wanted.application_name or self._application(None),
            limit=None,
            offset=0,
            load_input=False,
            load_output=False,
        )
        filters.bounds(wanted.limit, wanted.offset)
        return filters.page(every, self._session.settings)

    def _application(self, given: str | None) -> str | None:
        return checks.optional_name("application_name", given) or self._session.settings.application_name
