"""The application: a name, a registry, a version. The composition root: it alone wires the layers."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from durably import config
from durably.client import AsyncDBOSClient, DBOSClient
from durably.client._opening import embedded_server
from durably.codec import Codec, Codecs, Parameters, encode_scheduled, visible_errors
from durably.concurrency.notice import warn
from durably.concurrency.observers import observers as observed_by
from durably.concurrency.portal import Portal, on_loop
from durably.concurrency.world import RealWorld
from durably.core import checks
from durably.core.ids import new_id
from durably.core.limits import CONFLICTS, limited_queue
from durably.core.ports import Beat, QueueRow
from durably.core.records import Started
from durably.core.schedules import NewSchedule, checked
from durably.datasources import Datasources, kind_of
from durably.decorators import (
    AsyncWorkflow,
    BlockingWorkflow,
    step_function,
    transaction_function,
    workflow_methods,
)
from durably.engine.call import Call
from durably.engine.code import fingerprint
from durably.engine.engine import Engine
from durably.engine.host import Processes
from durably.engine.leases import Leases
from durably.engine.registry import Registry, StepDefinition, WorkflowDefinition, published, seconds
from durably.engine.transactions import Datasource, TransactionDefinition
from durably.engine.vitals import VitalSigns
from durably.errors import ArgumentsIgnored, ConfigurationError, InvalidOption, NotRunning, WrongContext
from durably.logs import workflow_logger
from durably.observing import Observer, Vitals
from durably.recording import RecordingClient, RunPortal
from durably.store import migrate as schema_migration
from durably.store.database import Database
from durably.store.datasources import is_one_database
from durably.store.notify import Listener
from durably.store.postgres import PostgresStore
from durably.store.sql import Schemas
from durably.types import Isolation, QueueConflict, RateLimit, Retry, ScheduleOverlap, ScheduleSpec, Seconds

if TYPE_CHECKING:
    from durably.decorators import AsyncClassWorkflow, BlockingClassWorkflow

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
        self.schema = schema
        self._urls = (database_url, system_database, system_database_url)
        self._codecs = Codecs(codec, allow=allow_serializations, errors=errors)
        self._migrate = migrate
        self._listen = listen
        self._lease = seconds(lease) or 15.0
        self._max_running = max_running
        self._threads = threads
        self._grace = seconds(grace) or 0.0
        self.listen_queues: list[str] | None = (
            None if listen_queues is None else checks.texts("listen_queues", [*listen_queues])
        )
        self.observers: list[Observer] = [*observers]
        self._signs: VitalSigns | None = None
        self._registry = Registry()
        self._queues: dict[str, tuple[QueueRow, QueueConflict]] = {}
        self._schedules: dict[str, NewSchedule] = {}
        self._functions: list[Callable[..., Any]] = []  # whose modules name the errors that are rebuilt
        self._steps: list[str] = []
        self._has_transactions = False
        self._application_url: str | None = None  # the system database, where there is no other
        self._datasources: Datasources | None = None
        self._engine: Engine | None = None
        self._client: AsyncDBOSClient | None = None
        self._portal: Portal | None = None
        self._exits: contextlib.AsyncExitStack | None = None

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
    ) -> _WorkflowDecorator:
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
        return _WorkflowDecorator(
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
            self._registry.add(method.bind(instance, name))
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
            self._functions.append(function)
            definition = StepDefinition(
                name=name or function.__qualname__,
                function=function,
                retry=checks.rule("retry", retry),
                timeout=checks.duration("timeout", timeout, zero=False),
                heartbeat_timeout=checks.duration("heartbeat_timeout", heartbeat_timeout, zero=False),
                result_type=Parameters.of(function).result_type,
            )
            self._steps.append(definition.name)
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
            self._functions.append(function)
            self._steps.append(label)
            definition = TransactionDefinition(
                name=label,
                function=function,
                kind=kind_of(label, function, is_async=inspect.iscoroutinefunction(function)),
                isolation=isolation,
                result_type=Parameters.of(function).result_type,
                source=self._datasource,
            )
            self._has_transactions = True
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
        self._queues[name] = row, on_conflict
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

        It is stored when the application starts, as `client.apply_schedules` would; `ScheduleSpec` says what
        the options mean. Raises InvalidOption for an expression that cannot be read or never fires.

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
        self._schedules[name] = checked(
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
        if self._signs is None:
            return Vitals(state="stopped", application_name=self.name, app_version=self.version)
        return self._signs.read()

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
        if self._client is None:
            raise NotRunning(f"application {self.name!r} is not running")
        return self._client

    async def _begin(self) -> None:
        if self._engine is not None:
            raise ConfigurationError(f"application {self.name!r} runs already in this process")
        async with contextlib.AsyncExitStack() as exits:
            await self._wire(exits)
            self._exits = exits.pop_all()

    async def _end(self) -> None:
        exits, self._exits = self._exits, None
        if exits is not None:
            await exits.aclose()

    async def _wire(self, exits: contextlib.AsyncExitStack) -> None:
        """Each part enters the stack once it runs, so that the stack ends them in the opposite order."""
        world = RealWorld()
        for function in self._functions:
            self._codecs.add_errors(visible_errors(function))
        url = await self._system_url(exits)
        database = await self._open(exits, url, max_size=4)
        await self._prepare(database)
        store = PostgresStore(database, self.name, world)
        for queue, on_conflict in self._queues.values():
            await store.register_queue(queue, app_version=self.version, on_conflict=on_conflict)
        for schedule in self._schedules.values():
            await store.put_schedule(schedule)
        await store.publish_workflows(self.version, published(self._registry))
        observer = observed_by(self.observers)
        engine = Engine(
            store=store,
            world=world,
            registry=self._registry,
            codecs=self._codecs,
            application_name=self.name,
            app_version=self.version,
            lease_seconds=self._lease,
            capacity=self._max_running,
            threads=self._threads,
            code=fingerprint(self._functions, [*self._steps, *self._registry.runnable()]),
            listen_queues=self.listen_queues,
            partitioned=[name for name, (queue, _) in self._queues.items() if queue.partitioned],
            observer=observer,
        )
        self._client = RecordingClient._over(
            database,
            codecs=self._codecs,
            application_name=self.name,
            listen=self._listen,
            observer=observer,
        ).of(self)
        await self._open_datasources(exits, engine, url)
        engine.resources.client = lambda: self.client
        engine.resources.client_blocking = lambda: DBOSClient(self.client, self._calls())
        exits.push_async_callback(self._client.destroy)
        leases, start_leases = self._leases(exits, url, engine, observer)  # end after the engine's grace
        self._watch(exits, VitalSigns(engine, leases, observer), observer)
        await engine.start()
        self._engine = engine
        exits.push_async_callback(self._stop_engine, engine)
        await start_leases()
        if self._listen:
            listener = Listener(database, engine.hub.notice, world)
            listener.start()
            exits.push_async_callback(listener.stop)

    def _watch(self, exits: contextlib.AsyncExitStack, signs: VitalSigns, observer: Observer) -> None:
        """Tell observers of the start and the end, and measure the loop between them."""

        def ended() -> None:
            signs.stop()
            self._signs = None
            observer.ended()

        exits.callback(ended)
        self._signs = signs
        signs.start()
        observer.launched(self.vitals)

    async def _open_datasources(self, exits: contextlib.AsyncExitStack, engine: Engine, url: str) -> None:
        """The application's own database, where it has transactions."""
        if not self._has_transactions:
            return
        own = self._application_url or url
        if self._migrate and self._urls == (None, None, None) and not config.default_url():
            await schema_migration.ensure_database(own)  # the embedded server's, which nobody else makes
        sources = Datasources(
            own, Schemas(self.schema), together=is_one_database(own, url), size=min(self._max_running, 16)
        )
        exits.push_async_callback(sources.close)
        await sources.open(create=self._migrate)
        engine.resources.forget = sources.forget
        engine.resources.forget_failed = sources.forget_failed
        self._datasources = sources

    async def _forget_transactions(self, workflow_id: str) -> None:
        """Delete what the transactions of a workflow that has ended left in the application's database."""
        if self._datasources is not None:
            await self._datasources.forget_now(workflow_id)

    def _datasource(self, kind: str) -> Datasource:
        if self._datasources is None:
            self._engine_running()
        assert self._datasources is not None
        return self._datasources.of(kind)

    async def _stop_engine(self, engine: Engine) -> None:
        await engine.stop(grace=self._grace)
        self._engine = None

    async def _open(self, exits: contextlib.AsyncExitStack, url: str, *, max_size: int) -> Database:
        database = Database(url, schema=self.schema, max_size=max_size, label=f"durably {self.name}"[:63])
        exits.push_async_callback(database.close)
        return database

    async def _prepare(self, database: Database) -> None:
        """Create the database and its tables, or bring them up, or (migrate=False) only look."""
        if self._migrate:
            await schema_migration.ensure_database(database.url)
        async with database.dedicated() as connection:
            if self._migrate:
                await schema_migration.migrate(connection, self.schema)
            else:
                await schema_migration.check(connection, self.schema, need_extension=True)
        await database.open()

    def _leases(
        self, exits: contextlib.AsyncExitStack, url: str, engine: Engine, observer: Observer
    ) -> tuple[Leases, Callable[[], Coroutine[Any, Any, None]]]:
        """What starts the heartbeats, on a loop and a connection of their own: see `engine.leases`."""
        loop = asyncio.get_running_loop()

        def beaten(beat: Beat) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(engine.beaten, beat, engine.world.now())

        portal = Portal.start(f"durably-{self.name}-leases")
        exits.callback(portal.close)
        database = Database(url, schema=self.schema, max_size=1, label=f"durably {self.name} lease"[:63])
        leases = Leases(
            store=PostgresStore(database, self.name, engine.world),
            identity=lambda: engine.identity,
            liveness=Processes(),
            world=engine.world,
            beaten=beaten,
            runnable=self._registry.runnable,
            observer=observer,
        )

        async def start() -> None:
            await database.open()
            await leases.start()

        async def stop() -> None:
            await leases.stop()
            await database.close()

        exits.push_async_callback(asyncio.to_thread, functools.partial(portal.call, stop))
        return leases, functools.partial(asyncio.to_thread, portal.call, start)

    async def _system_url(self, exits: contextlib.AsyncExitStack) -> str:
        database_url, system_database, outright = self._urls
        if database_url is None and outright is None:
            database_url = config.default_url()
        if database_url is None and outright is None:
            from durably import embedded

            own = await asyncio.to_thread(embedded.start)
            exits.push_async_callback(asyncio.to_thread, own.stop)
            self._application_url = own.url(self.name)
            return config.system_database_url(self._application_url, system_database)
        url = config.system_database_url(database_url, system_database, outright=outright)
        self._application_url = None if database_url is None else config.plain_url(database_url)
        if server := await embedded_server(url):
            exits.push_async_callback(asyncio.to_thread, server.stop)
        return url

    # -- calls --------------------------------------------------------------------------------------------

    def _engine_running(self) -> Engine:
        if self._engine is None:
            raise NotRunning(
                f"application {self.name!r} is not running: use `async with app`, `with app` or app.launch()"
            )
        return self._engine

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


