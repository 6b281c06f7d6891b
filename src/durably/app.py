"""The application: a name, a version, and what it declares; `running` is what makes it run."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

from durably.client import AsyncDBOSClient
from durably.codec import Codec, Codecs, Parameters, encode_scheduled
from durably.concurrency.notice import warn
from durably.concurrency.observers import observers as observed_by
from durably.concurrency.portal import Portal, on_loop
from durably.concurrency.world import RealWorld
from durably.core import checks
from durably.core.ids import new_id
from durably.core.limits import CONFLICTS, limited_queue
from durably.core.ports import QueueRow
from durably.core.records import Started
from durably.core.schedules import checked
from durably.datasources import kind_of
from durably.decorators import (
    AsyncWorkflow,
    BlockingWorkflow,
    WorkflowDecorator,
    step_function,
    transaction_function,
    workflow_methods,
)
from durably.engine.call import Call
from durably.engine.engine import Engine
from durably.engine.registry import StepDefinition, WorkflowDefinition, seconds
from durably.engine.transactions import Datasource, TransactionDefinition
from durably.errors import ArgumentsIgnored, ConfigurationError, InvalidOption, NotRunning, WrongContext
from durably.logs import workflow_logger
from durably.observing import Observer, Vitals
from durably.recording import RunPortal
from durably.running import Declared, Running, Settings
from durably.types import Isolation, QueueConflict, RateLimit, Retry, ScheduleOverlap, ScheduleSpec, Seconds

__all__ = ["App", "Queue"]

ISOLATION_LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Queue:
    """A queue of an application; its limits are stored in the database when the application starts.

    queue = app.queue("ticketQueue", concurrency=10)
    async with app:
        handle = await queue.enqueue(purchase_ticket, "Stonebraker")
    """

    def __init__(self, row: QueueRow) -> None:
        self._row = row

    @property
    def name(self) -> str:
        """The queue's name.

        handle = await purchase_ticket.options(queue_name=queue.name).start("Stonebraker")
        """
        return self._row.name

    @overload
    def enqueue(
        self, workflow: AsyncWorkflow[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, Any]: ...

    @overload
    def enqueue(self, workflow: BlockingWorkflow[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Any: ...

    def enqueue(self, workflow: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Enqueue a workflow here: awaited for an `async def` one, at once for a `def` one; its handle.

        handle = await queue.enqueue(purchase_ticket, "Stonebraker")
        """
        return workflow.options(queue_name=self.name).start(*args, **kwargs)


