"""Workflows with a `retry`: what becomes of a run whose code failed.

failed --worth it, attempts left--> TryAgain (one transaction) --> DELAYED --> the same id, once more
       \\-> its error, or WorkflowRetriesExhausted, is the outcome
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from durably.core.records import TryAgain
from durably.core.retry import pause, worth_retrying
from durably.errors import WorkflowRetriesExhausted

if TYPE_CHECKING:
    from durably.codec import Codec
    from durably.engine.run import Run

__all__ = ["after_failure"]

logger = logging.getLogger(__name__)


def after_failure(run: Run, codec: Codec, error: BaseException) -> TryAgain | BaseException:
    """What has the run tried again; or the error that it ends with."""
    retry, attempt = run.definition.retry, run.claimed.failed_attempts + 1
    if retry is None or not run.called:
        return error
    try:
        if not worth_retrying(retry, error):
            return error
    except Exception as broken:  # the user's predicate
        broken.__cause__ = error
        return broken
    if attempt >= retry.attempts:
        return _exhausted(run, attempt, error)
    seconds = pause(retry, attempt, error, run.resources.world.random)
    logger.warning(
        "workflow %s failed (attempt %d of %d), and is tried again in %.3g s: %s: %s",
        *(run.workflow_id, attempt, retry.attempts, seconds, type(error).__name__, error),
    )
    return TryAgain(
        workflow_id=run.workflow_id, owner=run.owner, error=codec.encode_error(error), seconds=seconds
    )


def _exhausted(run: Run, attempt: int, error: BaseException) -> WorkflowRetriesExhausted:
    exhausted = WorkflowRetriesExhausted(
        run.workflow_id,
        f"workflow {run.definition.name!r} failed {attempt} times; the last time: "
        f"{type(error).__name__}: {error}",
        attempts=attempt,
    )
    exhausted.__cause__ = error
    return exhausted
