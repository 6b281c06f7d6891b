"""What is around the workflows: executors, the database, the server."""

from __future__ import annotations

from durably.console.api.queues import Scope
from durably.console.api.route import Call, Example, get
from durably.console.api.wire import Shown
from durably.types import ExecutorInfo, Finding, StorageInfo

__all__ = ["ROUTES"]


class Executors(Shown, frozen=True, kw_only=True):
    """The processes that run workflows: those of durably, alive first, and those of DBOS."""

    executors: list[ExecutorInfo]


class Findings(Shown, frozen=True, kw_only=True):
    """What was looked at, in the order in which a person would look."""

    findings: list[Finding]


@get("/doctor", verbs=("diagnose",), example=Example())
async def diagnose(call: Call) -> Findings:
    """Look at connection, server, tables, privileges and work; say what to do. It only reads."""
    found = await call.client.diagnose()
    return Findings(findings=found)


@get("/executors", verbs=("list_executors",), example=Example())
async def list_executors(call: Call, query: Scope) -> Executors:
    """Show the processes that run workflows, and what runs on each."""
    found = await call.client.list_executors(application_name=query.application_name)
    return Executors(executors=found)


@get("/storage", verbs=("storage",), example=Example())
async def show_storage(call: Call) -> StorageInfo:
    """Show how large the database and its tables are, and how well they are kept."""
    return await call.client.storage()


ROUTES = (list_executors, show_storage, diagnose)
