"""Executors, and the database itself."""

from __future__ import annotations

from typing import Any

from durably.client._base import Part
from durably.core import checks
from durably.core.storage import advice
from durably.store import inventory
from durably.types import ExecutorInfo, KnownWorkflow, StorageInfo, TableInfo, VersionLoad

__all__ = ["Inventory"]


class Inventory(Part):
    """What shows who runs workflows here, and how much room they take."""

    async def list_executors(self, *, application_name: str | None = None) -> list[ExecutorInfo]:
        """Return the processes that run workflows: those of durably, alive first, and those of DBOS.

        Each of durably's holds a lease that it renews; ended ones are listed for a day. DBOS's processes
        hold none (`state` is "no lease"), and show only while a workflow runs on them: whether they live is
        not known. Of an application, or of all.

            for executor in await client.list_executors(): print(executor.executor_id, executor.state)
        """
        given = checks.optional_name("application_name", application_name)
        scope = given or self._session.settings.application_name
        leased, busy = await self._session.call(lambda open_: inventory.executors(open_, scope))
        return _executors(leased, busy)

    async def version_loads(self, *, count_to: int = 10_000) -> list[VersionLoad]:
        """Return how much work has not ended by the version that it is for, None for whichever is the latest.

        Of each status the first `count_to` workflows are looked at, of all applications.

            for load in await client.version_loads(): print(load.app_version, load.enqueued)
        """
        most = checks.whole("count_to", count_to, least=1)
        rows = await self._session.call(lambda open_: inventory.versions(open_.database, most))
        return [VersionLoad(**row, counted_to=most) for row in rows]

    async def list_known_workflows(self) -> list[KnownWorkflow]:
        """Return the workflows that are known here: of applications of durably, and of the latest 5,000 runs.

        for known in await client.list_known_workflows(): print(known.name, known.queue_name)
        """
        rows = await self._session.call(inventory.workflows)
        return [KnownWorkflow(**row) for row in rows]

    async def storage(self) -> StorageInfo:
        """Return how large the database and its tables are, and how well they are kept.

        Rows are the planner's estimate; nothing is counted or locked, and a replica will do.

            for table in (await client.storage()).tables: print(table.name, table.total_bytes, table.advice)
        """
        whole, tables = await self._session.call(lambda open_: inventory.storage(open_.database))
        return StorageInfo(**whole, tables=tuple(map(_table, tables)))


def _executors(leased: list[dict[str, Any]], busy: list[dict[str, Any]]) -> list[ExecutorInfo]:
    """Those with a lease, and behind them those that are only known from what they run."""
    running: dict[str, dict[str, int]] = {}
    for row in busy:
        running.setdefault(row["executor_id"], {})[row["queue_name"] or ""] = row["running"]
    known = {row["executor_id"]: ExecutorInfo(**row, running_on=running.get(row["executor_id"], {}))
             for row in leased}  # fmt: skip
    for row in busy:
        if (id_ := row["executor_id"]) not in known:
            known[id_] = ExecutorInfo(
                executor_id=id_,
                state="no lease",
                application_name=row["application_name"],
                app_version=row["app_version"],
                running_on=running[id_],
            )
    return list(known.values())


def _table(row: dict[str, Any]) -> TableInfo:
    kept = {name: row[name] for name in ("rows", "dead_rows", "vacuum_at", "autovacuums")}
    return TableInfo(**row, advice=advice(**kept))