class _WorkflowDecorator:
    """`@app.workflow(...)`: keeps the function's colour and signature."""

    def __init__(self, app: App, **options: Any) -> None:
        self._app = app
        self._options = options

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[Concatenate[type[T], P], Coroutine[Any, Any, R]]
    ) -> AsyncClassWorkflow[P, R]: ...

    @overload
    def __call__(self, function: Callable[Concatenate[type[T], P], R]) -> BlockingClassWorkflow[P, R]: ...

    @overload  # a coroutine function is a function too; the first that fits is meant
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[P, Coroutine[Any, Any, R]]
    ) -> AsyncWorkflow[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R]) -> BlockingWorkflow[P, R]: ...

    def __call__(self, function: Any) -> Any:
        plain = function.__func__ if isinstance(function, staticmethod | classmethod) else function
        definition = WorkflowDefinition(**self._named(plain, function))
        self._app._functions.append(plain)
        if not (definition.takes_self or definition.takes_class):  # else when there is an instance, a class
            self._app._registry.add(definition)
        return (AsyncWorkflow if definition.is_async else BlockingWorkflow)(self._app, definition)

    def _named(self, plain: Callable[..., Any], given: object) -> dict[str, Any]:
        """The name is the function's; a method that is called on an instance or a class has that class's."""
        options = dict(self._options)
        name = options.pop("name") or plain.__qualname__
        takes_self = plain is given and _class_of(plain) is not None and _first_parameter(plain) == "self"
        takes_class = isinstance(given, classmethod)
        if plain is given and _class_of(plain) and _first_parameter(plain) == "cls":
            raise TypeError(f"write @app.workflow() above @classmethod: {name}")
        if options["class_name"] is None and (takes_self or takes_class):
            options["class_name"] = _class_of(plain)
        return {
            "name": name,
            "function": plain,
            "takes_self": takes_self,
            "takes_class": takes_class,
            **options,
        }


def _class_of(function: Callable[..., Any]) -> str | None:
    """The name of the class in whose body a function stands."""
    scope = function.__qualname__.rpartition(".")[0]
    return None if scope.endswith("<locals>") or not scope else scope.rpartition(".")[2]


def _first_parameter(function: Callable[..., Any]) -> str | None:
    return next(iter(inspect.signature(function).parameters), None)


def _refuse_bare(decorator: str, given: object) -> None:
    if given is not None:
        name = getattr(given, "__name__", repr(given))
        raise TypeError(
            f"@app.{decorator} needs parentheses: write @app.{decorator}() above {name}, and name= for a name"
        )
