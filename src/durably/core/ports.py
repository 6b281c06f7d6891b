"""What the engine asks of the world: a clock, chance, and a store of some twenty transactions.

The engine runs on PostgreSQL through `durably.store`, and on a modelled store with virtual time in the
simulation; both are given to it through these protocols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Protocol

import msgspec

from durably.core.records import Record, StoredArguments

__all__ = [
    "Beat",
    "Claim",
    "Claimed",
    "Compared",
    "ExecutorIdentity",
    "Fired",
    "Firing",
    "HistoryRow",
    "QueueRow",
    "Ready",
    "ResultRow",
    "ScheduleRow",
    "Store",
    "Stranding",
    "StreamPage",
    "Wait",
    "Waiting",
    "World",
]


class World(Protocol):
    """Time and chance. `now` is for display and logs; what processes must agree on is the database's."""

    random: Random

    def now(self) -> float:
        """Seconds since 1970, this machine's clock."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back, nor stands still while the machine sleeps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


class ExecutorIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """One running process of an application, and where it runs."""

    executor_id: str
    application_name: str
    app_version: str
    host: str
    pid: int
    process_start: str
    lease_seconds: float
    code: str = ""  # the fingerprint of its functions


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which workflows of one queue an executor would run, and how many."""

    queue_name: str
    executor_id: str
    application_name: str
    app_version: str
    owner: str
    most: int
    runnable: Sequence[str]  # "<name>\x1f<class name>\x1f<config name>", '' for none
    formats: Sequence[str]
    limited: bool
    code: str = ""
    running: int = 0  # of this queue, on this executor
    keys: Sequence[str] = ()  # of a partitioned queue: the partitions to take from, in turn


class Claimed(msgspec.Struct, frozen=True, gc=False):
    """A workflow that is ours to run now."""

    workflow_id: str
    name: str
    class_name: str | None
    config_name: str | None
    queue_name: str | None
    serialization: str | None
    inputs: str | None
    recovery_attempts: int
    max_recovery_attempts: int | None
    deadline_ms: int | None
    authenticated_user: str | None
    assumed_role: str | None
    authenticated_roles: str | None
    has_history: bool
    attributes: str | None = None
    parent_workflow_id: str | None = None
    queue_partition_key: str | None = None
    failed_attempts: int = 0  # of a workflow with a `retry`, as often as it was tried again
    waited: float | None = None  # seconds on its queue, of a first claim


class HistoryRow(msgspec.Struct, frozen=True, gc=False):
    """One recorded operation."""

    workflow_id: str
    function_id: int
    function_name: str
    output: str | None
    error: str | None
    child_workflow_id: str | None
    serialization: str | None


class Wait(msgspec.Struct, frozen=True, gc=False):
    """Something a process waits for: `result` (id), `event` (id, key), `message` (id, topic), or `stream`.

    A wait for a stream (id, key, offset) is over when there is a value at that offset, or the workflow ended.
    In a pulse also `run` (id, owner token): whether it has lost its owner.
    """

    kind: str
    id: str
    key: str = ""
    offset: int = 0


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a run waits for, as it is told to people: as in `Wait`, a `timer`, or the `retry` of a step.

    `until` is epoch seconds, `lasted` seconds; `nth` tells several apart of which the first ends the wait.
    """

    place: int
    nth: int
    workflow_id: str
    owner: str
    function_id: int
    kind: str
    id: str
    key: str
    until: float | None
    lasted: float


class StreamPage(msgspec.Struct, frozen=True):
    """Values of a stream from one offset on, without gaps, and its workflow's status at that moment."""

    status: str
    values: Sequence[tuple[str, str | None]]  # text, serialization

    @property
    def ended(self) -> bool:
        """Whether nothing more can come."""
        return self.status not in ("ENQUEUED", "DELAYED", "PENDING")


class ResultRow(msgspec.Struct, frozen=True, gc=False):
    """How a workflow ended."""

    workflow_id: str
    status: str
    output: str | None
    error: str | None
    serialization: str | None


