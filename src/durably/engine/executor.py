"""One attempt of one workflow, from its claim to its recorded outcome.

claimed -> begin -> [set aside | fail | run] -> outcome -> record -> announce
                                         \\\\-> failed, with a retry: record, and wait for the next attempt
                                         \\-> interrupted: nothing is recorded, someone else goes on
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from durably.codec import Codec, Codecs
from durably.concurrency.portal import detached_context
from durably.concurrency.ticket import ThreadTicket, Ticket
from durably.core.ids import OrderedIds
from durably.core.ports import (
    Claimed,
    ExecutorIdentity,
    HistoryRow,
    ResultRow,
    Store,
    Stranding,
    World,
)
from durably.core.records import Finish, Record, TryAgain
from durably.engine import authority, generations, tries, watching
from durably.engine.context import Frame, frame
from durably.engine.registry import Registry, WorkflowDefinition
from durably.engine.run import Run, RunStranded
from durably.engine.tenure import Tenure
from durably.engine.trials import Trials
from durably.engine.waitlist import Waitlist
from durably.engine.workers import Workers
from durably.errors import (
    ContinueAsNew,
    DatabaseError,
    DecodeError,
    EncodeError,
    NonDeterminism,
    RunInterrupted,
    WorkflowIdInUse,
    WrongContext,
)
from durably.observing import NOBODY, Observer
from durably.store.hub import Hub

__all__ = ["DEFAULT_ATTEMPTS", "Executor", "Resources"]

logger = logging.getLogger(__name__)

FAREWELL = (
    5.0  # seconds that an attempt gives the former one, interrupted in this very process, for its cleanup
)
DEFAULT_ATTEMPTS = 50  # recoveries, where neither the workflow's row nor its function says otherwise


class RecordWriter(Protocol):
    """What a run needs of the writer."""

    def submit(self, record: Record) -> Ticket:
        """Queue a record, on the loop."""
        ...

    def submit_from_thread(self, record: Record) -> ThreadTicket:
        """Queue a record, from a thread."""
        ...


@dataclass
class Resources:
    """What the runs of one engine share."""

    loop: asyncio.AbstractEventLoop
    store: Store
    writer: RecordWriter
    hub: Hub
    workers: Workers
    codecs: Codecs
    world: World
    tenure: Tenure
    app_version: str = ""
    application_name: str = ""
    forget: Callable[[str], None] = lambda workflow_id: None  # the transactions of a workflow that has ended
    clock_offset: float = 0.0  # the database's clock minus this machine's
    parking: Callable[[Run, int], None] = lambda run, change: None
    progressed: Callable[[str], None] = lambda workflow_id: None  # on any thread
    start_child: Callable[..., Any] = lambda *args: None
    progress: Callable[[str, int], Any] = lambda workflow_id, function_id: None
    forget_failed: Callable[[str], Awaitable[None]] | None = None  # those of one that is tried again
    executor_id: Callable[[], str] = lambda: ""
    client: Callable[[], Any] = lambda: None  # the application's own, for what a workflow does to others
    client_blocking: Callable[[], Any] = lambda: None
    observer: Observer = NOBODY
    message_ids: OrderedIds = field(init=False)
    waitlist: Waitlist = field(init=False)

    def __post_init__(self) -> None:
        self.message_ids = OrderedIds(self.world.now, self.world.random)
        self.waitlist = Waitlist(self.world)

    def database_now(self) -> float:
        """Epoch seconds of the database's clock, as the last heartbeat saw it."""
        return self.world.now() + self.clock_offset

    def refuse_off_loop(self, name: str, workflow: str) -> None:
        """A coroutine that a blocking workflow makes on its thread is one that nothing awaits."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise WrongContext(
                f"{name} has to be awaited, and workflow {workflow!r} is a `def` one: call durably.sync and "
                "`def` steps in it, or make it `async def`"
            ) from None

    def refuse_on_loop(self, name: str) -> None:
        """A blocking call on the loop's own thread would wait for itself."""
        try:
            if asyncio.get_running_loop() is not self.loop:
                return
        except RuntimeError:
            return
        raise WrongContext(
            f"{name} was called through durably.sync in an async workflow, where it would block the event "
            "loop: await the function of the same name in durably.aio"
        )


