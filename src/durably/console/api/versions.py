"""Versions of applications, and what they run."""

from __future__ import annotations

from durably.console.api.queues import CountTo, Scope
from durably.console.api.route import Call, Example, get, put
from durably.console.api.wire import Given, Instant, Name, Shown, shown
from durably.errors import NoSuchVersion
from durably.types import KnownWorkflow, VersionLoad

__all__ = ["ROUTES"]


class Latest(Given, frozen=True, kw_only=True):
    """The version that is to be the latest of its application."""

    version_name: Name


class Version(Shown, frozen=True, kw_only=True):
    """A version of an application, as its first worker registered it."""

    version_id: str
    version_name: str
    version_timestamp: Instant
    created_at: Instant
    application_name: str | None


class Versions(Shown, frozen=True, kw_only=True):
    """Versions, the latest first."""

    versions: list[Version]


class Loads(Given, frozen=True, kw_only=True):
    """Where counts end."""

    count_to: CountTo = 10_000


class VersionLoads(Shown, frozen=True, kw_only=True):
    """Work that has not ended, by version; null is whichever is the latest."""

    loads: list[VersionLoad]


class KnownWorkflows(Shown, frozen=True, kw_only=True):
    """Workflows that are known by name, with their parameters where an application tells."""

    workflows: list[KnownWorkflow]


@get("/versions", verbs=("list_application_versions",), example=Example())
async def list_versions(call: Call, query: Scope) -> Versions:
    """Show the versions that applications have registered, the latest first."""
    found = await call.client.list_application_versions(application_name=query.application_name)
    return Versions(versions=[shown(Version, each) for each in found])


@get(
    "/version/latest",
    verbs=("get_latest_application_version",),
    problems=(404,),
    example=Example({"application_name": "tickets"}),
)
async def get_latest_version(call: Call, query: Scope) -> Version:
    """Show the version whose workers run what was enqueued for no version."""
    name = query.application_name
    found = await call.client.get_latest_application_version(application_name=name)
    if found is None:
        raise NoSuchVersion("latest")
    return shown(Version, found)


@put(
    "/version/latest",
    verbs=("set_latest_application_version",),
    problems=(404,),
    example=Example(body={"version_name": "tickets@2026-11-26"}),
)
async def set_latest_version(call: Call, body: Latest) -> Version:
    """Let the workers of this version run what was enqueued for no version, from now on."""
    setting = call.client.set_latest_application_version(body.version_name)
    return shown(Version, await call.act("make latest", "version", body.version_name, setting))


@get("/versions/load", verbs=("version_loads",), example=Example())
async def version_loads(call: Call, query: Loads) -> VersionLoads:
    """Show how much work has not ended, by the version that it is for."""
    return VersionLoads(loads=await call.client.version_loads(count_to=query.count_to))


@get("/known-workflows", verbs=("list_known_workflows",), example=Example())
async def list_known_workflows(call: Call) -> KnownWorkflows:
    """Show the workflows that are known here by name: what can be enqueued, and with which arguments."""
    return KnownWorkflows(workflows=await call.client.list_known_workflows())


ROUTES = (list_known_workflows, version_loads, list_versions, get_latest_version, set_latest_version)