class QueueRow(msgspec.Struct, frozen=True):
    """A queue that this application serves, with its limits."""

    name: str
    concurrency: int | None = None
    worker_concurrency: int | None = None
    rate_limit_max: int | None = None
    rate_limit_period_sec: float | None = None
    partition_concurrency: int | None = None
    partition_worker_concurrency: int | None = None
    partition_rate_limit_max: int | None = None
    partition_rate_limit_period_sec: float | None = None

    @property
    def partitioned(self) -> bool:
        """Whether each partition key has limits of its own; work without a key then waits for ever."""
        limits = self.partition_concurrency, self.partition_worker_concurrency, self.partition_rate_limit_max
        return any(limit is not None for limit in limits)

    @property
    def rate_limited(self) -> bool:
        """Whether starts are limited in time."""
        return self.rate_limit_max is not None or self.partition_rate_limit_max is not None

    @property
    def limited(self) -> bool:
        """Whether executors share a budget on this queue, so that claims take its lock."""
        return self.concurrency is not None or self.rate_limited or self.partitioned


class Ready(msgspec.Struct, frozen=True):
    """What the fallback query saw."""

    results: Sequence[ResultRow] = ()
    events: Sequence[tuple[str, str, str, str | None]] = ()  # id, key, value, serialization
    messages: Sequence[tuple[str, str]] = ()  # id, topic
    streams: Sequence[tuple[str, str, int]] = ()  # id, key, offset
    queues: Sequence[QueueRow] = ()  # with work that may be ours
    cancelled: Sequence[str] = ()  # deadlines that passed just now
    lost: Sequence[tuple[str, str]] = ()  # (id, owner) of runs that this owner does not own any more
    dead: Sequence[str] = ()  # executors whose lease ran out
    schedules: str | None = None  # changes when a schedule of ours does; None: there is none
    next_delay: float | None = None  # seconds until the next delayed workflow or deadline is due


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """An active schedule, as its row has it. Durations are seconds, `since` is epoch seconds."""

    schedule_id: str
    schedule_name: str
    workflow_name: str
    workflow_class_name: str | None
    schedule: str
    cron_timezone: str | None
    context: str
    automatic_backfill: bool
    last_fired_at: str | None
    catch_up: float
    jitter: float
    overlap: str
    since: float | None  # when it was created or resumed, if that is known
    note: str | None


class Firing(msgspec.Struct, frozen=True, kw_only=True):
    """A tick to be decided about, from `due` on (epoch seconds)."""

    schedule_id: str
    schedule: str
    cron_timezone: str | None
    workflow_id: str
    tick: str
    due: float
    overlap: str
    inputs: str


class Fired(msgspec.Struct, frozen=True):
    """What became of a tick: 'fired', 'skipped', 'past'; or 'early', and how many seconds it has to wait."""

    schedule_id: str
    outcome: str
    wait: float


class Beat(msgspec.Struct, frozen=True):
    """The answer to a heartbeat."""

    alive: bool  # False: this executor was declared dead; its runs are someone else's now
    database_now: float  # epoch seconds
    neighbours: Sequence[tuple[str, int, str]]  # (executor id, pid, process start) alive on this host


class Compared(msgspec.Struct, frozen=True):
    """A page of the comparison of what an executor runs; pairs are (workflow id, owner token)."""

    foreign: Sequence[tuple[str, str]]  # of those asked about: what is not the executor's any more
    owned: Sequence[tuple[str, str]]  # of the rows read: what the database thinks that it runs
    edge: int | None  # where the next page begins; None at the end


