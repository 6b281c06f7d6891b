"""Versions of applications: shown, ordered, made the latest, and given to workflows that wait."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, WorkflowFilter
from durably.errors import InvalidOption, NoSuchVersion
from tests.client.conftest import NewId, Rows

Register = Callable[..., str]


@pytest.fixture
def register(rows: Rows) -> Register:
    """A version, as a worker of that application that started at that epoch millisecond registers it."""

    def registered(application: str | None, since: int) -> str:
        name = f"v-{uuid.uuid4().hex[:8]}"
        rows.run(
            "INSERT INTO dbos.application_versions (version_id, version_name, version_timestamp, "
            "application_name) VALUES (%s, %s, %s, %s)",
            str(uuid.uuid4()),
            name,
            since,
            application,
        )
        return name

    return registered


@pytest.fixture
def application(new_id: NewId) -> str:
    return new_id("app")


def test_versions_are_listed_the_latest_first(
    client: DBOSClient, register: Register, application: str
) -> None:
    first, second = register(application, 1000), register(application, 2000)
    register("another", 3000)
    found = client.list_application_versions(application_name=application)
    assert [v.version_name for v in found if v.application_name == application] == [second, first]
    assert found[0].version_timestamp == 2000
    assert {first, second} < {v.version_name for v in client.list_application_versions()}
    latest = client.get_latest_application_version(application_name=application)
    assert latest is not None and latest.version_name == second


def test_an_older_version_becomes_the_latest(
    client: DBOSClient, register: Register, application: str, rows: Rows
) -> None:
    ahead = 10_000_000_000_000  # of a worker whose clock was
    old, new = register(application, 1000), register(application, ahead)
    made = client.set_latest_application_version(old)
    assert made.version_name == old and made.version_timestamp > ahead
    latest = client.get_latest_application_version(application_name=application)
    assert latest is not None and latest.version_name == old
    again = client.set_latest_application_version(new)
    assert again.version_timestamp > made.version_timestamp
    rows.run("DELETE FROM dbos.application_versions WHERE application_name = %s", application)


def test_a_version_that_nobody_has_registered(client: DBOSClient, application: str) -> None:
    with pytest.raises(NoSuchVersion, match=r"the version 'v9' here: .*`durably version list` shows"):
        client.set_latest_application_version("v9")
    with pytest.raises(NoSuchVersion, match="'v9'"):
        client.move_workflows([], "v9")
    with pytest.raises(InvalidOption, match="version_name='': it must not be empty"):
        client.set_latest_application_version("")
    with pytest.raises(InvalidOption, match="workflows='w': pass a list of texts"):
        client.move_workflows("w", "v9")


def test_workflows_that_wait_are_moved(
    client: DBOSClient, register: Register, application: str, new_id: NewId, rows: Rows
) -> None:
    """Queued and delayed ones; a delay stays as it is."""
    version, name = register(application, 1000), new_id("name")
    options: list[dict[str, Any]] = [{"app_version": "old"}, {"delay": 3600}, {}, {}]
    ids = [
        client.enqueue(EnqueueOptions(workflow_name=name, queue_name="q", **each)).workflow_id
        for each in options
    ]
    rows.become(ids[2], "PENDING", application_version="old", owner_xid="o")
    rows.become(ids[3], "SUCCESS")
    assert client.move_workflows(WorkflowFilter(name=name), version) == sorted(ids[:2])
    found = [rows.workflow(each) for each in ids]
    assert [row["application_version"] for row in found] == [version, version, "old", None]
    assert [row["status"] for row in found] == ["ENQUEUED", "DELAYED", "PENDING", "SUCCESS"]
    assert found[1]["delay_until_epoch_ms"] > found[1]["created_at"] + 3_000_000
    assert client.move_workflows(ids, None) == sorted(ids[:2])
    assert rows.workflow(ids[0])["application_version"] is None


def test_a_workflow_for_a_version_that_nobody_runs_is_explained(
    client: DBOSClient, register: Register, application: str, new_id: NewId, rows: Rows
) -> None:
    rows.run("INSERT INTO dbos.queues (queue_id, name) VALUES ('served', 'served') ON CONFLICT DO NOTHING")

    def explained(**options: Any) -> str | None:
        given: EnqueueOptions[..., None] = EnqueueOptions(
            workflow_name="w",
            queue_name="served",
            application_name=application,
            **options,
        )
        handle = client.enqueue(given)
        return client.get_workflow(handle.workflow_id).explanation

    unknown = explained(app_version="v9")
    assert unknown is not None
    assert "for workers of version 'v9', and none has ever started on this database" in unknown
    assert "start a worker of that version, or move it: move_workflows(['" in unknown
    version = register(application, 1000)
    assert explained(app_version=version) is None  # DBOS's workers have no lease: who knows
    lease = "INSERT INTO durably.executors (executor_id, application_name, application_version, host, "
    lease += "expires_at, lease_seconds) VALUES (%s, %s, %s, 'h', now() + %s::interval, 15)"
    rows.run(lease, "gone", application, version, "-1 minute")
    gone = explained(app_version=version)
    assert gone is not None and f"for workers of version {version!r}, and none runs at the moment" in gone
    latest = explained()
    assert latest is not None and f"for workers of the latest one, {version!r}, and none runs" in latest
    rows.run(lease, "alive", application, version, "1 minute")
    assert explained(app_version=version) is None
    assert explained() is None
    rows.run("DELETE FROM durably.executors")


def test_a_database_without_the_extension_schema_has_no_stranded_workflows(
    system_url: str, client: DBOSClient, rows: Rows
) -> None:
    rows.run("ALTER SCHEMA durably RENAME TO hidden")
    try:
        with DBOSClient.create(system_database_url=system_url) as bare:
            assert bare.list_stranded() == []
            wid = bare.enqueue(
                EnqueueOptions(workflow_name="w", queue_name="q", app_version="v9")
            ).workflow_id
            assert bare.get_workflow(wid).status == "ENQUEUED"
    finally:
        rows.run("ALTER SCHEMA hidden RENAME TO durably")
    assert client.list_stranded() == []
