"""Every error that durably raises on purpose, in one tree.

DurablyError
+-- ConfigurationError          an option or a URL that cannot work; nothing was written
|   +-- InvalidOption           which option, which value, what to do
|   +-- QueueOwned              the queue is another application's
|   +-- ScheduleExists          there is a schedule of this name, perhaps another application's
|   +-- AccountExists           the console has an account of this name already
+-- DatabaseError
|   +-- DatabaseUnavailable     no server, no route, refused login, silence
|   +-- NotASystemDatabase      reachable, but DBOS's tables are not in it
|   +-- SchemaTooOld            a generation that must be migrated first
|   +-- SchemaTooNew            a generation that this release does not know
+-- CodecError
|   +-- EncodeError             a value that cannot be stored, with the path inside it
|   +-- DecodeError             a stored text that cannot be read here
+-- WorkflowError
|   +-- NoSuchWorkflow
|   +-- NoSuchStep              it has recorded no such operation to begin from
|   +-- WrongStatus             its status does not allow it
|   +-- WorkflowConflict        the id is in use by another workflow
|   +-- WorkflowIdInUse         the id is in use and the policy says reject
|   +-- Deduplicated            the deduplication id is held on that queue
|   +-- WorkflowRetriesExhausted    every attempt that its `retry` gave it failed
|   +-- WorkflowFailed          the workflow ended with an error that has no class here
|   +-- WorkflowCancelled       the awaited workflow is cancelled
|   +-- RecoveryAttemptsExceeded
|   +-- WorkflowTimeout         the wait was over before the workflow was
|   +-- NoReply                 a question was not answered in time, or its workflow ended
|   +-- StreamTimeout           no value came in time
|   |   +-- StreamEnded         the stream ended before the offset that was asked for
|   +-- NonDeterminism          the code asks for another operation than was recorded
+-- StepError
|   +-- StepRetriesExhausted
|   +-- StepTimeout
|   |   +-- StepHeartbeatTimeout    it was silent for too long
|   +-- RetryAfter              raised by a step's own code: try again, so long from now
+-- NotAuthorized               the workflow needs a role that its caller has not
+-- NoSuchQueue                 no queue of this name is registered
+-- NoSuchSchedule              there is no schedule of this name
+-- NoSuchVersion               no application has registered a version of this name
+-- NoSuchAccount               the console has no account of this name
+-- NoSuchToken                 there is no token of this id
+-- WrongContext                a call that only works (or never works) inside a workflow
+-- NotRunning                  the application or the client is closed, or not started
+-- EmbeddedUnavailable         no embedded PostgreSQL for this platform, or it does not start

ArgumentsIgnored(UserWarning)   the id is in use by a workflow with other arguments; the call got that one
RunInterrupted(BaseException)   stops a run from inside; not for user code to catch
ContinueAsNew(BaseException)    ends a generation of an endless workflow; not for user code to catch
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

__all__ = [
    "AccountExists",
    "ArgumentsIgnored",
    "CodecError",
    "ConfigurationError",
    "ContinueAsNew",
    "DatabaseError",
    "DatabaseUnavailable",
    "DecodeError",
    "Deduplicated",
    "DurablyError",
    "EmbeddedUnavailable",
    "EncodeError",
    "InvalidOption",
    "NoReply",
    "NoSuchAccount",
    "NoSuchQueue",
    "NoSuchSchedule",
    "NoSuchStep",
    "NoSuchToken",
    "NoSuchVersion",
    "NoSuchWorkflow",
    "NonDeterminism",
    "NotASystemDatabase",
    "NotAuthorized",
    "NotRunning",
    "QueueOwned",
    "RecoveryAttemptsExceeded",
    "RetryAfter",
    "RunInterrupted",
    "ScheduleExists",
    "SchemaTooNew",
    "SchemaTooOld",
    "StepError",
    "StepHeartbeatTimeout",
    "StepRetriesExhausted",
    "StepTimeout",
    "StreamEnded",
    "StreamTimeout",
    "WorkflowCancelled",
    "WorkflowConflict",
    "WorkflowError",
    "WorkflowFailed",
    "WorkflowIdInUse",
    "WorkflowRetriesExhausted",
    "WorkflowTimeout",
    "WrongContext",
    "WrongStatus",
]


class DurablyError(Exception):
    """Something went wrong in durably."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])


class ConfigurationError(DurablyError):
    """The configuration cannot work."""


