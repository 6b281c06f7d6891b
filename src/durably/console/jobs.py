"""Bulk actions while they are done: in batches, with progress to look at, stoppable, and told at the end.

A job lives in the console's process; what it did is in the audit too. When the console stops, jobs stop after
their batch, and say so there.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["BATCH", "MOST", "Act", "Job", "JobState", "Jobs", "Plan"]

BATCH = 200  # runs in a transaction: soon done, and so soon stopped
MOST = 100_000  # runs of a job
KEPT = 100  # jobs and plans that are remembered
FRESH = 600.0  # seconds that a plan may be begun

JobState: TypeAlias = Literal["running", "done", "stopped", "failed"]
Act: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[str]]]  # acts on ids, returns those it changed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What somebody was shown before it is done: these very runs."""

    plan_id: str
    who: str
    verb: str
    ids: Sequence[str]
    back: str  # the page that they were chosen on
    made: float = field(default_factory=time.monotonic)


@dataclass
class Job:
    """Something that is done to many runs: how far it is, and what came of it."""

    job_id: str
    who: str
    verb: str
    ids: Sequence[str]
    back: str = "/runs"  # the page that the runs were chosen on
    state: JobState = "running"
    seen: int = 0  # of the ids, so many were tried
    done: int = 0  # so many were changed
    skipped: list[str] = field(default_factory=list)  # those that were not as they were when it began
    error: str | None = None
    began: float = field(default_factory=time.time)
    ended: float | None = None
    _stop: bool = False

    @property
    def total(self) -> int:
        """How many runs were chosen."""
        return len(self.ids)

    def stop(self) -> None:
        """Do no further batch."""
        self._stop = True

    @property
    def is_stopping(self) -> bool:
        """Whether somebody stopped it, though its batch is not over."""
        return self._stop and self.state == "running"

    async def run(self, act: Act) -> None:
        """Act on all, a batch at a time; never raises but when it is cancelled."""
        try:
            while self.seen < self.total and not self._stop:
                batch = self.ids[self.seen : self.seen + BATCH]
                changed = set(await act(batch))
                self.done += len(changed)
                self.skipped += [each for each in batch if each not in changed]
                self.seen += len(batch)
            self.state = "done" if self.seen == self.total else "stopped"
        except asyncio.CancelledError:
            self.state, self.error = "stopped", "the console was stopped"
            raise
        except Exception as error:
            logger.warning("bulk job %s failed", self.job_id, exc_info=error)
            self.state, self.error = "failed", str(error) or type(error).__name__
        finally:
            self.ended = time.time()

    def told(self) -> str:
        """What it did, in words."""
        parts = [f"{self.done:,} done"]
        if self.skipped:
            parts.append(f"{len(self.skipped):,} skipped, as they were not so any more")
        if left := self.total - self.seen:
            parts.append(f"{left:,} not tried")
        return "; ".join(parts) + (f"; {self.error}" if self.error else "")


class Jobs:
    """The jobs of a console: those that run, and the last ones that are over."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def plan(self, *, who: str, verb: str, ids: Sequence[str], back: str) -> Plan:
        """Remember what somebody is shown."""
        plan = Plan(secrets.token_urlsafe(16), who, verb, ids, back)
        self._plans[plan.plan_id] = plan
        while len(self._plans) > KEPT:
            self._plans.popitem(last=False)
        return plan

    def take(self, plan_id: str, who: str) -> Plan | None:
        """The plan, once, for whom it was made, while it is fresh."""
        plan = self._plans.get(plan_id)
        if plan is None or plan.who != who:
            return None
        del self._plans[plan_id]
        return plan if time.monotonic() - plan.made < FRESH else None

    def begin(self, plan: Plan, *, work: Callable[[Job], Awaitable[None]]) -> Job:
        """Begin a job, whose `work` runs beside everything else."""
        job = Job(secrets.token_urlsafe(8), plan.who, plan.verb, plan.ids, plan.back)
        self._jobs[job.job_id] = job
        over = [job_id for job_id, each in self._jobs.items() if each.state != "running"]
        for job_id in over[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job_id]
        task = asyncio.ensure_future(self._worked(job, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def get(self, job_id: str) -> Job | None:
        """The job of an id, if it is remembered."""
        return self._jobs.get(job_id)

    def recent(self) -> list[Job]:
        """Those that are remembered, the newest first."""
        return list(reversed(self._jobs.values()))

    async def aclose(self) -> None:
        """Stop all jobs, each after its batch."""
        for job in self._jobs.values():
            job.stop()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _worked(self, job: Job, work: Callable[[Job], Awaitable[None]]) -> None:
        try:
            await work(job)
        except Exception as error:
            job.state, job.error, job.ended = "failed", str(error) or type(error).__name__, time.time()
