"""The geometry of charts, and how far limits are used."""

from __future__ import annotations

from durably.console.views.queues import Use, chart, counted, uses
from durably.types import QueueActivity, QueueInfo, RateLimit

NOW = QueueActivity(
    name="q",
    is_registered=True,
    enqueued=3,
    delayed=0,
    running_on={"a": 2, "b": 1},
    oldest_enqueued_at=None,
    starts_in_period=8,
    starts=(0,) * 60,
    finishes=(0,) * 60,
    is_estimate=False,
    counted_to=10,
    measured_at=0,
)


def test_only_limits_that_are_set_show() -> None:
    assert uses(QueueInfo(name="q"), NOW) == []
    queue = QueueInfo(name="q", concurrency=4, worker_concurrency=2, limiter=RateLimit(10, 60))
    assert [(use.used, use.limit, use.kind) for use in uses(queue, NOW)] == [
        (3, 4, "fine"),
        (2, 2, "full"),
        (8, 10, "high"),
    ]


def test_a_limit_that_nothing_counts_has_no_share() -> None:
    assert Use(word="w", limit=3).share == 0


def test_more_than_a_limit_is_full_and_no_more() -> None:
    assert Use(word="w", limit=3, used=7).share == 1


def test_what_was_counted_to_its_cap_says_so() -> None:
    assert (counted(9, 10), counted(10_000, 10_000)) == ("9", "10,000+")


def test_bars_and_line_share_their_scale() -> None:
    drawn = chart([0, 5, 10], [10, 0, 20], width=30, height=20)
    assert drawn.top == 20
    assert [(bar[1], bar[3]) for bar in drawn.bars] == [(15.0, 5.0), (10.0, 10.0)]
    assert drawn.line == "5.0,10.0 15.0,20.0 25.0,0.0"


def test_an_hour_without_anything_is_an_empty_chart() -> None:
    drawn = chart([0] * 60, [0] * 60, width=60, height=10)
    assert (drawn.bars, drawn.line) == ((), "")