class App:
    """An application: workflows and steps, and the process that runs them.

    The system database is found as a client finds it: beside `database_url`, or `system_database_url`
    outright, or from DURABLY_DATABASE_URL; with none of them an embedded PostgreSQL serves, in ./.durably.
    It is created and brought up at launch unless `migrate=False`. `version` stays the same across edits
    unless it is pinned here. `lease` is in seconds: so long after a process died elsewhere its work goes on.
    With `listen_queues` this process takes work of these queues only, and of DBOS's internal one.
    `observers` are told what happens, for traces and metrics: see `durably.observing`.

        app = App("tickets")

        @app.workflow()
        async def purchase_ticket(event: str) -> str:
            return f"a ticket for {event}"

        async with app:
            await purchase_ticket("Stonebraker")
    """

    def __init__(
        self,
        name: str,
        database_url: str | None = None,
        system_database: str | None = None,
        *,
        system_database_url: str | None = None,
        schema: str = "dbos",
        version: str | None = None,
        codec: str | Codec = "portable_json",
        allow_serializations: Iterable[str] = (),
        errors: Iterable[type[BaseException]] = (),
        migrate: bool = True,
        listen: bool = True,
        lease: Seconds = 15.0,
        max_running: int = 1000,
        threads: int = 64,
        grace: Seconds = 10.0,
        listen_queues: Iterable[str] | None = None,
        observers: Iterable[Observer] = (),
    ) -> None:
        if not name.strip():
            raise InvalidOption("name", name, "an application needs a name")
        self.name = name
        self.version: str = version or f"{name}@stable"
        self._settings = Settings(
            name=name,
            version=self.version,
            schema=schema,
            urls=(database_url, system_database, system_database_url),
            codecs=Codecs(codec, allow=allow_serializations, errors=errors),
            migrate=migrate,
            listen=listen,
            lease=seconds(lease) or 15.0,
            max_running=max_running,
            threads=threads,
            grace=seconds(grace) or 0.0,
        )
        self._declared = Declared()
        self.listen_queues: list[str] | None = (
            None if listen_queues is None else checks.texts("listen_queues", [*listen_queues])
        )
        self.observers: list[Observer] = [*observers]
        self._running: Running | None = None
        self._portal: Portal | None = None

    # -- registration -------------------------------------------------------------------------------------

    def workflow(
        self,
        _: None = None,
        /,
        *,
        name: str | None = None,
        class_name: str | None = None,
        max_recovery_attempts: int | None = None,
        serialization: str | None = None,
        required_roles: Sequence[str] = (),
        retry: Retry | None = None,
    ) -> WorkflowDecorator:
        """Register a function as a workflow, under its qualified name unless `name` is given.

        A method works too: `@app.workflow()` stands above `@classmethod` and `@staticmethod`, and an instance
        is made with `register_instance`. Methods of instances and classes have their class's name as
        `class_name` unless another is given. With `required_roles` a caller needs one of them, else
        NotAuthorized.

        With a `retry` a workflow whose code raises is tried again, under its id and after its pauses, in
        whichever process is there then: attempts and instants are in the database. What was recorded before
        the operation that failed is not repeated; a child that failed has failed, and may have a `retry` of
        its own. Who waits for the result goes on waiting, and the deadline is that of all attempts, which
        `aio.context().retry_attempt` counts. An error that is not worth another attempt is the outcome, and
        in the end WorkflowRetriesExhausted is, which names the last error.

        @app.workflow(name="purchaseTicket", class_name="DBOSTicketAuthority")
        async def purchase_ticket(event: str) -> str: ...
        """
        _refuse_bare("workflow", _)
        return WorkflowDecorator(
            self,
            name=name,
            class_name=class_name,
            max_recovery_attempts=max_recovery_attempts,
            serialization=serialization,
            required_roles=tuple(checks.texts("required_roles", required_roles)),
            retry=checks.rule("retry", retry),
        )

    def register_instance(self, name: str, instance: T) -> T:
        """Name an object whose methods are workflows, so that another process finds its own by that name.

        The name is the row's `config_name`. Register it before the application starts, in every process that
        is to run its workflows; those of an instance that a process does not know are left for one that does.

            box_office = app.register_instance("main-hall", BoxOffice(seats=400))
            async with app:
                await box_office.purchase_ticket("Stonebraker")
        """
        checks.name("name", name)
        methods = workflow_methods(self, instance)
        if not methods:
            kind = type(instance).__name__
            raise ConfigurationError(f"{kind} has no method that is a workflow of application {self.name!r}")
        for method in methods:
            self._declared.registry.add(method.bind(instance, name))
        return instance

    def step(
        self,
        _: None = None,
        /,
        *,
        name: str | None = None,
        retry: Retry | None = None,
        timeout: Seconds | None = None,
        heartbeat_timeout: Seconds | None = None,
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Register a function as a step: in a workflow its outcome is recorded before control returns.

        `timeout` is seconds for each attempt, which ends with StepTimeout: an async step is interrupted, a
        blocking one is asked to end (`sync.cancel_requested`), and its late result does not count. The same
        holds for `heartbeat_timeout`, the seconds that may pass until the next `aio.heartbeat()`.

            @app.step(retry=Retry(attempts=5), timeout=10)
            async def charge(card: str, cents: int) -> str: ...
        """
        _refuse_bare("step", _)

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if isinstance(function, staticmethod | classmethod):
                return type(function)(decorate(function.__func__))
            self._declared.functions.append(function)
            definition = StepDefinition(
                name=name or function.__qualname__,
                function=function,
                retry=checks.rule("retry", retry),
                timeout=checks.duration("timeout", timeout, zero=False),
                heartbeat_timeout=checks.duration("heartbeat_timeout", heartbeat_timeout, zero=False),
                result_type=Parameters.of(function).result_type,
            )
            self._declared.steps.append(definition.name)
            return step_function(definition)

        return decorate

    def transaction(
        self,
        _: None = None,
        /,
        *,
        name: str | None = None,
        isolation: Isolation = "SERIALIZABLE",
    ) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[P, R]]:
        """Register a function as a transaction on the application's database: a step, exactly once.

        Its first parameter is given a connection or session in an open transaction: psycopg's Connection or
        AsyncConnection, or SQLAlchemy's Connection, Session, AsyncConnection or AsyncSession. What it writes
        and the record of its outcome commit together, so that neither a crash nor a lost answer makes it
        happen twice; an error undoes it, and is recorded. Serialization failures, deadlocks and lost
        connections are tried again. Outside of a workflow it is an ordinary transaction.

            @app.transaction()
            async def pay(connection: AsyncConnection, account: str, cents: int) -> None: ...

            async with app:
                await pay("4242", 1000)  # without the connection, in a workflow too
        """
        _refuse_bare("transaction", _)
        checks.choice("isolation", isolation, ISOLATION_LEVELS)

        def decorate(function: Callable[Concatenate[Any, P], R]) -> Callable[P, R]:
            label = name or function.__qualname__
            self._declared.functions.append(function)
            self._declared.steps.append(label)
            definition = TransactionDefinition(
                name=label,
                function=function,
                kind=kind_of(label, function, is_async=inspect.iscoroutinefunction(function)),
                isolation=isolation,
                result_type=Parameters.of(function).result_type,
                source=self._datasource,
            )
            self._declared.has_transactions = True
            return transaction_function(definition)

        return decorate

    def queue(
        self,
        name: str,
        *,
        concurrency: int | None = None,
        worker_concurrency: int | None = None,
        limiter: RateLimit | None = None,
        partition_concurrency: int | None = None,
        partition_worker_concurrency: int | None = None,
        partition_limiter: RateLimit | None = None,
        on_conflict: QueueConflict = "update_if_latest_version",
    ) -> Queue:
        """Declare a queue: at most `concurrency` workflows run at a time, `worker_concurrency` per process.

        `limiter` bounds starts in time. With a `partition_` limit every partition key has that limit of its
        own, all keys are served in turn, and every workflow needs a key. The limits are stored when the
        application starts, unless its version is not the latest or `on_conflict` is "never_update" and the
        queue exists; a client may change them at any time.

        queue = app.queue("ticketQueue", concurrency=10, limiter=RateLimit(limit=100, period=60))
        """
        checks.choice("on_conflict", on_conflict, CONFLICTS)
        row = limited_queue(
            name,
            concurrency=concurrency,
            worker_concurrency=worker_concurrency,
            limiter=limiter,
            partition_concurrency=partition_concurrency,
            partition_worker_concurrency=partition_worker_concurrency,
            partition_limiter=partition_limiter,
        )
        self._declared.queues[name] = row, on_conflict
        return Queue(row)

    def schedule(
        self,
        name: str,
        workflow: AsyncWorkflow[..., Any] | BlockingWorkflow[..., Any],
        schedule: str,
        *,
        context: Any = None,
        cron_timezone: str | None = None,
        queue: Queue | str | None = None,
        automatic_backfill: bool = False,
        catch_up: Seconds = 60.0,
        jitter: Seconds = 0.0,
        overlap: ScheduleOverlap = "allow",
    ) -> None:
        """Declare a schedule, which starts a workflow with the scheduled time and `context`.

        When the application starts it is stored as `client.apply_schedules` would, if it is not what the code
        declared last time: what was changed at run time by a client, the CLI or the console outlives a
        restart, and new code replaces it. A pause outlives both. One that was deleted is created again: pause
        it instead. `ScheduleSpec` says what the options mean.

        Raises InvalidOption for an expression that cannot be read or never fires.

        app.schedule("nightly", report, "0 3 * * *", cron_timezone="Europe/Berlin", overlap="skip")
        """
        spec = ScheduleSpec(
            schedule_name=name,
            workflow_name=workflow.definition.name,
            workflow_class_name=workflow.definition.class_name,
            schedule=schedule,
            context=context,
            cron_timezone=cron_timezone,
            queue_name=queue.name if isinstance(queue, Queue) else queue,
            automatic_backfill=automatic_backfill,
            catch_up=catch_up,
            jitter=jitter,
            overlap=overlap,
        )
        world = RealWorld()
        self._declared.schedules[name] = checked(
            spec,
            schedule_id=new_id(world.random),
            application_name=self.name,
            now=datetime.fromtimestamp(world.now(), UTC),
            context=encode_scheduled(context, subject=f"context of schedule {name!r}"),
        )

    # -- life ---------------------------------------------------------------------------------------------

    async def __aenter__(self) -> App:
        await self._begin()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._end()

    def __enter__(self) -> App:
        self.launch()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()

    def launch(self) -> None:
        """Start the application on a loop thread of its own. Twice is fine.

        app.launch()
        """
        if self._engine is not None:
            return
        portal = Portal.start(f"durably-{self.name}")
        try:
            portal.call(self._begin)
        except BaseException:
            portal.close()
            raise
        self._portal = portal

    def shutdown(self) -> None:
        """Let active runs end within the grace, hand the rest to other processes, stop. Twice is fine.

        app.shutdown()
        """
        if self._portal is None:
            return
        self._portal.call(self._end)
        self._portal.close()
        self._portal = None

    @contextlib.asynccontextmanager
    async def lifespan(self, _: object = None) -> AsyncIterator[None]:
        """For Starlette and FastAPI: `FastAPI(lifespan=app.lifespan)`; they do what `async with app` does.

        async with app.lifespan(): print(app.executor_id)
        """
        async with self:
            yield

    @property
    def executor_id(self) -> str:
        """The id of this process, while the application runs.

        async with app: print(app.executor_id)
        """
        return self._engine_running().identity.executor_id

    def vitals(self) -> Vitals:
        """How this process is: its state, runs, lag, lease, and whether it reaches the database.

        It asks nobody and never waits; any thread may call it, also while the event loop is blocked.

        print(app.vitals().state)
        """
        if self._running is None or self._running.signs is None:
            return Vitals(state="stopped", application_name=self.name, app_version=self.version)
        return self._running.signs.read()

    @property
    def logger(self) -> logging.Logger:
        """The application's logger, called like it: its records say which workflow and step they are of.

        What a workflow's code logs is not logged again when it is replayed: see `durably.logs`.

        app.logger.info("seats are held")
        """
        return workflow_logger(self.name)

    @property
    def client(self) -> AsyncDBOSClient:
        """A client of the application's own database, while the application runs.

        Used in a workflow it records what it does to other workflows, or sees of them: see `aio.client`.

        async with app:
            failed = await app.client.list_workflows(WorkflowFilter(status="ERROR"))
        """
        self._engine_running()
        assert self._running is not None and self._running.client is not None
        return self._running.client

    async def _begin(self) -> None:
        if self._engine is not None:
            raise ConfigurationError(f"application {self.name!r} runs already in this process")
        self._running = Running(
            self._settings, self._declared, observed_by(self.observers), self.listen_queues
        )
        await self._running.begin(
            own=lambda plain: plain.of(self),
            client=lambda: self.client,
            calls=self._calls,
            vitals=self.vitals,
        )

    async def _end(self) -> None:
        if self._running is not None:
            await self._running.end()

    async def _forget_transactions(self, workflow_id: str) -> None:
        if self._running is not None:
            await self._running.forget_transactions(workflow_id)

    def _datasource(self, kind: str) -> Datasource:
        self._engine_running()
        assert self._running is not None
        return self._running.datasource(kind)

    # -- calls --------------------------------------------------------------------------------------------

    @property
    def _engine(self) -> Engine | None:
        return None if self._running is None else self._running.engine

    def _engine_running(self) -> Engine:
        if (engine := self._engine) is None:
            raise NotRunning(
                f"application {self.name!r} is not running: use `async with app`, `with app` or app.launch()"
            )
        return engine

    async def _start(
        self, definition: WorkflowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any], call: Call
    ) -> Started:
        engine = self._engine_running()
        started = await on_loop(engine.resources.loop, engine.start_workflow(definition, args, kwargs, call))
        if started.arguments_ignored:
            await warn(ArgumentsIgnored(started.workflow_id, name=definition.name))
        return started

    def _calls(self) -> Portal:
        """What carries blocking calls to the application's loop."""
        return RunPortal(self._portal or Portal(self._engine_running().resources.loop))

    def _start_blocking(
        self, definition: WorkflowDefinition, args: tuple[Any, ...], kwargs: dict[str, Any], call: Call
    ) -> Started:
        try:
            return self._blocking(self._start, definition, args, kwargs, call)
        except WrongContext:
            raise WrongContext(
                f"workflow {definition.name!r} is a `def` one: called on its application's own event loop it "
                f"would block it; await asyncio.to_thread({definition.name}, ...), or make it `async def`"
            ) from None

    def _blocking(self, function: Callable[..., Coroutine[Any, Any, R]], *args: Any) -> R:
        return self._calls().call(function, *args)


def _refuse_bare(decorator: str, given: object) -> None:
    if given is not None:
        name = getattr(given, "__name__", repr(given))
        raise TypeError(
            f"@app.{decorator} needs parentheses: write @app.{decorator}() above {name}, and name= for a name"
        )
