"""Queues as their pages show them: limits and how far they are used, rates by the minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from durably.types import QueueActivity, QueueInfo, RateLimit

__all__ = ["Chart", "Use", "chart", "counted", "rate", "uses"]

NEARLY = 0.8  # of a limit


@dataclass(frozen=True, kw_only=True)
class Use:
    """A limit, and how far it is used: `used` is None where nothing counts it."""

    word: str
    limit: float | None
    used: int | None = None
    note: str = ""

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return 0.0 if not self.limit or self.used is None else min(1.0, self.used / self.limit)

    @property
    def kind(self) -> str:
        """The class of its colour."""
        return "full" if self.share >= 1 else "high" if self.share >= NEARLY else "fine"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Two series by the minute in a box of `width` times `height`: bars and a line, and the figure on top."""

    width: int
    height: int
    top: int
    bars: tuple[tuple[float, float, float, float, int], ...]  # x, y, width, height, value
    line: str


def counted(value: int, cap: int) -> str:
    """A figure that was counted up to a cap."""
    return f"{value:,}+" if value >= cap else f"{value:,}"


def rate(limiter: RateLimit | None) -> str | None:
    """100 in 60 s."""
    return None if limiter is None else f"{limiter.limit:,} in {limiter.period:g} s"


def uses(queue: QueueInfo, now: QueueActivity) -> list[Use]:
    """Every limit of a queue; those of workers by the worker that has most to do."""
    busiest = max(now.running_on.values(), default=0)
    limiter, partition = queue.limiter, queue.partition_limiter
    every = [
        Use(word="Running at once", limit=queue.concurrency, used=now.running),
        Use(
            word="Running on one worker",
            limit=queue.worker_concurrency,
            used=busiest,
            note="the busiest of them",
        ),
        Use(
            word="Starts",
            limit=limiter.limit if limiter else None,
            used=now.starts_in_period,
            note=f"in {limiter.period:g} s" if limiter else "",
        ),
        Use(word="Running of one partition", limit=queue.partition_concurrency),
        Use(word="Running of one partition on one worker", limit=queue.partition_worker_concurrency),
        Use(
            word="Starts of one partition",
            limit=partition.limit if partition else None,
            note=f"in {partition.period:g} s" if partition else "",
        ),
    ]
    return [use for use in every if use.limit is not None]


def chart(bars: Sequence[int], line: Sequence[int] = (), *, width: int, height: int) -> Chart:
    """The geometry of two series that share their scale; an empty one has no line."""
    top = max([*bars, *line, 1])
    step = width / max(1, len(bars))

    def at(value: int) -> float:
        return round(height - value / top * height, 2)

    columns = tuple(
        (
            round(index * step + step * 0.12, 2),
            at(value),
            round(step * 0.76, 2),
            round(height - at(value), 2),
            value,
        )
        for index, value in enumerate(bars)
        if value
    )
    points = " ".join(f"{round((index + 0.5) * step, 2)},{at(value)}" for index, value in enumerate(line))
    return Chart(width=width, height=height, top=top, bars=columns, line=points if any(line) else "")