class InvalidOption(ConfigurationError, ValueError):
    """An option has a value that it cannot have."""

    def __init__(self, option: str, value: object, hint: str) -> None:
        shown = repr(value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        super().__init__(f"{option}={shown}: {hint}")
        self.option = option
        self.value = value
        self.hint = hint


class QueueOwned(ConfigurationError):
    """The queue belongs to another application."""

    def __init__(self, queue_name: str, *, owner: str | None, application_name: str | None) -> None:
        super().__init__(
            f"queue {queue_name!r} belongs to application {owner!r}, not to {application_name!r}: choose "
            f"another name, or change it as {owner!r} (application_name)"
        )
        self.queue_name = queue_name
        self.owner = owner


class NoSuchQueue(DurablyError):
    """No queue of this name is registered."""

    def __init__(self, queue_name: str) -> None:
        super().__init__(
            f"no queue {queue_name!r} is registered: its application registers it at launch (app.queue), or "
            "you do (client.register_queue); work that is enqueued to it waits until then"
        )
        self.queue_name = queue_name


class ScheduleExists(ConfigurationError):
    """There is a schedule of this name already."""

    def __init__(self, schedule_name: str, *, owner: str | None, application_name: str | None) -> None:
        what = f"schedule {schedule_name!r} exists already"
        hint = "use apply_schedules to change it, or delete_schedule first"
        if owner not in (None, application_name):
            what = f"schedule {schedule_name!r} belongs to application {owner!r}, not to {application_name!r}"
            hint = "schedule names are unique in a database: choose another one"
        super().__init__(f"{what}: {hint}")
        self.schedule_name = schedule_name
        self.owner = owner


class NoSuchSchedule(DurablyError, LookupError):
    """There is no schedule of this name."""

    def __init__(self, schedule_name: str) -> None:
        super().__init__(
            f"there is no schedule {schedule_name!r}: create it (client.create_schedule, app.schedule), or "
            "see which there are (client.list_schedules, durably schedule list)"
        )
        self.schedule_name = schedule_name


class DatabaseError(DurablyError):
    """The database cannot be used."""


class DatabaseUnavailable(DatabaseError, ConnectionError):
    """The database cannot be reached."""


class NotASystemDatabase(DatabaseError):
    """The database has no DBOS tables."""


class SchemaTooOld(DatabaseError):
    """The system database is of an older generation."""

    def __init__(self, message: str, *, found: int, needed: int) -> None:
        super().__init__(message)
        self.found = found
        self.needed = needed


class SchemaTooNew(DatabaseError):
    """The system database is of a newer generation than this release knows."""

    def __init__(self, message: str, *, found: int, known: int) -> None:
        super().__init__(message)
        self.found = found
        self.known = known


class CodecError(DurablyError):
    """A value cannot be turned into text or back."""


class EncodeError(CodecError, TypeError):
    """A value cannot be stored.

    `path` is where inside the value, `type_name` what stands there, `hint` what to do instead.
    """

    def __init__(self, path: str, type_name: str, hint: str, *, subject: str = "value") -> None:
        where = f"{subject}{path}" if path else subject
        super().__init__(f"{where} cannot be stored: {type_name}; {hint}")
        self.path = path
        self.type_name = type_name
        self.hint = hint
        self.subject = subject


class DecodeError(CodecError, ValueError):
    """A stored text cannot be read here."""

    def __init__(self, message: str, *, serialization: str | None = None) -> None:
        super().__init__(message)
        self.serialization = serialization


class WorkflowError(DurablyError):
    """Something is wrong with one workflow."""

    def __init__(self, workflow_id: str, message: str) -> None:
        super().__init__(message)
        self.workflow_id = workflow_id


class NoSuchWorkflow(WorkflowError, LookupError):
    """No workflow has this id."""

    def __init__(self, workflow_id: str, message: str | None = None) -> None:
        super().__init__(workflow_id, message or f"no workflow has the id {workflow_id!r}")


class NoSuchStep(WorkflowError, LookupError):
    """The workflow has recorded no such operation, so nothing can begin from there; nothing was written."""

    def __init__(self, workflow_id: str, start_step: int, *, first: int, last: int | None) -> None:
        known = "it has recorded none"
        if last is not None:
            known = f"it has recorded {first} to {last}, and with start_step={last + 1} all of it is kept"
        super().__init__(
            workflow_id,
            f"workflow {workflow_id!r} has no operation {start_step} to begin from: {known}; without "
            "start_step it begins from the beginning",
        )
        self.start_step = start_step
        self.first = first
        self.last = last


class WrongStatus(WorkflowError):
    """The workflow's status does not allow what was asked for; nothing was written."""

    def __init__(self, workflow_id: str, *, action: str, status: str, hint: str) -> None:
        super().__init__(workflow_id, f"workflow {workflow_id!r} cannot be {action}: it is {status}; {hint}")
        self.action = action
        self.status = status
        self.hint = hint


class WorkflowConflict(WorkflowError):
    """The id belongs to another workflow; nothing was written."""

    def __init__(self, workflow_id: str, *, what: str, found: str | None, given: str | None) -> None:
        super().__init__(
            workflow_id,
            f"workflow id {workflow_id!r} is in use by a workflow with {what} {found!r}, not {given!r}; "
            "nothing was written: choose another id, or call the workflow that owns it",
        )
        self.what = what
        self.found = found
        self.given = given


class ArgumentsIgnored(UserWarning):
    """The id is in use by a workflow with other arguments: those of this call were ignored.

    A warning, since a workflow that is asked for again is the same one; `warnings.filterwarnings("error",
    category=ArgumentsIgnored)` makes it an error.
    """

    def __init__(self, workflow_id: str, *, name: str | None) -> None:
        super().__init__(
            f"workflow id {workflow_id!r} is in use by {name!r} with other arguments: those of this call "
            "were ignored, and its handle is of the workflow that exists; choose another id, or say "
            "workflow_id_reuse_policy='reject' (an error) or 'return-existing' (no warning)"
        )
        self.workflow_id = workflow_id
        self.name = name


class WorkflowIdInUse(WorkflowError):
    """The id is in use and workflow_id_reuse_policy is 'reject'."""

    def __init__(self, workflow_id: str, *, name: str | None, status: str | None) -> None:
        super().__init__(
            workflow_id, f"workflow id {workflow_id!r} is already in use by {name!r}, which is {status}"
        )
        self.name = name
        self.status = status


class Deduplicated(WorkflowError):
    """Another workflow holds the deduplication id on this queue."""

    def __init__(self, workflow_id: str, *, queue_name: str | None, deduplication_id: str | None) -> None:
        super().__init__(
            workflow_id,
            f"workflow {workflow_id!r} was not enqueued: deduplication id {deduplication_id!r} is held by "
            f"another workflow on queue {queue_name!r}; duplication_policy='return-existing' gives that one",
        )
        self.queue_name = queue_name
        self.deduplication_id = deduplication_id


class WorkflowFailed(WorkflowError):
    """The workflow ended with an error.

    `name`, `message`, `code` and `data` are what the workflow's own process recorded.
    """

    def __init__(
        self,
        workflow_id: str,
        message: str,
        *,
        name: str = "Error",
        code: int | str | None = None,
        data: Any = None,
    ) -> None:
        super().__init__(workflow_id, f"{name}: {message}")
        self.name = name
        self.message = message
        self.code = code
        self.data = data


class WorkflowCancelled(WorkflowError):
    """The workflow was cancelled."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(workflow_id, f"workflow {workflow_id!r} was cancelled")


class RecoveryAttemptsExceeded(WorkflowError):
    """The workflow was set aside after too many attempts."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            workflow_id,
            f"workflow {workflow_id!r} was set aside after too many attempts; "
            "find what ends its process, then resume it",
        )


