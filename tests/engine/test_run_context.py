"""For whom a workflow runs, its attributes and its deadline: readable inside, and handed on to children."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from durably import EnqueueOptions, WorkflowFilter, aio, sync
from durably.app import App
from durably.errors import InvalidOption, NotAuthorized, WorkflowFailed, WrongContext
from durably.types import WorkflowContext
from tests.engine.support import rows

RIGHTS = "SELECT authenticated_user, assumed_role, authenticated_roles FROM dbos.workflow_status "
DEADLINES = "SELECT workflow_timeout_ms, workflow_deadline_epoch_ms FROM dbos.workflow_status "


async def test_what_the_code_knows_of_its_run(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    queue, seen = app.queue("q"), list[WorkflowContext]()

    @app.workflow(name="w")
    async def workflow() -> None:
        seen.append(aio.context())

    async with app:
        handle = await app.client.enqueue(
            EnqueueOptions(
                workflow_name="w",
                queue_name="q",
                workflow_id="w",
                timeout=60,
                authenticated_user="alice",
                authenticated_roles=["buyer", "admin"],
                assumed_role="buyer",
                attributes={"tenant": 7},
            )
        )
        await handle.get_result()
        await queue.enqueue(workflow)
        await workflow.options(workflow_id="direct", authenticated_user="bob")()
    enqueued = seen[0]
    assert enqueued.deadline is not None and 50 < (enqueued.deadline - datetime.now(UTC)).total_seconds() < 61
    assert replace(enqueued, deadline=None) == WorkflowContext(
        workflow_id="w",
        name="w",
        queue_name="q",
        authenticated_user="alice",
        authenticated_roles=("buyer", "admin"),
        assumed_role="buyer",
        attributes={"tenant": 7},
        app_version="a@stable",
    )
    [direct] = [context for context in seen if context.workflow_id == "direct"]
    assert direct == WorkflowContext(
        workflow_id="direct", name="w", authenticated_user="bob", app_version="a@stable"
    )
    with pytest.raises(WrongContext, match="inside a workflow only"):
        aio.context()


async def test_children_run_for_whom_their_parent_runs(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    app.queue("q")

    @app.workflow(name="child")
    async def child() -> tuple[Any, ...]:
        here = aio.context()
        return here.authenticated_user, here.authenticated_roles, here.assumed_role, dict(here.attributes)

    @app.workflow(name="parent")
    async def parent() -> list[Any]:
        enqueued = await child.options(queue_name="q").start()
        return [
            await child(),
            await enqueued.get_result(),
            await child.options(authenticated_user="bob", attributes={"tenant": 8})(),
            await child.options(authenticated_user=None, attributes=None)(),
        ]

    async with app:
        seen = await parent.options(
            authenticated_user="alice",
            authenticated_roles=["buyer"],
            assumed_role="buyer",
            attributes={"tenant": 7},
        )()
        of_tenant = await app.client.list_workflows(WorkflowFilter(attributes={"tenant": 7}))
    alice = ["alice", ["buyer"], "buyer", {"tenant": 7}]
    assert seen == [alice, alice, ["bob", [], None, {"tenant": 8}], [None, [], None, {}]]
    assert len(of_tenant) == 3


async def test_a_childs_deadline_is_its_parents_unless_it_has_a_timeout_of_its_own(database_url: str) -> None:
    """`timeout=None` lets it run without one."""
    app = App("a", system_database_url=database_url)
    app.queue("q")

    @app.workflow(name="child")
    async def child() -> None: ...

    @app.workflow(name="parent")
    async def parent() -> None:
        for queue_name in (None, "q"):
            timeouts: list[dict[str, Any]] = [{}, {"timeout": 30}, {"timeout": None}]
            for number, options in enumerate(timeouts):
                options |= {"workflow_id": f"{queue_name or 'now'}-{number}", "queue_name": queue_name}
                await (await child.options(**options).start()).get_result()

    async with app:
        await parent.options(workflow_id="p", timeout=600)()
    [[_, whole]] = rows(database_url, DEADLINES + "WHERE workflow_uuid = 'p'")
    for queue in ("now", "q"):
        inherited, own, none = rows(
            database_url, DEADLINES + "WHERE workflow_uuid LIKE %s ORDER BY workflow_uuid", f"{queue}-%"
        )
        assert inherited == (None, whole)
        assert own[0] == 30_000 and own[1] < whole - 500_000
        assert none == (None, None)


def test_blocking_workflows_have_a_context_too(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.step(name="step")
    def step() -> str | None:
        return sync.context().authenticated_user

    @app.workflow(name="child")
    def child() -> list[str | None]:
        return [sync.context().authenticated_user, step()]

    @app.workflow(name="parent")
    def parent() -> list[str | None]:
        return child()

    with app:
        assert parent.options(authenticated_user="alice")() == ["alice", "alice"]


async def test_a_workflow_that_needs_a_role(database_url: str) -> None:
    """It is refused before anything is written; enqueued from outside it fails, and says why."""
    app = App("a", system_database_url=database_url)
    app.queue("q")

    @app.workflow(name="refund", required_roles=["clerk", "admin"])
    async def refund() -> str | None:
        return aio.context().assumed_role

    @app.workflow(name="parent")
    async def parent() -> str | None:
        return await refund()

    options: EnqueueOptions[..., Any] = EnqueueOptions(workflow_name="refund", queue_name="q")
    async with app:
        allowed = refund.options(workflow_id="r", authenticated_user="alice", authenticated_roles=["admin"])
        assert await allowed() == "admin"
        assert rows(database_url, RIGHTS) == [("alice", "admin", '["admin"]')]
        for refused in (refund, refund.options(authenticated_roles=["buyer"])):
            with pytest.raises(NotAuthorized, match="'refund' needs one of the roles clerk, admin; it"):
                await refused()
        assert len(rows(database_url, RIGHTS)) == 1
        assert await parent.options(authenticated_roles=["clerk"])() == "clerk"
        with pytest.raises((NotAuthorized, WorkflowFailed), match="needs one of the roles clerk, admin"):
            await (await app.client.enqueue(options)).get_result()
        by_role = replace(options, authenticated_roles=["admin"])
        assert await (await app.client.enqueue(by_role)).get_result() == "admin"


async def test_options_that_cannot_be(database_url: str) -> None:
    app = App("a", system_database_url=database_url)

    @app.workflow(name="w")
    async def workflow() -> None: ...

    async with app:
        for option, value, hint in (
            ("authenticated_roles", "admin", "pass a list of texts"),
            ("attributes", ["tenant"], "it must be a JSON object"),
            ("assumed_role", "", "it must not be empty"),
            ("app_version", "v2", "it needs a queue"),
        ):
            with pytest.raises(InvalidOption, match=f"{option}=.*{hint}"):
                await workflow.options(**{option: value})()
    assert rows(database_url, RIGHTS) == []
    with pytest.raises(InvalidOption, match="required_roles='admin': pass a list of texts"):
        app.workflow(required_roles="admin")
