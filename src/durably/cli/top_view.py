"""What `durably top` shows: a snapshot and how it is looked at in, one frame of a given size out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from durably.cli.output import up_to
from durably.cli.text import printable, shortened
from durably.types import ExecutorInfo, QueueActivity, QueueInfo, WorkflowStatus

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["SORTS", "Look", "Snapshot", "frame", "pressed"]

SORTS = ("enqueued", "running", "rate", "oldest", "name")
PANES = ("queues", "executors", "names", "runs")
COLOURS = {
    "SUCCESS": "green",
    "ERROR": "red",
    "PENDING": "cyan",
    "CANCELLED": "yellow",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "red",
    "alive": "green",
    "expired": "red",
}
FAILED = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
KEYS = "q quit   p pause   s sort   tab pane   up/down scroll"
HEADER = 2  # lines
FOOTER = 1
WIDE = 110  # columns from which a frame has two columns


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was read at one moment. Instants are epoch milliseconds."""

    measured_at: int
    queues: Sequence[QueueActivity] = ()
    registered: Sequence[QueueInfo] = ()
    executors: Sequence[ExecutorInfo] = ()
    runs: Sequence[WorkflowStatus] = ()


@dataclass(frozen=True)
class Look:
    """How a person looks at it: sorted how, which pane moves, how far each is scrolled, whether it stands."""

    sort: str = SORTS[0]
    pane: str = PANES[0]
    scrolled: dict[str, int] = field(default_factory=dict)
    stands: bool = False
    trouble: str | None = None

    def offset(self, pane: str, rows: int) -> int:
        """How many rows of a pane are scrolled away."""
        return min(self.scrolled.get(pane, 0), max(0, rows - 1))


def pressed(look: Look, key: str) -> Look | None:
    """What a key makes of it; None ends it."""
    if key in ("q", "\x03", "\x04"):
        return None
    if key in ("p", " "):
        return replace(look, stands=not look.stands)
    if key == "s":
        return replace(look, sort=SORTS[(SORTS.index(look.sort) + 1) % len(SORTS)])
    if key == "\t":
        return replace(look, pane=PANES[(PANES.index(look.pane) + 1) % len(PANES)])
    if key in ("\x1b[A", "\x1b[B", "k", "j"):
        step = -1 if key in ("\x1b[A", "k") else 1
        now = max(0, look.scrolled.get(look.pane, 0) + step)
        return replace(look, scrolled={**look.scrolled, look.pane: now})
    return look