class WorkflowTimeout(WorkflowError, TimeoutError):
    """The wait was over before the workflow was; the workflow goes on."""

    def __init__(self, workflow_id: str, seconds: float) -> None:
        super().__init__(
            workflow_id, f"workflow {workflow_id!r} did not end within {seconds:g} s; it goes on"
        )
        self.seconds = seconds


class NoReply(WorkflowError, TimeoutError):
    """A workflow was asked, and its reply did not come in time, or it ended without one."""

    def __init__(self, workflow_id: str, timeout: float, *, ended: bool = False, message: str = "") -> None:
        why = "ended without answering" if ended else f"did not answer within {timeout:g} s"
        super().__init__(workflow_id, message or f"workflow {workflow_id!r} was asked and {why}")
        self.timeout = timeout
        self.ended = ended


class StreamTimeout(WorkflowError, TimeoutError):
    """No value came on the stream in time; the workflow goes on, and so may a reader."""

    def __init__(self, workflow_id: str, key: str, timeout: float, message: str | None = None) -> None:
        super().__init__(
            workflow_id,
            message or f"no value came on stream {key!r} of workflow {workflow_id!r} within {timeout:g} s",
        )
        self.key = key
        self.timeout = timeout


class StreamEnded(StreamTimeout):
    """The stream ended before the offset that was asked for."""

    def __init__(self, workflow_id: str, key: str, offset: int) -> None:
        super().__init__(
            workflow_id,
            key,
            0.0,
            f"stream {key!r} of workflow {workflow_id!r} ended before offset {offset}: it was closed, or its "
            "workflow ended",
        )
        self.offset = offset


