"""Where the calling code is, and for whom it runs."""

from __future__ import annotations

from durably.client import AsyncDBOSClient
from durably.engine.context import current_frame, current_run
from durably.types import WorkflowContext

__all__ = ["cancel_requested", "client", "context", "step_id", "workflow_id"]


def workflow_id() -> str:
    """The id of the workflow that is calling.

    aio.workflow_id()  # 'order-17'
    """
    return current_run().workflow_id


def context() -> WorkflowContext:
    """What is known of the workflow that is calling: for whom it runs, its attributes, its deadline.

    aio.context().authenticated_user  # 'alice'
    """
    return current_run().context


def step_id() -> int | None:
    """The number of the step whose body is calling, None in the workflow's own code.

    aio.step_id()  # 3
    """
    here = current_frame()
    return here.step if here is not None and here.step else None


def cancel_requested() -> bool:
    """Whether the calling code should end: its workflow was cancelled or goes on elsewhere, or time is up.

    For blocking steps, which nothing can interrupt.

        while not sync.cancel_requested(): ...
    """
    here = current_frame()
    return here is not None and here.cancel_requested


def client() -> AsyncDBOSClient:
    """The application's own client, for what a workflow does to other workflows, or wants to know of them.

    In a workflow each such call (cancel, resume, fork, rewind, pause, delete, status, lists, steps, ..., also
    on the handles that it gives) is an operation: done, then recorded. In a step nothing of it is recorded.

        await aio.client().cancel_workflow("order-17", cancel_children=True)
        status = await aio.client().retrieve_workflow("order-17").get_status()
    """
    found: AsyncDBOSClient = current_run().resources.client()
    return found