def frame(snapshot: Snapshot, look: Look, *, width: int, height: int, where: str) -> Any:
    """The whole screen."""
    from rich.console import Group

    body = max(4, height - HEADER - FOOTER)
    parts: list[Any] = [_header(snapshot, look, where, width)]
    if width >= WIDE:
        upper = min(body // 2, max(len(snapshot.queues), len(snapshot.executors)) + 1)
        parts.append(_beside(_queues(snapshot, look, upper), _executors(snapshot, look, upper)))
        lower = body - upper
        parts.append(_beside(_runs(snapshot, look, lower), _names(snapshot, look, lower)))
    else:
        share = _shares(snapshot, body)
        makers = (_queues, _executors, _names, _runs)
        parts += [make(snapshot, look, lines) for make, lines in zip(makers, share, strict=True)]
    return Group(*parts, _line(KEYS if not look.trouble else f"{look.trouble}   {KEYS}", width, "dim"))


def _shares(snapshot: Snapshot, lines: int) -> tuple[int, int, int, int]:
    """Lines of each pane, header included: a quarter each; what a short one leaves, queues and runs have."""
    wanted = [len(snapshot.queues), len(snapshot.executors), len(_by_name(snapshot))]
    short = [max(2, min(lines // 4, each + 1)) for each in wanted]
    spare = lines - sum(short) - max(2, lines // 4)
    more = min(max(spare, 0), max(0, wanted[0] + 1 - short[0]))
    return short[0] + more, short[1], short[2], max(2, lines - sum(short) - more)


# -- panes -------------------------------------------------------------------------------------------------


def _header(snapshot: Snapshot, look: Look, where: str, width: int) -> Text:
    when = datetime.fromtimestamp(snapshot.measured_at / 1000, UTC).astimezone().strftime("%H:%M:%S")
    enqueued = sum(each.enqueued for each in snapshot.queues)
    running = sum(each.running for each in snapshot.queues)
    failed = sum(each.status in FAILED for each in snapshot.runs)
    alive = sum(each.state == "alive" for each in snapshot.executors)
    standing = "  STANDS" if look.stands else ""
    first = f"durably top  {when}{standing}  {where}"
    second = (
        f"{enqueued:,} enqueued  {running:,} running  {alive} executors alive  "
        f"{failed} of the last {len(snapshot.runs)} failed"
    )
    return _line(first, width, "bold").append("\n").append_text(_line(second, width, ""))


def _queues(snapshot: Snapshot, look: Look, lines: int) -> Table:
    limits = {each.name: each.concurrency for each in snapshot.registered}
    queues = sorted(snapshot.queues, key=lambda each: _sort_key(each, look.sort))
    table = _table(
        look,
        "queues",
        f"QUEUE (by {look.sort})",
        "queued",
        "delayed",
        "running",
        "limit",
        "start/min",
        "end/min",
        "oldest",
    )
    for each in _visible(queues, look, "queues", lines):
        limit = limits.get(each.name)
        table.add_row(
            _text(each.name, "" if each.is_registered else "red"),
            up_to(each.enqueued, each.counted_to),
            up_to(each.delayed, each.counted_to),
            f"{each.running:,}",
            "-" if limit is None else str(limit),
            str(_last_minute(each.starts)),
            str(_last_minute(each.finishes)),
            _age(each.oldest_enqueued_at, snapshot.measured_at),
        )
    return table


def _executors(snapshot: Snapshot, look: Look, lines: int) -> Table:
    table = _table(
        look,
        "executors",
        "EXECUTOR",
        "state",
        "application",
        "version",
        "running",
        left=("application", "version", "state"),
    )
    for each in _visible(snapshot.executors, look, "executors", lines):
        table.add_row(
            _text(each.executor_id),
            _text(each.state, COLOURS.get(each.state, "")),
            _text(each.application_name or ""),
            _text(each.app_version or ""),
            f"{each.running:,}",
        )
    return table


def _names(snapshot: Snapshot, look: Look, lines: int) -> Table:
    table = _table(look, "names", f"WORKFLOW (of the last {len(snapshot.runs)})", "runs", "active", "failed")
    for name, runs in _visible(_by_name(snapshot), look, "names", lines):
        failed = sum(each.status in FAILED for each in runs)
        active = sum(
            each.completed_at is None and each.status in ("ENQUEUED", "DELAYED", "PENDING") for each in runs
        )
        table.add_row(_text(name), str(len(runs)), str(active), _text(str(failed), "red" if failed else ""))
    return table


def _runs(snapshot: Snapshot, look: Look, lines: int) -> Table:
    table = _table(look, "runs", "RUN", "status", "workflow", "age", left=("status", "workflow"))
    for each in _visible(snapshot.runs, look, "runs", lines):
        table.add_row(
            _text(each.workflow_id),
            _text(each.status, COLOURS.get(each.status, "")),
            _text(each.name),
            _age(each.created_at, snapshot.measured_at),
        )
    return table


# -- how ---------------------------------------------------------------------------------------------------


def _by_name(snapshot: Snapshot) -> list[tuple[str, list[WorkflowStatus]]]:
    """The newest runs by name, the busiest first."""
    found: dict[str, list[WorkflowStatus]] = {}
    for each in snapshot.runs:
        found.setdefault(each.name, []).append(each)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def _sort_key(queue: QueueActivity, sort: str) -> Any:
    keys: dict[str, Any] = {
        "enqueued": (-queue.enqueued, queue.name),
        "running": (-queue.running, queue.name),
        "rate": (-_last_minute(queue.starts), queue.name),
        "oldest": (queue.oldest_enqueued_at or 2**63, queue.name),
        "name": queue.name,
    }
    return keys[sort]


def _last_minute(per_minute: Sequence[int]) -> int:
    """Of the last whole minute: the present one has only begun."""
    return per_minute[-2] if len(per_minute) > 1 else sum(per_minute)


def _visible(rows: Sequence[Any], look: Look, pane: str, lines: int) -> Sequence[Any]:
    offset = look.offset(pane, len(rows))
    return rows[offset : offset + max(0, lines - 1)]


def _table(look: Look, pane: str, first: str, *others: str, left: Sequence[str] = ()) -> Table:
    from rich.table import Table

    style = "reverse bold" if look.pane == pane else "bold"
    table = Table(box=None, expand=True, pad_edge=False, header_style=style, padding=(0, 1, 0, 0))
    table.add_column(first, ratio=1, no_wrap=True, overflow="ellipsis")
    for name in others:
        table.add_column(name, no_wrap=True, overflow="ellipsis", justify="left" if name in left else "right")
    return table


def _beside(one: Table, other: Table) -> Table:
    from rich.table import Table

    grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
    grid.add_column(ratio=3)
    grid.add_column(ratio=2)
    grid.add_row(one, other)
    return grid


def _text(value: str, style: str = "") -> Text:
    """As it is: never markup, never control codes."""
    from rich.text import Text

    return Text(shortened(printable(value), 60), style=style)


def _line(value: str, width: int, style: str) -> Text:
    from rich.text import Text

    return Text(shortened(printable(value), max(width, 10)), style=style)


def _age(since_ms: int | None, now_ms: int) -> str:
    if since_ms is None:
        return ""
    seconds = max(0, now_ms - since_ms) // 1000
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"
