"""What the demo claims, and whether it is so. A claim that is not makes the demo fail."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass

from durably.cli.demo.evidence import TIMER, Evidence

__all__ = ["Claim", "judge"]


@dataclass(frozen=True)
class Claim:
    """One claim, in words, and whether it holds."""

    text: str
    holds: bool


def judge(evidence: Evidence) -> list[Claim]:
    """Check every claim."""
    return [check(evidence) for check in _CHECKS]


def _killed(evidence: Evidence) -> Claim:
    count = len(evidence.interrupted)
    holds = evidence.kill_status == -signal.SIGKILL and count > 0
    return Claim(f"The first worker was killed (SIGKILL) while it ran {count} purchases.", holds)


def _all_ended_once(evidence: Evidence) -> Claim:
    bought, ended = len(evidence.purchases), len(evidence.after)
    statuses = [recorded.workflow.status for recorded in evidence.after.values()]
    holds = bought == ended and set(statuses) == {"SUCCESS"}
    return Claim(f"{bought} purchases were enqueued, {statuses.count('SUCCESS')} have succeeded.", holds)


def _results(evidence: Evidence) -> Claim:
    right = [p for p in evidence.purchases if evidence.results.get(p.workflow_id) == p.expected]
    total = len(evidence.purchases)
    return Claim(f"{len(right)} of {total} results are the expected ones.", len(right) == total)


def _events(evidence: Evidence) -> Claim:
    done = [wid for wid, value in evidence.events.items() if value == {"stage": "done"}]
    total = len(evidence.purchases)
    return Claim(f"{len(done)} of {total} events say that the purchase is done.", len(done) == total)


def _taken_over(evidence: Evidence) -> Claim:
    first, second = evidence.executors
    moved = [wid for wid in evidence.interrupted if _executors(evidence, wid) == (first, second)]
    others = evidence.after.keys() - set(evidence.interrupted)
    stayed = [wid for wid in others if _executors(evidence, wid) == (first, first)]
    holds = len(moved) == len(evidence.interrupted) and len(stayed) == len(others) and first != second
    return Claim(f"The second worker took over {len(moved)} of the first one's.", holds)


def _attempts(evidence: Evidence) -> Claim:
    interrupted = evidence.interrupted
    wrong = [
        wid
        for wid, recorded in evidence.after.items()
        if recorded.workflow.recovery_attempts != (2 if wid in interrupted else 1)
    ]
    done = len(evidence.after) - len(interrupted)
    text = f"Those took 2 attempts each; {done} was done before, and took 1."
    return Claim(text, not wrong)


def _recorded_once(evidence: Evidence) -> Claim:
    """One row for each number, the same operation in every workflow, and none left out but timers."""
    rows = [
        (wid, step.function_id, step.function_name) for wid, r in evidence.after.items() for step in r.steps
    ]
    expected = evidence.operations
    due = {(wid, n, name) for wid in evidence.after for n, name in expected.items() if name != TIMER}
    once = len({(wid, number) for wid, number, _ in rows}) == len(rows)
    holds = once and due <= set(rows) and all(expected[number] == name for _, number, name in rows)
    return Claim(f"{len(rows)} operations are recorded, each exactly once.", holds)


def _kept(evidence: Evidence) -> Claim:
    """What was recorded before the kill is still what it was, to the millisecond."""
    before = [(wid, step) for wid, r in evidence.before.items() for step in r.steps]
    after = {(wid, step.function_id): step for wid, r in evidence.after.items() for step in r.steps}
    kept = [step for wid, step in before if after.get((wid, step.function_id)) == step]
    holds = len(kept) == len(before) > 0
    return Claim(f"{len(kept)} of the {len(before)} recorded before the kill are unchanged.", holds)


def _ran_twice(evidence: Evidence) -> Claim:
    """What was recorded did not run again; what was in flight did, and nothing else."""
    twice = {run for run, count in evidence.ran.items() if count > 1}
    recorded, bodies = len(evidence.recorded_steps), evidence.ran.total()
    holds = twice == evidence.in_flight and bodies == recorded + len(twice) and bool(twice)
    text = (
        f"{recorded} steps recorded, {bodies} bodies ran, {len(twice)} ran twice "
        f"({len(evidence.in_flight)} in flight at the kill)."
    )
    return Claim(text, holds)


def _received_once(evidence: Evidence) -> Claim:
    received = [len(getattr(result, "approved_by", ())) for result in evidence.results.values()]
    sent = len(evidence.purchases) + 1
    text = f"{sent} approvals were sent, one twice with the same key; {sum(received)} were received."
    return Claim(text, received == [1] * len(evidence.purchases))


def _stopped(evidence: Evidence) -> Claim:
    return Claim("The second worker stopped cleanly when it was asked to.", evidence.stop_status == 0)


def _executors(evidence: Evidence, workflow_id: str) -> tuple[str | None, str | None]:
    before, after = evidence.before.get(workflow_id), evidence.after.get(workflow_id)
    return (
        before.workflow.executor_id if before else None,
        after.workflow.executor_id if after else None,
    )


_CHECKS: list[Callable[[Evidence], Claim]] = [
    _killed,
    _all_ended_once,
    _results,
    _events,
    _taken_over,
    _attempts,
    _recorded_once,
    _kept,
    _ran_twice,
    _received_once,
    _stopped,
]