class Executor:
    """Runs claimed workflows, and knows which ones run here."""

    def __init__(
        self,
        *,
        registry: Registry,
        store: Store,
        resources: Resources,
        freed: Callable[[str], None],
        identity: Callable[[], ExecutorIdentity],
    ) -> None:
        self._registry = registry
        self._store = store
        self._resources = resources
        self._freed = freed
        self._identity = identity
        self._context = detached_context()  # of every run: a caller's own variables would be gone at a replay
        self._parked = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.running: dict[str, Run] = {}
        self.by_queue: dict[str, int] = {}
        self.trials = Trials(store, identity, resources.world)
        resources.parking = self._park
        resources.progressed = self.trials.progressed

    @property
    def active(self) -> int:
        """Runs that are doing something, rather than waiting for a message, a timer or a child."""
        return len(self.running) - self._parked

    @property
    def parked(self) -> int:
        """Runs that wait."""
        return self._parked

    def begin(self, claimed: Claimed, owner: str, history: Sequence[HistoryRow] = ()) -> None:
        """Start the attempt; it goes on by itself."""
        definition = self._registry.find(claimed.name, claimed.class_name, claimed.config_name)
        if definition is None:
            self._spawn(self._put_back(claimed, owner))
        elif self._is_exhausted(claimed, definition):
            logger.error("workflow %s is set aside: too many attempts", claimed.workflow_id)
            self._spawn(self._set_aside(claimed, owner))
        else:
            self._enter(Run(claimed, owner, definition, self._resources, history))

    def interrupt(
        self, workflow_id: str, reason: str, owner: str | None = None, *, cancelled: bool | None = None
    ) -> None:
        """Stop a run that must not go on; nothing happens when it, or the one of that owner, is not here.

        `cancelled` says whether that is why, None that only the database knows.
        """
        run = self.running.get(workflow_id)
        if run is not None and owner in (None, run.owner) and not run.concluding:
            run.interrupt(RunInterrupted(workflow_id, reason, cancelled=cancelled))

    async def drain(self, seconds: float) -> None:
        """Let active runs end for so long, then interrupt the rest; those that wait are not waited for."""
        await self._wait(lambda: self.active > len(self._unstoppable()), seconds)
        for run in list(self.running.values()):
            run.interrupt(RunInterrupted(run.workflow_id, "its executor is shutting down"))
        await self._wait(lambda: bool(self._tasks - self._unstoppable()), seconds)
        for run in list(self.running.values()):
            if run.task is not None:
                run.task.cancel()

    def _unstoppable(self) -> set[Any]:
        """What is not waited for: threads of interrupted runs, which may be in a step that never asks."""
        return {
            run.task
            for run in self.running.values()
            if run.interruption is not None and not run.definition.is_async and not run.shields.active
        }

    # -- one attempt --------------------------------------------------------------------------------------

    async def _attempt(self, run: Run, former: Run | None) -> None:
        try:
            if former is not None and former.task is not None:
                await asyncio.wait([former.task], timeout=FAREWELL)
            limit = self._limit(run.claimed, run.definition)
            if self.trials.is_suspect(run.claimed, limit):
                self._keep(await self.trials.begin(run.claimed, run.owner, limit))
            while (anew := await self._generation(run)) is not None:
                run = anew
        except RunInterrupted as interruption:
            logger.info("%s", interruption)
        except asyncio.CancelledError:
            logger.info("workflow %s stops here: %s", run.workflow_id, run.interruption)
        except Exception:
            logger.exception("workflow %s stops here by a bug of durably; it is put back", run.workflow_id)
            self._spawn(self._put_back(run.claimed, run.owner))
        finally:
            self.trials.over(run.workflow_id)
            try:
                await run.shields.wait()
            finally:
                if isinstance(run.interruption, RunStranded):
                    self._spawn(self._strand(run, run.interruption.difference))
                self._leave(run)

    async def _generation(self, run: Run) -> Run | None:
        """Run the code to its recorded end; the run of its next generation, where it goes on anew."""
        with watching.attempt(run) as came_to:
            outcome = await self._outcome(run)
            if isinstance(outcome, ContinueAsNew):
                anew = await self._go_on_anew(run, outcome)
                if isinstance(anew, Run):
                    came_to.append("continued")
                    return anew
                outcome = anew
            if isinstance(outcome, TryAgain):
                await self._clear(run, outcome)
            came_to.append(watching.came_to(await self._conclude(run, outcome)))
        return None

    async def _go_on_anew(self, run: Run, ended: ContinueAsNew) -> Run | Finish:
        """Archive the generation; the run of the next one, or the outcome where there cannot be one."""
        codec = self._codec(run)
        record = generations.record(run, codec, ended.inputs)
        run.concluding = True  # its owner changes with the record
        try:
            generation = await run.record(record)
        except WorkflowIdInUse as error:
            return _failure(run, codec, error)
        anew = generations.next_generation(run, record, generation)
        run.interruption = RunInterrupted(run.workflow_id, "it went on anew")  # for what it left behind
        self.running[run.workflow_id] = anew
        return anew

    async def _outcome(self, run: Run) -> Finish | TryAgain | ContinueAsNew:
        """What the attempt came to, unless it was interrupted."""
        codec = self._codec(run)
        try:
            if run.definition.required_roles:
                authority.check(run.definition, authority.recorded(run.claimed))
            args, kwargs = self._arguments(run, codec)
            if not run.may_begin:
                await run.until_it_may_begin()
            value = await self._call(run, args, kwargs)
            run.refuse_interrupted()  # what was swallowed on the way has made this value
            run.refuse_forgotten()
            return _success(run, codec, value)
        except BaseException as error:
            if isinstance(error, ContinueAsNew) and run.interruption is None:
                return error
            if run.interruption is not None or isinstance(error, RunInterrupted):
                raise run.interruption or error from None
            if isinstance(error, GeneratorExit) or _is_cancelled(error):
                raise  # the loop is being torn down: no outcome of the workflow's
            run.watch.failed(error)
            end = tries.after_failure(run, codec, error)
            return end if isinstance(end, TryAgain) else _failure(run, codec, end)

    def _codec(self, run: Run) -> Codec:
        return self._resources.codecs.reader(run.claimed.serialization, run.claimed.inputs or "")

    def _arguments(self, run: Run, codec: Codec) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if run.claimed.inputs is None:
            raise DecodeError(f"workflow {run.workflow_id!r} has no recorded input")
        return codec.decode_arguments(run.claimed.inputs, run.definition.parameters)

    async def _call(self, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        frame.set(Frame(run))
        function, run.called = run.definition.function, True
        if run.definition.is_async:
            return await function(*args, **kwargs)
        return await self._resources.workers.run(functools.partial(_on_thread, run, function, args, kwargs))

    async def _clear(self, run: Run, again: TryAgain) -> None:
        """Before the next attempt: no step of this one goes on beside it, no transaction meets its error."""
        if steps := set(run.stepping):
            run.interruption = RunInterrupted(run.workflow_id, "it is tried again")
            for step in steps:
                step.cancel()
            await asyncio.wait(steps, timeout=FAREWELL)
        if not run.has_checkpoints or self._resources.forget_failed is None:
            return
        try:
            await self._resources.forget_failed(again.workflow_id)
        except Exception as error:  # the application's database is away: the attempt ends when it is back
            raise run.given_up(error) from error

    async def _conclude(self, run: Run, outcome: Finish | TryAgain) -> Finish | TryAgain:
        """Record the outcome; which one, for where it does not fit another one does."""
        run.concluding = True
        try:
            await self._resources.writer.submit(outcome)
        except RunInterrupted:
            raise
        except Exception as error:
            logger.exception("the outcome of workflow %s cannot be stored", run.workflow_id)
            outcome = _failure(run, self._codec(run), _unstorable(error))
            await self._resources.writer.submit(outcome)
        if isinstance(outcome, TryAgain):
            run.interruption = RunInterrupted(run.workflow_id, "it is tried again")  # for what it left behind
            self._resources.hub.expect(outcome.seconds)
            return outcome
        if run.has_checkpoints:
            self._resources.forget(run.workflow_id)
        self._resources.hub.announce(
            ResultRow(
                run.workflow_id, outcome.status, outcome.output, outcome.error, run.claimed.serialization
            )
        )
        return outcome

    # -- bookkeeping --------------------------------------------------------------------------------------

    def _enter(self, run: Run) -> None:
        before = self.running.get(run.workflow_id)
        if before is not None:
            before.interrupt(RunInterrupted(run.workflow_id, "it begins anew in this process"))
        self.running[run.workflow_id] = run
        queue = run.claimed.queue_name or ""
        self.by_queue[queue] = self.by_queue.get(queue, 0) + 1
        run.task = self._spawn(self._attempt(run, before))
        if run.claimed.deadline_ms is not None:
            self._resources.hub.expect(run.claimed.deadline_ms / 1000 - self._resources.database_now())

    def _leave(self, run: Run) -> None:
        if self.running.get(run.workflow_id) is run:
            del self.running[run.workflow_id]
        queue = run.claimed.queue_name or ""
        self.by_queue[queue] -= 1
        self._freed(queue)

    def _park(self, run: Run, change: int) -> None:
        """A run counts as parked while at least one of its operations waits."""
        if change > 0 and run.parked == 1:
            self.trials.over(run.workflow_id)
            self._parked += 1
            self._freed("")
        elif change < 0 and run.parked == 0:
            self._parked -= 1

    def _is_exhausted(self, claimed: Claimed, definition: WorkflowDefinition) -> bool:
        return claimed.recovery_attempts > self._limit(claimed, definition) + 1

    @staticmethod
    def _limit(claimed: Claimed, definition: WorkflowDefinition) -> int:
        limits = (claimed.max_recovery_attempts, definition.max_recovery_attempts, DEFAULT_ATTEMPTS)
        return next(limit for limit in limits if limit is not None)

    async def _put_back(self, claimed: Claimed, owner: str) -> None:
        with _logged_trouble(claimed):
            await self._store.release([(claimed.workflow_id, owner)])

    async def _set_aside(self, claimed: Claimed, owner: str) -> None:
        with _logged_trouble(claimed):
            await self._store.set_aside([(claimed.workflow_id, owner)])
        self._freed(claimed.queue_name or "")

    async def _strand(self, run: Run, difference: NonDeterminism) -> None:
        identity = self._identity()
        stranding = Stranding(
            workflow_id=run.workflow_id,
            owner=run.owner,
            application_name=identity.application_name,
            executor_id=identity.executor_id,
            code=identity.code,
            function_id=difference.function_id,
            asked=difference.asked,
            recorded=difference.recorded,
            difference=str(difference),
        )
        logger.error("stranded, and set aside: %s", difference)
        with _logged_trouble(run.claimed):
            await self._store.strand(stranding)

    def _spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        return self._keep(self._resources.loop.create_task(coroutine, context=self._context.copy()))

    def _keep(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _wait(self, going: Callable[[], bool], seconds: float) -> None:
        end = self._resources.world.monotonic() + seconds
        while going() and self._resources.world.monotonic() < end:
            await self._resources.world.sleep(0.01)


@contextlib.contextmanager
def _logged_trouble(claimed: Claimed) -> Iterator[None]:
    """What cannot be done now, the heartbeat's comparison of owned and running rows does later."""
    try:
        yield
    except DatabaseError as error:
        logger.warning("workflow %s is still marked as ours: %s", claimed.workflow_id, error)


def _on_thread(run: Run, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    run.refuse_interrupted()  # while it waited for a thread
    return function(*args, **kwargs)


def _is_cancelled(error: BaseException) -> bool:
    """Whether the attempt's own task was cancelled, rather than one that the workflow awaited."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _success(run: Run, codec: Codec, value: Any) -> Finish:
    try:
        text = codec.encode(
            value,
            subject=f"result of workflow {run.definition.name!r}",
            type_=run.definition.parameters.result_type,
        )
    except EncodeError as error:
        return _failure(run, codec, error)
    return Finish(workflow_id=run.workflow_id, owner=run.owner, status="SUCCESS", output=text)


def _failure(run: Run, codec: Codec, error: BaseException) -> Finish:
    return Finish(
        workflow_id=run.workflow_id, owner=run.owner, status="ERROR", error=codec.encode_error(error)
    )


def _unstorable(error: Exception) -> Exception:
    return EncodeError("", type(error).__name__, "the database refused the outcome", subject="outcome")
