"""Why a workflow waits that nobody can run as things are, and what to do about it."""

from __future__ import annotations

from typing import Any, TypeAlias

from durably.core.explain import paused
from durably.core.names import STRANDED_UNTIL_MS

__all__ = ["explanation", "is_stranded", "stranded"]

Row: TypeAlias = dict[str, Any]

FIELDS = ("workflow_id", "name", "class_name", "queue_name", "app_version", "application_name")
NOTED = ("function_id", "asked", "recorded", "code", "code_changed", "stranded_at")


def explanation(row: Row) -> str | None:
    """Of a row of workflows/get; `pause`, `note` and `served` are what is known besides, if anything is."""
    if "pause" in row:
        pause = row["pause"]
        return paused(pause.get("paused_by"), pause.get("paused_at"), pause.get("reason"))
    note, served = row.get("note"), row.get("served")
    if note and is_stranded(row, note):
        return _stranded(row["workflow_id"], note)
    if row.get("queue_is_unknown", False):
        return (
            f"no application has registered the queue {row['queue_name']!r} in this database: the workflow "
            "waits until one does; if the name is wrong, cancel it and enqueue it again"
        )
    if served and row["status"] == "ENQUEUED":
        return _unserved(row, served)
    return None


def is_stranded(row: Row, note: Row) -> bool:
    """Whether the note is still true; a workflow that was resumed or ended keeps it for a while."""
    if row["status"] == "ENQUEUED":
        return bool(note["is_released"])  # it waits for code that has not met it
    return bool(row["status"] == "DELAYED" and row["delay_until_epoch_ms"] == STRANDED_UNTIL_MS)


def stranded(row: Row, note: Row) -> Row:
    """The fields of a StrandedWorkflow."""
    return {
        **{field: row[field] for field in FIELDS},
        **{field: note[field] for field in NOTED},
        "explanation": _stranded(row["workflow_id"], note),
    }


def _stranded(workflow_id: str, note: Row) -> str:
    why = (
        f"the code has changed since it began (it is {note['code']} now)"
        if note["code_changed"]
        else f"the very code that began it ({note['code']}) asks for something else now: it depends on "
        "what no step recorded (time, randomness, the environment, the order of a set)"
    )
    return (
        f"stranded: {note['difference']}\n\n{_table(note)}\n\n"
        f"{why}. It goes on by itself when a process runs whose code fits. Or go on by hand: move_workflows "
        f"to a version that fits, fork_workflow from operation {note['function_id']} on, or cancel_workflow"
    )


def _table(note: Row) -> str:
    """What is recorded beside what was asked for."""
    lines = [("operation", "recorded", "the code asks for")]
    lines.append((str(note["function_id"]), note["recorded"], note["asked"]))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _unserved(row: Row, served: Row) -> str | None:
    version = served["version_name"]
    how = f"start a worker of that version, or move it: move_workflows([{row['workflow_id']!r}], ...)"
    whose = (
        f"the workflow is for workers of version {version!r}"
        if row["app_version"]
        else f"the workflow is for no version, so for workers of the latest one, {version!r}"
    )
    if not served["is_registered"]:
        return f"{whose}, and none has ever started on this database: {how}"
    if served["is_ours"] and not served["is_served"]:
        return f"{whose}, and none runs at the moment: {how}"
    return None