class NonDeterminism(WorkflowError):
    """The code asks for another operation than the one that was recorded."""

    def __init__(self, workflow_id: str, function_id: int, *, asked: str, recorded: str) -> None:
        super().__init__(
            workflow_id,
            f"workflow {workflow_id!r}, operation {function_id}: the code asks for {asked!r}, but "
            f"{recorded!r} is recorded there; the code changed since, or depends on something unrecorded "
            "(time, randomness, the environment); workflows that began before a change end on the code that "
            "they began with: give each code its own App(version=...)",
        )
        self.function_id = function_id
        self.asked = asked
        self.recorded = recorded


class WorkflowRetriesExhausted(WorkflowError):
    """Every attempt that the workflow's `retry` gave it failed; the last error is the cause."""

    def __init__(self, workflow_id: str, message: str, *, attempts: int = 0) -> None:
        super().__init__(workflow_id, message)
        self.attempts = attempts


class StepError(DurablyError):
    """A step could not be completed."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


class StepRetriesExhausted(StepError):
    """Every attempt of the step failed; the last error is the cause."""

    def __init__(self, step: str, message: str, *, attempts: int = 0) -> None:
        super().__init__(step, message)
        self.attempts = attempts


class StepTimeout(StepError, TimeoutError):
    """An attempt of the step took longer than its timeout."""

    def __init__(self, step: str, seconds: float) -> None:
        super().__init__(step, f"step {step!r} did not end within {seconds:g} s")
        self.seconds = seconds


class StepHeartbeatTimeout(StepTimeout):
    """An attempt of the step sent no heartbeat for longer than its `heartbeat_timeout`."""

    def __init__(self, step: str, seconds: float) -> None:
        StepError.__init__(self, step, f"step {step!r} sent no heartbeat for {seconds:g} s")
        self.seconds = seconds


class RetryAfter(StepError):
    """Raised in a step, or in a workflow that has a `retry`: try again, `seconds` (or `timedelta`) from now.

    The pause is exactly that; the attempt counts as any other. A step without `retry` has the default one.

        raise RetryAfter(float(response.headers["Retry-After"])) from error
    """

    def __init__(self, seconds: float | timedelta, message: str | None = None) -> None:
        pause = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if not isinstance(pause, int | float) or isinstance(pause, bool) or not 0 <= pause < math.inf:
            raise InvalidOption("seconds", seconds, "give seconds (or a timedelta), 0 or more")
        super().__init__("", message or f"it asked to be tried again in {pause:g} s")
        self.seconds: float = float(pause)


class NotAuthorized(DurablyError):
    """The workflow needs a role that its caller has not."""

    def __init__(self, name: str, *, required: tuple[str, ...], roles: tuple[str, ...]) -> None:
        has = f"its roles are {', '.join(roles)}" if roles else "it was started without roles"
        super().__init__(
            f"workflow {name!r} needs one of the roles {', '.join(required)}; {has}: start it with "
            "authenticated_user= and authenticated_roles="
        )
        self.name = name
        self.required = required
        self.roles = roles


class NoSuchVersion(DurablyError, LookupError):
    """No application has registered a version of this name."""

    def __init__(self, version: str) -> None:
        super().__init__(
            f"no application has registered the version {version!r} here: a worker registers its own version "
            "when it starts; `durably version list` shows what there is"
        )
        self.version = version


class AccountExists(ConfigurationError):
    """The console has an account of this name already."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is an account {name!r} already: choose another name, or change it "
            "(client.update_account, durably account set-role)"
        )
        self.name = name


class NoSuchAccount(DurablyError, LookupError):
    """The console has no account of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no account {name!r}: see which there are (client.list_accounts, durably account list)"
        )
        self.name = name


class NoSuchToken(DurablyError, LookupError):
    """There is no token of this id."""

    def __init__(self, token_id: str) -> None:
        super().__init__(
            f"there is no token {token_id!r}: see which there are (client.list_tokens, durably token list)"
        )
        self.token_id = token_id


class WrongContext(DurablyError):
    """This call does not work here."""


class NotRunning(DurablyError):
    """The application or client is not running."""


class EmbeddedUnavailable(DurablyError):
    """There is no embedded PostgreSQL here."""


class ContinueAsNew(BaseException):
    """Ends a generation of an endless workflow; not for user code to catch.

    A BaseException, so that `except Exception` in a workflow does not swallow it.
    """

    def __init__(self, inputs: str) -> None:
        super().__init__("the workflow begins anew")
        self.inputs = inputs


class RunInterrupted(BaseException):
    """Stops the code of a run that must not go on: cancelled, or owned by another executor now.

    A BaseException, so that `except Exception` in a workflow does not swallow it.
    """

    def __init__(self, workflow_id: str, reason: str, *, cancelled: bool | None = False) -> None:
        super().__init__(f"workflow {workflow_id!r} stops here: {reason}")
        self.workflow_id = workflow_id
        self.reason = reason
        self.cancelled = cancelled  # None: it may be, the database knows
