"""Log records that say which workflow and step they are of, and are not repeated by a replay.

    app.logger.info("seats are held")                        # the application's own logger does it

    handler = logging.StreamHandler()                        # a handler does it for every logger
    handler.addFilter(WorkflowFilter())
    handler.setFormatter(logging.Formatter("%(levelname)s %(workflow_id)s/%(step_id)s %(message)s"))

A workflow that goes on after a crash runs its code from the beginning: what it logs before the last recorded
operation was logged by a former attempt. Steps are not run again, so what they log is always new.
"""

from __future__ import annotations

import logging

from durably.concurrency import trace
from durably.engine.context import Frame, current_frame

__all__ = ["WorkflowFilter", "workflow_logger"]

OURS = "durably"  # what the engine itself says is never a repetition


class WorkflowFilter(logging.Filter):
    """Gives records `workflow_id`, `workflow_name`, `step_id`, `attempt`, `trace_id`, and drops repetitions.

    Outside of workflows and steps the fields are empty. With `replays=True` repetitions are kept, and told
    by `replaying`.

        logging.getLogger("tickets").addFilter(WorkflowFilter())
    """

    def __init__(self, *, replays: bool = False) -> None:
        super().__init__()
        self._replays = replays

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is new; its fields are set."""
        here = current_frame()
        record.workflow_id = here.run.workflow_id if here else ""
        record.workflow_name = here.run.definition.name if here else ""
        record.step_id = here.step or "" if here else ""
        record.attempt = here.run.claimed.recovery_attempts if here else ""
        record.trace_id = _trace_id()
        record.replaying = repetition = here is not None and _is_repetition(here)
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        return ours or self._replays or not repetition


def workflow_logger(name: str) -> logging.Logger:
    """The logger of that name, with a WorkflowFilter."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, WorkflowFilter) for each in logger.filters):
        logger.addFilter(WorkflowFilter())
    return logger


def _is_repetition(here: Frame) -> bool:
    return not here.step and here.run.ledger.replaying


def _trace_id() -> str:
    carrier = trace.current()
    return carrier["traceparent"].split("-")[1] if carrier else ""
