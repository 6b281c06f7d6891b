"""The timeline of a run as geometry: per cent of the width across, pixels down. Pure: `now` is given.

One line for each recorded operation, with bars from start to end; before them the wait on the queue, behind
them what is under way. A wait that would leave the rest no room stays out, and is told in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from durably.console.words import duration, instant, state
from durably.core import names
from durably.types import StepRecord, StepSummary, WorkflowStatus

__all__ = ["Bar", "Line", "Map", "Picture", "Tick", "is_wait", "minimap", "picture", "ticks", "wakes_at"]

WAITS = (
    names.SLEEP, names.RECV, names.GET_EVENT, names.GET_RESULT, names.ASK, names.FIRST_OF,
    names.NEXT_COMPLETED, names.WAIT_FIRST, names.READ_STREAM, names.READ_STREAM_OFFSET,
)  # fmt: skip
LINE = 28  # pixels
AXIS = 28
LEAST = 0.25  # per cent: a bar is never narrower
LONGEST_WAIT = 3.0  # times the rest: a longer wait on the queue is told, not drawn
STEPS_OF_TIME = tuple(
    n * unit
    for unit, counts in (
        (1, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1000, (1, 2, 5, 10, 15, 30)),
        (60_000, (1, 2, 5, 10, 15, 30)),
        (3_600_000, (1, 2, 3, 6, 12)),
        (86_400_000, (1, 2, 7, 14, 28, 91, 182, 365, 730, 1825, 3650)),
    )
    for n in counts
)
MOST_TICKS = 6


@dataclass(frozen=True)
class Bar:
    """A part of a line: where it begins and how wide it is, in per cent, and what it is (a CSS class)."""

    left: float
    width: float
    kind: str


@dataclass(frozen=True)
class Line:
    """An operation: its number (None for what is no operation), its name, what hovering over it tells."""

    number: int | None
    name: str
    title: str
    bars: tuple[Bar, ...]
    child: str | None = None
    kind: str = ""


@dataclass(frozen=True)
class Tick:
    """A mark on the axis."""

    at: float
    word: str


@dataclass(frozen=True)
class Picture:
    """All lines, the axis, and what stands across them."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    start_ms: int
    span_ms: int
    marks: tuple[tuple[float, str, str], ...] = ()  # where, word, kind
    note: str = ""

    @property
    def height(self) -> int:
        """Pixels."""
        return AXIS + LINE * len(self.lines)


@dataclass(frozen=True)
class Map:
    """All operations of a long run: (left, width, height, failed height, first operation), in per cent."""

    bins: tuple[tuple[float, float, float, float, int], ...]
    left: float
    width: float
    ticks: tuple[Tick, ...]


def is_wait(name: str) -> bool:
    """Whether an operation only waits."""
    return name in WAITS


def wakes_at(step: StepRecord) -> int | None:
    """When a sleep ends: it is what it recorded, in seconds, or in milliseconds by TypeScript."""
    value = step.output.value if step.function_name == names.SLEEP and step.output else None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e15:
        return None
    return round(value if value > 1e11 else value * 1000)


def picture(
    run: WorkflowStatus, steps: Sequence[StepRecord], *, now_ms: int, is_first: bool, is_last: bool
) -> Picture:
    """The timeline of a page of operations; the first has the wait before, the last what is under way."""
    began = [step.started_at_epoch_ms for step in steps if step.started_at_epoch_ms is not None]
    ended = [_end(step, now_ms) for step in steps if step.started_at_epoch_ms is not None]
    over = run.completed_at if run.completed_at is not None else now_ms
    work = min([*began, *([run.dequeued_at] if is_first and run.dequeued_at else [])], default=run.created_at)
    end = max([*ended, *([over] if is_last or not ended else [])], default=over)
    waited = max(0, work - run.created_at) if is_first else 0
    note, start = "", work
    if waited and waited <= LONGEST_WAIT * max(1, end - work):
        start = run.created_at
    elif waited > 1:
        note = f"It waited {duration(waited)} before it first ran."
    scale = _Scale(start, max(1, end - start))
    lines = [
        *(_queued(run, scale, work) if start < work else ()),
        *(_line(step, scale, now_ms) for step in steps),
        *(_under_way(run, steps, scale, now_ms) if is_last else ()),
    ]
    return Picture(
        tuple(lines), ticks(scale.span), start, scale.span, tuple(_marks(run, scale, now_ms, is_last)), note
    )


def minimap(summary: StepSummary, steps: Sequence[StepRecord], *, bins: int) -> Map:
    """All operations by time, and where the page is among them."""
    tallest = max((count for _, count, _, _ in summary.bins), default=1)
    wide = 100 / bins
    drawn = tuple(
        (place * wide, wide * 0.8, max(4.0, count / tallest * 100), failed / tallest * 100, first)
        for place, count, failed, first in summary.bins
    )
    start = summary.started_at_epoch_ms or 0
    span = max(1, (summary.completed_at_epoch_ms or 0) - start)
    scale = _Scale(start, span)
    began = [step.started_at_epoch_ms for step in steps if step.started_at_epoch_ms is not None]
    left = scale.at(min(began, default=start))
    right = scale.at(max((_end(step, 0) for step in steps if step.started_at_epoch_ms), default=start))
    return Map(drawn, left, max(0.6, right - left), ticks(span))


