"""An application's engine on a given store and world: the parts, and how they tell each other things.

notices, fallback query -> hub -> dispatcher -> executor -> runs -> writer -> store
heartbeat (own loop) -> beaten -> comparison -> interrupt what is not ours, release what we do not run
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from durably.codec import Codecs, attributes_text, fitting, same_arguments
from durably.core.ids import child_id, new_id
from durably.core.limits import key_is_missing
from durably.core.ops import StartChild
from durably.core.ports import Claimed, ExecutorIdentity, Ready, Store, Wait, Waiting, World
from durably.core.records import Create, Created, Started
from durably.engine import attributes, authority, steps
from durably.engine.call import INHERITED, Call
from durably.engine.comparison import Comparison
from durably.engine.dispatcher import Dispatcher
from durably.engine.executor import Executor, Resources
from durably.engine.host import host_identity, start_of
from durably.engine.leases import BEATS_PER_LEASE, Heartbeat
from durably.engine.patience import until_answered
from durably.engine.registry import Registry, WorkflowDefinition, seconds
from durably.engine.run import Run
from durably.engine.scheduler import Scheduler
from durably.engine.tenure import Tenure
from durably.engine.workers import Workers
from durably.errors import (
    ArgumentsIgnored,
    DatabaseError,
    Deduplicated,
    InvalidOption,
    NotRunning,
    RunInterrupted,
    WorkflowConflict,
    WorkflowIdInUse,
)
from durably.observing import NOBODY, CallFacts, Observer
from durably.store.hub import Hub
from durably.store.writer import Writer

__all__ = ["Engine"]

logger = logging.getLogger(__name__)

LOOKED_AT = 500  # runs whose owner a pulse looks up, chance deciding which; the comparison looks at all


class Engine:
    """Runs the workflows of one registry. Made and started on the loop that it adopts."""

    def __init__(
        self,
        *,
        store: Store,
        world: World,
        registry: Registry,
        codecs: Codecs,
        application_name: str,
        app_version: str,
        lease_seconds: float,
        capacity: int,
        threads: int,
        code: str = "",
        listen_queues: Collection[str] | None = None,
        partitioned: Collection[str] = (),
        observer: Observer = NOBODY,
    ) -> None:
        self.store = store
        self.world = world
        self._observer = observer
        self.identity = ExecutorIdentity(
            executor_id=new_id(world.random),
            application_name=application_name,
            app_version=app_version,
            host=host_identity(),
            pid=os.getpid(),
            process_start=start_of(os.getpid()),
            lease_seconds=lease_seconds,
            code=code,
        )
        self.tenure = Tenure(world)
        self._registry = registry
        self._partitioned = partitioned
        self.hub = Hub(
            lambda waits: store.poll(waits, None),
            world,
            pulse=lambda waits: store.poll([*waits, *self._owned()], self.identity),
            saw=self._saw,
            heard=self._heard,
        )
        self.writer = Writer(store.commit, world, observer)
        self.workers = Workers(threads)
        self.resources = Resources(
            loop=asyncio.get_running_loop(),
            store=store,
            writer=self.writer,
            hub=self.hub,
            workers=self.workers,
            codecs=codecs,
            world=world,
            app_version=app_version,
            application_name=application_name,
            start_child=self._start_child,
            progress=store.progress,
            executor_id=lambda: self.identity.executor_id,
            tenure=self.tenure,
            observer=observer,
        )
        self.executor = Executor(
            registry=registry,
            store=store,
            resources=self.resources,
            freed=self._freed,
            identity=lambda: self.identity,
        )
        self.dispatcher = Dispatcher(
            store=store,
            executor=self.executor,
            registry=registry,
            identity=lambda: self.identity,
            formats=codecs.readable,
            capacity=capacity,
            world=world,
            ask=self.hub.ask_soon,
            tenure=self.tenure,
            listen_queues=listen_queues,
            observer=observer,
        )
        self.scheduler = Scheduler(
            store=store,
            registry=registry,
            codecs=codecs,
            application_name=application_name,
            world=world,
            database_now=self.resources.database_now,
        )
        self.comparison = Comparison(
            store=store,
            identity=lambda: self.identity,
            running=lambda: [(run.workflow_id, run.owner) for run in self.executor.running.values()],
            claims=self.dispatcher.claims,
        )
        self._chores: set[asyncio.Task[None]] = set()
        self._running = False
        self._entering = False
        self._telling = False
        self._comparing = False

    # -- life ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Enter the executor, then begin to claim and run."""
        await self._register(self.identity)
        await self.store.release_stranded(self.identity, self._registry.runnable())
        self._running = True
        self.writer.start()
        self.dispatcher.start()
        self.scheduler.start()
        self.hub.start()

    @property
    def is_running(self) -> bool:
        """Whether it takes work: from its start until its stop begins."""
        return self._running

    async def stop(self, *, grace: float) -> None:
        """Claim no more, let active runs end for `grace` seconds, hand the rest back. Twice is fine."""
        if not self._running:
            return
        self._running = False
        await self.scheduler.stop()
        await self.dispatcher.stop()
        await self.executor.drain(grace)
        await self.writer.stop()
        await self.hub.stop()
        self.workers.stop()
        await self.executor.trials.acquit()
        try:
            await self.store.adopt(self.identity.application_name, [self.identity.executor_id])
        except DatabaseError as error:
            logger.warning("the lease runs out by itself, the database being away: %s", error)

    # -- starting workflows -------------------------------------------------------------------------------

    async def start_workflow(
        self, definition: WorkflowDefinition, args: Sequence[Any], kwargs: dict[str, Any], call: Call
    ) -> Started:
        """Create the workflow and, unless it has a queue, run it here."""
        if not self._running:
            raise NotRunning(
                f"workflow {definition.name!r} needs its application running: use `async with app`, "
                "`with app` or `app.launch()`"
            )
        asked = CallFacts(
            kind="start" if call.queue_name is None else "enqueue",
            name=definition.name,
            queue_name=call.queue_name,
        )
        with self._observer.call(asked) as watch:
            record = self._create(definition, args, kwargs, call)
            watch.identified(record.workflow_id)
            return await self._started(record, call)

    async def _started(self, record: Create, call: Call) -> Started:
        while True:
            try:
                created: Created = await self.writer.submit(record)
            except Deduplicated as error:
                if (holder := await self._holder(call, error)) is not None:
                    return Started(workflow_id=holder, created=False)
            else:
                self._began(record, created, call)
                return await self._compared(record, created, call)

    async def _compared(self, record: Create, created: Created, call: Call) -> Started:
        """What the start came to; a look at the arguments of a workflow that was there."""
        ignored = None
        if not created.created and call.workflow_id_reuse_policy is None:
            there = await until_answered(
                self.world, "a start", lambda: self.store.arguments(record.workflow_id)
            )
            same = (
                None
                if there is None
                else same_arguments(
                    self.resources.codecs,
                    record.inputs,
                    record.serialization,
                    there.inputs,
                    there.serialization,
                )
            )
            ignored = None if same is None else not same
        return Started(workflow_id=record.workflow_id, created=created.created, arguments_ignored=ignored)

    async def _holder(self, call: Call, error: Deduplicated) -> str | None:
        """Who holds the deduplication id, where the policy asks for it; None when it was just let go."""
        if call.duplication_policy == "reject":
            raise error
        held = (call.queue_name or "", call.deduplication_id or "")
        return await until_answered(self.world, "a start", lambda: self.store.holder(*held))

    async def _start_child(self, run: Run, number: int, operation: StartChild) -> str:
        call: Call = operation.call
        record = self._create(
            operation.workflow, operation.args, dict(operation.kwargs), call, parent=run, number=number
        )
        while True:
            try:
                created: Created = await run.record(record)
                self._began(record, created, call)
            except Deduplicated as error:
                if (holder := await self._record_duplicate(run, number, operation, error)) is not None:
                    return holder
            except (WorkflowIdInUse, WorkflowConflict, InvalidOption) as error:
                raise await _record_refusal(run, number, operation, error) from error
            else:
                await self._log_ignored(run, record, created, call)
                return created.workflow_id

    async def _log_ignored(self, run: Run, record: Create, created: Created, call: Call) -> None:
        """In a workflow it is logged: a warning may be an error, and a replay would not meet it."""
        if (await self._compared(record, created, call)).arguments_ignored:
            logger.warning(
                "workflow %s: %s", run.workflow_id, ArgumentsIgnored(record.workflow_id, name=record.name)
            )

    async def _record_duplicate(
        self, run: Run, number: int, operation: StartChild, error: Deduplicated
    ) -> str | None:
        """An outcome too: the deduplication id may be free, or another's, when the workflow is replayed."""
        if operation.call.duplication_policy == "reject":
            raise await _record_refusal(run, number, operation, error) from error
        started = run.now_ms()
        holder = await self._holder(operation.call, error)
        if holder is not None:
            await run.record(
                steps.bare_record(run, number, operation.name, started, child_workflow_id=holder)
            )
        return holder

    def _create(
        self,
        definition: WorkflowDefinition,
        args: Sequence[Any],
        kwargs: dict[str, Any],
        call: Call,
        *,
        parent: Run | None = None,
        number: int = 0,
    ) -> Create:
        call.check()
        if call.queue_name in self._partitioned and call.queue_partition_key is None:
            raise key_is_missing(call.queue_name)
        codec = self.resources.codecs.get(call.serialization or definition.serialization)
        workflow_id = call.workflow_id or (
            child_id(parent.workflow_id, number) if parent else new_id(self.world.random)
        )
        claimed = parent.claimed if parent else None
        subject = f"arguments of {definition.name!r}"
        timeout = seconds(call.given("timeout"))
        rights = authority.of(call, claimed)
        assumed_role = authority.check(definition, rights)
        return Create(
            workflow_id=workflow_id,
            creator=(token := new_id(self.world.random)),
            owner=token,
            name=definition.name,
            class_name=definition.class_name,
            config_name=definition.config_name,
            queue_name=call.queue_name,
            inputs=fitting(
                lambda: codec.encode_arguments(
                    tuple(args), kwargs, subject=subject, parameters=definition.parameters
                ),
                (*args, *kwargs.values()),
                subject=subject,
            ),
            serialization=codec.name,
            run_now=call.queue_name is None,
            reject=call.workflow_id_reuse_policy == "reject",
            executor_id=self.identity.executor_id,
            app_version=call.app_version or self.identity.app_version,
            application_name=self.identity.application_name,
            application_id="",
            authenticated_user=rights.user,
            assumed_role=assumed_role,
            authenticated_roles=rights.roles_text,
            priority=call.priority or 0,
            deduplication_id=call.deduplication_id,
            queue_partition_key=call.queue_partition_key,
            delay_seconds=seconds(call.delay),
            timeout_ms=None if timeout is None else int(timeout * 1000),
            deadline_ms=claimed.deadline_ms if claimed and call.timeout is INHERITED else None,
            parent_workflow_id=parent.workflow_id if parent else None,
            attributes=attributes_text(self.resources.codecs, attributes.of(call, claimed)),
            caller_id=parent.workflow_id if parent else None,
            caller_owner=parent.owner if parent else None,
            function_id=number,
            started_at=int(self.world.now() * 1000),
        )

    def _began(self, record: Create, created: Created, call: Call) -> None:
        """Run what we created to run here; refuse an id that belongs to something else."""
        if not created.created:
            self._refuse_conflict(record, created, call)
        elif record.run_now and record.executor_id == self.identity.executor_id:  # not declared dead since
            self.executor.begin(_claimed(record, created), record.owner or "")

    def _refuse_conflict(self, record: Create, created: Created, call: Call) -> None:
        if call.workflow_id_reuse_policy == "reject":
            raise WorkflowIdInUse(record.workflow_id, name=created.name, status=created.status)
        for what, found, given in (
            ("the name", created.name, record.name),
            ("the class", created.class_name, record.class_name),
            ("the instance", created.config_name, record.config_name),
        ):
            if (found or "") != (given or ""):
                raise WorkflowConflict(record.workflow_id, what=what, found=found, given=given)

    # -- what the database tells --------------------------------------------------------------------------

    def _saw(self, ready: Ready) -> None:
        for workflow_id in ready.cancelled:
            self.executor.interrupt(workflow_id, "its deadline has passed", cancelled=True)
        for workflow_id, owner in ready.lost:
            self.executor.interrupt(workflow_id, "it was cancelled, resumed or taken over", owner)
        if ready.dead:
            self._chore(self._adopt(ready.dead))
        self.scheduler.saw(ready.schedules)
        self.dispatcher.saw(ready)
        if self.comparison.is_due_at_rest():
            self._look()

    def _owned(self) -> list[Wait]:
        """Runs whose ownership the pulse looks at: notices get lost, and DBOS's own clients send none."""
        runs = [run for run in self.executor.running.values() if not run.concluding]
        if len(runs) > LOOKED_AT:
            runs = self.world.random.sample(runs, LOOKED_AT)
        return [Wait("run", run.workflow_id, run.owner) for run in runs]

    def _heard(self, kind: str, subject: str) -> None:
        if kind == "q":
            self.dispatcher.offer(subject)
        elif kind == "k":
            self.dispatcher.forget(subject)
        elif kind == "s":
            self.scheduler.look()
        elif kind == "c":
            workflow_id, _, owner = subject.rpartition("::")
            self.executor.interrupt(workflow_id, "it was cancelled, resumed or paused", owner)

    def _freed(self, queue_name: str) -> None:
        self.dispatcher.freed(queue_name)

    async def _adopt(self, executor_ids: Sequence[str]) -> None:
        logger.info("taking over from %s, whose lease ran out", ", ".join(executor_ids))
        back = await self.store.adopt(self.identity.application_name, executor_ids, only_expired=True)
        self._observer.took_over(len(executor_ids), len(back))

    # -- the heartbeat's answer ---------------------------------------------------------------------------

    def beaten(self, heartbeat: Heartbeat) -> None:
        """Go on with a renewed lease, and compare what the database thinks we run with what we run.

        On the engine's loop. While it stops, what still runs needs its lease, and nothing else.
        """
        if heartbeat.executor_id != self.identity.executor_id:
            return
        if heartbeat.answer.alive:
            self.tenure.renew(heartbeat.sent + self.identity.lease_seconds)
        if not self._running:
            return
        if not heartbeat.answer.alive:
            self._declared_dead()
            return
        self._set_clock(heartbeat.answer.database_now, heartbeat.seen)
        if self.comparison.is_due():
            self._look()
        self._tell_waits()

    def _look(self) -> None:
        if self._running and not self._comparing:
            self._comparing = True
            self._chore(self._compare())

    async def _compare(self) -> None:
        try:
            foreign, strays = await self.comparison.look()
            for workflow_id, owner in foreign:
                self.executor.interrupt(workflow_id, "it was taken over or ended elsewhere", owner)
            if strays:
                logger.warning(
                    "releasing %d workflows that are ours in the database and do not run", len(strays)
                )
                await self.store.release(strays)
        finally:
            self._comparing = False

    def _tell_waits(self) -> None:
        """Let others see what runs wait for that have waited a moment."""
        new, over = self.resources.waitlist.changes()
        if (new or over) and not self._telling:
            self._telling = True
            self._chore(self._told(self.identity.executor_id, new, over))

    async def _told(self, executor_id: str, new: Sequence[Waiting], over: Sequence[int]) -> None:
        try:
            await self.store.note_waits(executor_id, new, over)
            if executor_id == self.identity.executor_id:
                self.resources.waitlist.told(new, over)
        finally:
            self._telling = False

    def _declared_dead(self) -> None:
        """Our lease ran out and our work is others' now: stop it, and go on as a new executor."""
        if self._entering:
            return
        self._entering = True
        self.tenure.end()
        logger.error("executor %s was declared dead; it begins anew", self.identity.executor_id)
        self._interrupt_all()
        self._chore(self._enter_anew())

    def _interrupt_all(self) -> None:
        for run in list(self.executor.running.values()):
            run.interrupt(RunInterrupted(run.workflow_id, "its executor's lease ran out"))

    async def _enter_anew(self) -> None:
        """The new id is used once it has a lease; what the old one claimed after its end is put back.

        Where the database does not answer, the next heartbeat tries again.
        """
        former = self.identity
        anew = msgspec.structs.replace(former, executor_id=new_id(self.world.random))
        try:
            async with asyncio.timeout(former.lease_seconds / BEATS_PER_LEASE):
                await self._register(anew)
        finally:
            self._entering = False
        await self._adopt([former.executor_id])

    async def _register(self, identity: ExecutorIdentity) -> None:
        """Have a lease, and from then on go by its name; what began by another name is over."""
        sent = self.world.monotonic()
        database_now = await self.store.register(identity)
        self._interrupt_all()
        self.identity = identity
        self.resources.waitlist.forgotten()
        self._set_clock(database_now)
        self.tenure.renew(sent + identity.lease_seconds)

    def _set_clock(self, database_now: float, seen: float | None = None) -> None:
        self.resources.clock_offset = database_now - (self.world.now() if seen is None else seen)

    def _chore(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(_quietly(coroutine))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


async def _record_refusal(run: Run, number: int, operation: StartChild, error: Exception) -> BaseException:
    """That a child was not started is an outcome: its id may be free when the workflow is replayed."""
    refused = run.step_record(number, operation.name, started=run.now_ms(), error=error)
    await run.record(refused)
    return run.error_as_recorded(refused)


async def _quietly(coroutine: Any) -> None:
    try:
        await coroutine
    except (DatabaseError, TimeoutError) as error:
        logger.warning("put off, the next heartbeat tries again: %s", str(error) or "no answer")


def _claimed(record: Create, created: Created) -> Claimed:
    return Claimed(
        workflow_id=record.workflow_id,
        name=record.name,
        class_name=record.class_name,
        config_name=record.config_name,
        queue_name=record.queue_name,
        serialization=record.serialization,
        inputs=record.inputs,
        recovery_attempts=1,
        max_recovery_attempts=None,
        deadline_ms=created.deadline_ms,
        authenticated_user=record.authenticated_user,
        assumed_role=record.assumed_role,
        authenticated_roles=record.authenticated_roles,
        has_history=False,
        attributes=record.attributes,
        parent_workflow_id=record.parent_workflow_id,
    )