class Stranding(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow whose record does not fit the code of the executor that would go on with it."""

    workflow_id: str
    owner: str
    application_name: str
    executor_id: str
    code: str
    function_id: int
    asked: str
    recorded: str
    difference: str  # told to a person


class Store(Protocol):
    """The transactions of the engine. Each method is one transaction and one round trip."""

    async def commit(self, batch: Sequence[Record]) -> list[Any]:
        """Write the records together; one reply each, an exception where a record failed for good."""
        ...

    async def claim(self, claim: Claim) -> list[Claimed]:
        """Take up to `claim.most` workflows of a queue, in its order and within its limits."""
        ...

    async def untakable(self, claim: Claim) -> str | None:
        """One of the first workflows of a queue that this claim would leave, told to a person; None: none."""
        ...

    async def partitions(
        self, queue_name: str, application_name: str, *, after: str, wanted: int, most: int
    ) -> list[tuple[str, bool]]:
        """The next partition keys with queued work behind `after`, and whether each seems to have room.

        `most` of them, up to the one that is the `wanted`th with room.
        """
        ...

    async def next_start(self, queue_name: str) -> float | None:
        """Seconds until a start leaves the window of a rate limit; None when none is in one."""
        ...

    async def history(self, workflow_ids: Sequence[str]) -> list[HistoryRow]:
        """The recorded operations of these workflows."""
        ...

    async def poll(self, waits: Sequence[Wait], executor: ExecutorIdentity | None) -> Ready:
        """Which waits are over; for an executor also due timers, queues with work, and dead executors."""
        ...

    async def stream(self, workflow_id: str, key: str, offset: int, most: int) -> StreamPage | None:
        """Up to `most` values of a stream; None when there is no such workflow."""
        ...

    async def progress(self, workflow_id: str, function_id: int) -> tuple[str, str] | None:
        """What an attempt of a step saved, and its serialization."""
        ...

    async def owner(self, workflow_id: str) -> str | None:
        """The owner token of a workflow, None where nobody owns it."""
        ...

    async def arguments(self, workflow_id: str) -> StoredArguments | None:
        """The arguments of a workflow, as they are stored."""
        ...

    async def register(self, executor: ExecutorIdentity) -> float:
        """Enter the executor and its version; returns the database's epoch seconds."""
        ...

    async def beat(self, executor: ExecutorIdentity) -> Beat:
        """Renew the lease."""
        ...

    async def adopt(
        self, application_name: str, executor_ids: Sequence[str], *, only_expired: bool = False
    ) -> list[str]:
        """Put the work of these executors back on its queues and close their leases; returns the queues."""
        ...

    async def schedules(self, application_name: str) -> list[ScheduleRow]:
        """The active schedules of an application and of nobody."""
        ...

    async def fire(self, application_name: str, firings: Sequence[Firing]) -> list[Fired]:
        """Decide about ticks, at most one of a schedule, by the database's clock."""
        ...

    async def note_schedules(self, notes: Mapping[str, str | None]) -> None:
        """Tell what is wrong with schedules, by id; None where all is well."""
        ...

    async def holder(self, queue_name: str, deduplication_id: str) -> str | None:
        """The workflow that holds a deduplication id on a queue."""
        ...

    async def note_waits(self, executor_id: str, new: Sequence[Waiting], over: Sequence[int]) -> None:
        """Tell what runs of an executor wait for, and which places of these are over."""
        ...

    async def compare(
        self, executor_id: str, runs: Sequence[tuple[str, str]], after: int, most: int
    ) -> Compared:
        """Ask about these runs, and read some `most` PENDING rows that were created after `after`."""
        ...

    async def release(self, owned: Sequence[tuple[str, str]]) -> None:
        """Put back workflows that these tokens still own."""
        ...

    async def put_on_trial(self, executor_id: str, blamed: str | None) -> None:
        """Say on whom alone a death of this executor is to be blamed: '' on nobody, None on all that run.

        Otherwise a workflow's id; with `owner token:` before it where that death is to count for two.
        """
        ...

    async def set_aside(self, owned: Sequence[tuple[str, str]]) -> None:
        """Mark workflows that these tokens own as MAX_RECOVERY_ATTEMPTS_EXCEEDED."""
        ...

    async def strand(self, stranding: Stranding) -> None:
        """Set a workflow aside that does not fit the code, if its token still owns it."""
        ...

    async def release_stranded(self, executor: ExecutorIdentity, runnable: Sequence[str]) -> None:
        """Put back stranded workflows that the code of this executor has not met."""
        ...
