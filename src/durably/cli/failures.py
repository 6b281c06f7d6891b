"""What a failure tells the shell and the person: an exit code, and a line or two on stderr."""

from __future__ import annotations

import sys
import traceback
from typing import NoReturn

import typer

from durably import errors
from durably.cli.text import printable

__all__ = ["EXIT_CODES", "DemoFailed", "NoEvent", "UsageError", "WorkflowEnded", "exit_code", "give_up"]

WORKFLOW_FAILED = 1
USAGE = 2
NO_SUCH_WORKFLOW = 3
NO_DATABASE = 4
TIMEOUT = 5
BUG = 70
INTERRUPTED = 130

EXIT_CODES = {
    0: "done",
    WORKFLOW_FAILED: "the workflow failed, doctor found something wrong, or a claim of the demo did not hold",
    USAGE: "an option, an argument or a request that cannot work",
    NO_SUCH_WORKFLOW: "no such workflow, step, version, queue, schedule, account or token",
    NO_DATABASE: "database unreachable, or not a system database",
    TIMEOUT: "the wait was over first",
    BUG: "a bug of durably",
    INTERRUPTED: "interrupted",
}


class UsageError(errors.ConfigurationError):
    """The command cannot work as it was given."""


class WorkflowEnded(errors.WorkflowError):
    """The awaited workflow has ended without a result."""


class NoEvent(errors.WorkflowError, TimeoutError):
    """The wait for an event was over before it was published."""


class DemoFailed(errors.DurablyError):
    """The demo claims something that is not so."""


ACCESS = (errors.NoSuchAccount, errors.NoSuchToken)

_KINDS: list[tuple[type[BaseException] | tuple[type[BaseException], ...], int]] = [
    (
        (
            errors.NoSuchWorkflow,
            errors.NoSuchVersion,
            errors.NoSuchQueue,
            errors.NoSuchSchedule,
            errors.NoSuchStep,
            *ACCESS,
        ),
        NO_SUCH_WORKFLOW,
    ),
    ((errors.DatabaseError, errors.EmbeddedUnavailable), NO_DATABASE),
    ((errors.WorkflowTimeout, errors.StreamTimeout, errors.NoReply, NoEvent), TIMEOUT),
    ((WorkflowEnded, DemoFailed), WORKFLOW_FAILED),
    ((errors.WorkflowIdInUse, errors.WorkflowConflict, errors.Deduplicated), USAGE),
    ((errors.ConfigurationError, errors.CodecError), USAGE),
    (errors.WorkflowError, WORKFLOW_FAILED),
    (KeyboardInterrupt, INTERRUPTED),
]


def exit_code(error: BaseException) -> int:
    """The exit code that stands for an error."""
    return next((code for kind, code in _KINDS if isinstance(error, kind)), BUG)


def give_up(error: BaseException, *, debug: bool) -> NoReturn:
    """Say what happened and what to do, and end with the code for it."""
    if debug:
        traceback.print_exception(error)
    code = exit_code(error)
    print(_lines(error, code), file=sys.stderr)
    raise typer.Exit(code)


def _lines(error: BaseException, code: int) -> str:
    if code == INTERRUPTED:
        return "durably: interrupted"
    if code == BUG:
        what = f"{type(error).__name__}: {error}"
        return f"durably: {printable(what)}\nThis is a bug of durably: --debug shows where it happened."
    said = str(error).replace("\t", " ")
    return f"durably: {printable(said, newlines=True)}"
