"""Pictures as geometry: what was measured, as coordinates of an SVG. Colours come from the style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from durably.types import WorkflowActivity

__all__ = ["Bar", "Throughput", "Tick", "nice_top", "throughput"]

WIDTH, HEIGHT = 960, 200
LEFT, RIGHT, ABOVE, BELOW = 44, 4, 8, 22  # margins: figures to the left, instants below
TICKS = 6  # instants below the axis
GAP = 0.25  # of a span, between two bars


@dataclass(frozen=True)
class Bar:
    """A rectangle: a status's share of a span; the values are for whoever reads."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where, and its word."""

    at: float
    word: str


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Stacked bars of what ended, by span of time."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    spans: tuple[tuple[float, float, str], ...]  # x, width, and what it says in words
    lines: tuple[Tick, ...]  # horizontal: y, figure
    instants: tuple[Tick, ...]  # x, time
    left: int
    floor: float


def throughput(activity: WorkflowActivity) -> Throughput:
    """What succeeded, failed and was cancelled in each span, as stacked bars over a common scale."""
    series = (
        ("failed", activity.failed),
        ("cancelled", activity.cancelled),
        ("succeeded", activity.succeeded),
    )
    many = len(activity.succeeded)
    sums = [sum(values[span] for _, values in series) for span in range(many)]
    top = nice_top(max(sums, default=0))
    plot_height, step = HEIGHT - ABOVE - BELOW, (WIDTH - LEFT - RIGHT) / many
    bars = []
    for span in range(many):
        y = float(HEIGHT - BELOW)
        for kind, values in series:
            if values[span]:
                tall = max(1.0, values[span] / top * plot_height)
                y -= tall
                x, wide = LEFT + span * step + step * GAP / 2, max(1.0, step * (1 - GAP))
                bars.append(Bar(round(x, 1), round(y, 1), round(wide, 1), round(tall, 1), kind))
    return Throughput(
        width=WIDTH,
        height=HEIGHT,
        bars=tuple(bars),
        spans=tuple(_span(activity, span, LEFT + span * step, step) for span in range(many)),
        lines=tuple(
            Tick(round(ABOVE + plot_height * (1 - part), 1), _figure(top * part)) for part in (0.5, 1.0)
        ),
        instants=tuple(_instants(activity, step)),
        left=LEFT,
        floor=HEIGHT - BELOW,
    )


def nice_top(most: int) -> int:
    """The end of a scale: 2, 5, 10, 20, 50, ... or more than the most."""
    top = 2
    while top < most:
        top = {1: 2, 2: 5, 5: 10}[int(str(top)[0])] * 10 ** (len(str(top)) - 1)
    return top


def _span(activity: WorkflowActivity, span: int, x: float, width: float) -> tuple[float, float, str]:
    figures = (activity.succeeded[span], activity.failed[span], activity.cancelled[span])
    words = "{:,} succeeded, {:,} failed, {:,} cancelled".format(*figures)
    begins = _moment(activity.begins_at + span * activity.span_ms)
    return round(x, 1), round(width, 1), f"{begins:%Y-%m-%d %H:%M} UTC: {words}"


def _instants(activity: WorkflowActivity, step: float) -> list[Tick]:
    many = len(activity.succeeded)
    length = many * activity.span_ms
    form = "%H:%M" if length <= 2 * 86_400_000 else "%b %d"
    every = max(1, many // TICKS)
    return [
        Tick(
            round(LEFT + span * step, 1), _moment(activity.begins_at + span * activity.span_ms).strftime(form)
        )
        for span in range(0, many, every)
    ]


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value < 10_000 else f"{value / 1000:,.0f}k"


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
