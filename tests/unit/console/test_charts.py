"""Pictures: bars that stack to the sum of their span, over a scale that fits."""

from __future__ import annotations

import pytest

from durably.console.charts import nice_top, throughput
from durably.types import WorkflowActivity


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (2, 2), (3, 5), (7, 10), (11, 20), (501, 1000), (999_999, 1_000_000)]
)
def test_a_scale_ends_at_a_round_figure(most: int, top: int) -> None:
    assert nice_top(most) == top


def test_bars_stack_and_say_what_they_are() -> None:
    activity = WorkflowActivity(
        begins_at=1_777_640_400_000,
        span_ms=60_000,
        created=(0, 9),
        succeeded=(0, 6),
        failed=(0, 3),
        cancelled=(0, 1),
        is_complete=True,
    )
    chart = throughput(activity)
    assert [bar.kind for bar in chart.bars] == ["failed", "cancelled", "succeeded"]
    lowest, *_, highest = chart.bars
    assert lowest.y + lowest.height == pytest.approx(chart.floor)
    assert chart.floor - highest.y == pytest.approx(sum(bar.height for bar in chart.bars), abs=0.3)
    assert chart.spans[1][2].endswith("6 succeeded, 3 failed, 1 cancelled")


def test_nothing_is_a_picture_too() -> None:
    nothing = (0,) * 60
    chart = throughput(
        WorkflowActivity(
            begins_at=0,
            span_ms=1,
            created=nothing,
            succeeded=nothing,
            failed=nothing,
            cancelled=nothing,
            is_complete=True,
        )
    )
    assert chart.bars == ()
    assert len(chart.spans) == 60
