"""What was read of a system database. A part that could not be read is None, and `unread` says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

__all__ = [
    "Access",
    "Executor",
    "Group",
    "Holder",
    "Index",
    "Link",
    "Pause",
    "Queued",
    "Readings",
    "Running",
    "ScheduleReading",
    "SchemaReading",
    "Server",
    "Table",
    "Version",
]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/server."""

    version: str
    version_number: int
    now: float
    role: str
    database: str
    backend_pid: int
    is_standby: bool
    is_read_only: bool
    fsync: bool
    full_page_writes: bool
    synchronous_commit: str
    autovacuum: bool
    track_counts: bool
    max_connections: int
    reserved_connections: int
    connections: int
    database_connections: int
    role_connections: int


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """How it is to speak with the server. `asked` and `answered` are instants of the local clock."""

    asked: float
    answered: float
    pid: int  # that the connection was told, which is a pooler's own invention
    heard: float | None  # seconds until a notice of our own came back; None: it did not
    refused: str | None = None  # why LISTEN was refused


class SchemaReading(msgspec.Struct, frozen=True, kw_only=True):
    """The two schemas, and what this release knows."""

    generation: int | None
    extension: int | None
    exists: bool
    has_notify_trigger: bool
    problems: Sequence[str]
    needed_generation: int
    known_generation: int
    known_extension: int
    indexes: Mapping[str, str]  # of DBOS's tables, as `known_generation` has them; and their tables


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/access."""

    is_extension: bool
    name: str
    has_usage: bool
    privileges: Sequence[str]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/tables."""

    schema: str
    name: str
    live: int
    dead: int
    bytes: int
    vacuumed_ago: float | None
    is_autovacuum_off: bool
    is_unlogged: bool
    xid_age: int


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/indexes."""

    schema: str
    table_name: str
    name: str
    is_valid: bool


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/transactions: what holds vacuum back; one without a kind only counts what is hidden."""

    kind: str | None
    name: str | None
    role: str | None
    state: str | None
    seconds: float | None
    hidden: int


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/queued."""

    queue_name: str | None
    application_name: str | None
    app_version: str | None
    workflows: int
    oldest_seconds: float
    example: str
    is_registered: bool


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/running."""

    executor_id: str
    workflows: int
    example: str


class Executor(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/executors: one that has not ended, or (`is_open` False) that some of a version have."""

    executor_id: str
    application_name: str
    app_version: str
    is_open: bool
    expired_seconds: float

    @property
    def is_alive(self) -> bool:
        return self.is_open and self.expired_seconds <= 0


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """versions/list, the latest first."""

    version_name: str
    application_name: str | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/set_aside, doctor/stranded."""

    workflows: int
    examples: Sequence[str] | None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """doctor/paused."""

    queue_name: str
    executor_id: str
    reason: str | None
    seconds: float


class ScheduleReading(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it stands."""

    schedule_name: str
    schedule: str
    cron_timezone: str | None
    status: str
    last_fired_at: str | None
    application_name: str | None
    jitter: float
    problem: str | None


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    place: str  # the URL without its password
    unreachable: str | None = None
    server: Server | None = None
    link: Link | None = None
    schema: SchemaReading | None = None
    access: Sequence[Access] | None = None
    tables: Sequence[Table] | None = None
    indexes: Sequence[Index] | None = None
    holders: Sequence[Holder] | None = None
    queued: Sequence[Queued] | None = None
    running: Sequence[Running] | None = None
    executors: Sequence[Executor] | None = None
    versions: Sequence[Version] | None = None
    dead_letters: Group | None = None
    stranded: Group | None = None
    pauses: Sequence[Pause] | None = None
    schedules: Sequence[ScheduleReading] | None = None
    unread: Mapping[str, str] = {}