def ticks(span_ms: int) -> tuple[Tick, ...]:
    """Round instants from the start on, at most six."""
    step = next((each for each in STEPS_OF_TIME if span_ms / each <= MOST_TICKS), span_ms)
    return tuple(Tick(at / span_ms * 100, _offset(at)) for at in range(0, span_ms, max(1, step)))


class _Scale:
    """Instants as per cent of a span."""

    def __init__(self, start: int, span: int) -> None:
        self.start = start
        self.span = span

    def at(self, instant_ms: float) -> float:
        return round(min(100.0, max(0.0, (instant_ms - self.start) / self.span * 100)), 3)

    def bar(self, start_ms: float, end_ms: float, kind: str) -> Bar:
        width = max(LEAST, self.at(end_ms) - self.at(start_ms))
        return Bar(min(self.at(start_ms), 100 - width), round(width, 3), kind)


def _end(step: StepRecord, now_ms: int) -> int:
    """Where an operation's line ends: a sleep's at its waking, a child's with the child, never behind now."""
    end = step.completed_at_epoch_ms or step.started_at_epoch_ms or 0
    if now_ms and (waking := wakes_at(step)) is not None:
        return max(end, min(waking, now_ms))
    if now_ms and step.child_created_at is not None and not is_wait(step.function_name):
        return max(end, step.child_completed_at or now_ms)
    return end


def _line(step: StepRecord, scale: _Scale, now_ms: int) -> Line:
    start = step.started_at_epoch_ms
    bars = [] if start is None else [scale.bar(start, step.completed_at_epoch_ms or start, _kind(step))]
    if start is not None and (waking := wakes_at(step)) is not None:
        bars = [scale.bar(start, min(waking, now_ms), "wait")]
    if step.child_created_at is not None and not is_wait(step.function_name):
        until = step.child_completed_at or now_ms
        bars.append(scale.bar(step.child_created_at, until, f"child {state(step.child_status or '')[1]}"))
    return Line(step.function_id, step.function_name, _title(step), tuple(bars), step.child_workflow_id)


def _kind(step: StepRecord) -> str:
    if step.error is not None:
        return "failed"
    return "wait" if is_wait(step.function_name) else "done"


def _title(step: StepRecord) -> str:
    start, end = step.started_at_epoch_ms, step.completed_at_epoch_ms
    parts = [f"{step.function_id} {step.function_name}", "failed" if step.error is not None else "recorded"]
    if start is not None and end is not None:
        parts.append(f"{duration(max(0, end - start))} from {instant(start)} UTC")
    if (waking := wakes_at(step)) is not None:
        parts.append(f"sleeps until {instant(waking)} UTC")
    if step.child_workflow_id is not None:
        word = state(step.child_status)[0] if step.child_status else "deleted"
        parts.append(f"child {step.child_name or ''} {step.child_workflow_id}: {word}")
    return ", ".join(parts)


def _queued(run: WorkflowStatus, scale: _Scale, until: int) -> Iterator[Line]:
    queue = f"on queue {run.queue_name}" if run.queue_name else "to start"
    title = f"waited {duration(until - run.created_at)} {queue}"
    yield Line(None, "queued", title, (scale.bar(run.created_at, until, "queued"),), kind="queued")


def _under_way(
    run: WorkflowStatus, steps: Sequence[StepRecord], scale: _Scale, now_ms: int
) -> Iterator[Line]:
    if run.completed_at is not None or run.status not in ("PENDING", "ENQUEUED", "DELAYED"):
        return
    if steps and (wakes_at(steps[-1]) or 0) > now_ms:
        return  # its own line grows
    last = max((_recorded(step) for step in steps), default=run.created_at)
    since = max(last, run.dequeued_at or 0) if run.status == "PENDING" else last
    word, kind = state(run.status)
    title = f"{word.lower()} since {instant(since)} UTC: {duration(max(0, now_ms - since))}"
    yield Line(None, word.lower(), title, (scale.bar(since, now_ms, f"now {kind}"),), kind="now")


def _recorded(step: StepRecord) -> int:
    return step.completed_at_epoch_ms or step.started_at_epoch_ms or 0


def _marks(
    run: WorkflowStatus, scale: _Scale, now_ms: int, is_last: bool
) -> Iterator[tuple[float, str, str]]:
    """The latest attempt's begin, the end, and now."""
    claimed = run.dequeued_at
    inside = claimed is not None and scale.start < claimed < scale.start + scale.span
    if run.recovery_attempts > 1 and claimed is not None and inside:
        yield scale.at(claimed), f"attempt {run.recovery_attempts}", "attempt"
    if is_last and run.completed_at is not None:
        yield scale.at(run.completed_at), state(run.status)[0].lower(), f"end {state(run.status)[1]}"
    elif is_last:
        yield scale.at(now_ms), "now", "now"


def _offset(milliseconds: int) -> str:
    if milliseconds < 1000:
        return f"{milliseconds} ms" if milliseconds else "0"
    for unit, word, less, lesser in (
        (86_400_000, "d", 3_600_000, "h"), (3_600_000, "h", 60_000, "m"), (60_000, "m", 1000, "s"),
    ):  # fmt: skip
        if milliseconds >= unit:
            whole, rest = divmod(milliseconds, unit)
            return f"{whole} {word}" + (f" {rest // less} {lesser}" if rest >= less else "")
    return f"{milliseconds / 1000:g} s"
