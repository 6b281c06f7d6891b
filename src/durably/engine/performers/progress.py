"""Heartbeats of long steps: that they are alive, and how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durably.core import ops
from durably.core.records import Progress
from durably.engine.context import current_frame
from durably.engine.patience import until_answered
from durably.engine.performers.kinds import InsideStep, Performers

if TYPE_CHECKING:
    from durably.engine.run import Run

__all__ = ["INSIDE_STEP", "PERFORMERS"]


async def _heartbeat(run: Run, step: int, operation: ops.Heartbeat) -> None:
    run.refuse_interrupted()
    here = current_frame()
    if here is not None and here.attempt is not None:
        here.attempt.beat()
    if operation.progress is None:
        return
    codec = run.resources.codecs.default
    run.beats[step] = run.beats.get(step, 0) + 1
    await run.record(
        Progress(
            workflow_id=run.workflow_id,
            owner=run.owner,
            function_id=step,
            beat=run.beats[step],
            progress=codec.encode(operation.progress, subject="progress"),
            serialization=codec.name,
        )
    )


async def _saved(run: Run, step: int, operation: ops.SavedProgress[Any]) -> Any:
    resources = run.resources
    found = await until_answered(
        resources.world, "saved progress", lambda: resources.progress(run.workflow_id, step)
    )
    if found is None:
        return None
    run.beats.setdefault(step, 0)  # there is something to forget with the outcome
    text, serialization = found
    return resources.codecs.decode(text, serialization, operation.type_)


PERFORMERS: Performers = {}
INSIDE_STEP: InsideStep = {ops.Heartbeat: _heartbeat, ops.SavedProgress: _saved}
