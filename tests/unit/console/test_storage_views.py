"""How fast the tables grow, from what was started and what a run takes."""

from __future__ import annotations

from durably.console.views.storage import DAY, growth
from durably.types import StorageInfo, TableInfo, WorkflowActivity


def storage(rows: int) -> StorageInfo:
    def table(name: str, rows: int, bytes_: int) -> TableInfo:
        return TableInfo(
            schema="dbos",
            name=name,
            rows=rows,
            heap_bytes=bytes_,
            index_bytes=0,
            toast_bytes=0,
            total_bytes=bytes_,
            dead_rows=0,
            vacuum_at=50,
            autovacuums=True,
        )

    tables = (table("workflow_status", rows, rows * 600), table("operation_outputs", rows * 3, rows * 400))
    return StorageInfo(database="d", bytes=0, is_read_only=False, measured_at=0, tables=tables)


def activity(*by_half_day: int) -> WorkflowActivity:
    nothing = (0,) * len(by_half_day)
    return WorkflowActivity(
        begins_at=0,
        span_ms=DAY // 2,
        created=by_half_day,
        succeeded=nothing,
        failed=nothing,
        cancelled=nothing,
        is_complete=True,
    )


def test_a_day_is_the_mean_of_the_days_since_the_first_run() -> None:
    grown = growth(activity(0, 0, 100, 200, 0, 0, 500, 400), storage(5000))
    assert grown is not None
    assert (grown.runs, grown.days, grown.bytes_per_run) == (1200, 3, 1000)
    assert grown.by_day == (0, 300_000, 0, 900_000)
    assert grown.bytes_per_day == 400_000
    assert grown.most == 900_000


def test_nothing_is_told_of_few_runs_or_none_lately() -> None:
    assert growth(activity(5, 5), storage(999)) is None
    assert growth(activity(0, 0), storage(5000)) is None
