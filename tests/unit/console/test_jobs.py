"""Bulk jobs: in batches, stoppable between them, and telling what they did."""

from __future__ import annotations

from collections.abc import Sequence

from durably.console.jobs import BATCH, Job, Jobs

IDS = [f"run-{number}" for number in range(3 * BATCH)]


def job() -> Job:
    return Job("j", "ada", "cancel", IDS)


async def test_all_are_tried_and_what_changed_is_counted() -> None:
    async def act(ids: Sequence[str]) -> Sequence[str]:
        return ids[1:]

    done = job()
    await done.run(act)
    assert (done.state, done.done, len(done.skipped)) == ("done", 3 * BATCH - 3, 3)
    assert done.skipped[0] == "run-0"
    assert done.told() == f"{3 * BATCH - 3} done; 3 skipped, as they were not so any more"


async def test_a_stop_ends_it_after_its_batch() -> None:
    stopped = job()

    async def act(ids: Sequence[str]) -> Sequence[str]:
        stopped.stop()
        assert stopped.is_stopping
        return ids

    await stopped.run(act)
    assert (stopped.state, stopped.done) == ("stopped", BATCH)
    assert stopped.told() == f"{BATCH} done; {2 * BATCH} not tried"


async def test_a_failure_says_where_it_stopped() -> None:
    async def act(ids: Sequence[str]) -> Sequence[str]:
        if ids[0] == IDS[BATCH]:
            raise ValueError("the database is away")
        return ids

    failed = job()
    await failed.run(act)
    assert failed.state == "failed"
    assert failed.told() == f"{BATCH} done; {2 * BATCH} not tried; the database is away"


async def test_a_plan_is_begun_once_and_by_whom_it_was_made() -> None:
    jobs = Jobs()
    plan = jobs.plan(who="ada", verb="cancel", ids=IDS, back="/runs")
    assert jobs.take(plan.plan_id, "grace") is None
    assert jobs.take(plan.plan_id, "ada") is plan
    assert jobs.take(plan.plan_id, "ada") is None
