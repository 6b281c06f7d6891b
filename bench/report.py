"""The table: medians with their spread, ratios, and the goals beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["GOALS", "Goal", "Samples", "render"]

Samples = Mapping[tuple[str, str], Sequence[float]]  # (contender, workload) -> one figure per round


@dataclass(frozen=True)
class Goal:
    """A ratio that a contender of ours is to reach against another, on one workload."""

    contender: str
    workload: str
    against: str
    ratio: float

    def reached(self, samples: Samples) -> float | None:
        """Our median over theirs; None when one of them was not measured."""
        ours, theirs = (
            samples.get((self.contender, self.workload)),
            samples.get((self.against, self.workload)),
        )
        return median(ours) / median(theirs) if ours and theirs else None


GOALS = (
    Goal("durably async", "drain", "dbos tuned", 25),
    Goal("durably async", "drain", "limit", 0.5),
    Goal("durably def", "drain", "dbos tuned", 10),
    Goal("durably async", "steps", "dbos tuned", 50),
    Goal("durably async", "steps", "limit", 0.4),
    Goal("durably def", "steps", "dbos tuned", 20),
    Goal("durably async", "serial", "limit", 0.9),
    Goal("durably def", "serial", "limit", 0.6),
    Goal("durably", "enqueue", "limit", 0.9),
    Goal("durably", "bulk", "limit", 0.8),
)
LATENCY_GOAL_MS = 6.0
UNITS = {
    "drain": "one-step workflows/s",
    "steps": "steps/s, 40 workflows at once",
    "serial": "steps/s, one workflow",
    "latency": "ms from enqueue to result, p50",
    "enqueue": "enqueues/s, one by one",
    "bulk": "enqueues/s, enqueue_many",
}


def render(samples: Samples) -> str:
    """The whole report as Markdown."""
    return "\n".join([*_figures(samples), "", *_goals(samples)])


def _figures(samples: Samples) -> list[str]:
    lines = ["| workload | contender | median | min - max |", "|---|---|---:|---:|"]
    for workload, unit in UNITS.items():
        for (contender, measured), values in samples.items():
            if measured == workload:
                spread = f"{_figure(min(values))} - {_figure(max(values))}"
                lines.append(f"| {unit} | {contender} | {_figure(median(values))} | {spread} |")
    return lines


def _goals(samples: Samples) -> list[str]:
    lines = ["| goal | reached | of the goal |", "|---|---:|---:|"]
    for goal in GOALS:
        if (reached := goal.reached(samples)) is not None:
            what = f"{goal.workload}: {goal.contender} >= {goal.ratio:g} x {goal.against}"
            lines.append(f"| {what} | {reached:.2f} x | {reached / goal.ratio:.0%} |")
    if values := samples.get(("durably async", "latency")):
        lines.append(
            f"| latency: <= {LATENCY_GOAL_MS:g} ms | {median(values):.1f} ms | "
            f"{LATENCY_GOAL_MS / median(values):.0%} |"
        )
    return lines


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
