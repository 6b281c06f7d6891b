"""An application that runs: the composition root, which alone wires the layers.

What an application declares and is told stands in `Declared` and `Settings`; `Running` makes the parts of
them, in the order in which they begin, and ends them in the opposite one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from durably import config
from durably.client import AsyncDBOSClient, DBOSClient
from durably.client._opening import embedded_server
from durably.codec import Codecs, visible_errors
from durably.concurrency.portal import Portal
from durably.concurrency.world import RealWorld
from durably.core.ports import QueueRow
from durably.core.schedules import NewSchedule
from durably.datasources import Datasources
from durably.engine.code import fingerprint
from durably.engine.engine import Engine
from durably.engine.host import Processes
from durably.engine.leases import Heartbeat, Leases
from durably.engine.registry import Registry, published
from durably.engine.transactions import Datasource
from durably.engine.vitals import VitalSigns
from durably.observing import Observer, Vitals
from durably.recording import RecordingClient
from durably.store import migrate as schema_migration
from durably.store.database import Database
from durably.store.datasources import is_one_database
from durably.store.notify import Listener
from durably.store.postgres import PostgresStore
from durably.store.sql import Schemas
from durably.types import QueueConflict

__all__ = ["Declared", "Running", "Settings"]


@dataclass(kw_only=True)
class Settings:
    """What an application was told; times in seconds."""

    name: str
    version: str
    schema: str
    urls: tuple[str | None, str | None, str | None]  # database, name of the system database, that outright
    codecs: Codecs
    migrate: bool
    listen: bool
    lease: float
    max_running: int
    threads: int
    grace: float


@dataclass
class Declared:
    """What an application's decorators and calls declared, until it is launched."""

    registry: Registry = field(default_factory=Registry)
    queues: dict[str, tuple[QueueRow, QueueConflict]] = field(default_factory=dict)
    schedules: dict[str, NewSchedule] = field(default_factory=dict)
    functions: list[Callable[..., Any]] = field(default_factory=list)  # their modules name errors to rebuild
    steps: list[str] = field(default_factory=list)
    has_transactions: bool = False

    def fingerprint(self) -> str:
        """The code's, by which a workflow that does not fit it is not tried with it again."""
        return fingerprint(self.functions, [*self.steps, *self.registry.runnable()])


class Running:
    """The parts of an application between its launch and its end."""

    def __init__(
        self, settings: Settings, declared: Declared, observer: Observer, listen_queues: list[str] | None
    ) -> None:
        self._settings = settings
        self._declared = declared
        self._observer = observer
        self._listen_queues = listen_queues
        self._world = RealWorld()
        self._exits = contextlib.AsyncExitStack()
        self._application_url: str | None = None  # the system database, where there is no other
        self._datasources: Datasources | None = None
        self.engine: Engine | None = None  # while it runs
        self.client: RecordingClient | None = None
        self.signs: VitalSigns | None = None

    async def begin(
        self,
        *,
        own: Callable[[RecordingClient], RecordingClient],
        client: Callable[[], AsyncDBOSClient],
        calls: Callable[[], Portal],
        vitals: Callable[[], Vitals],
    ) -> None:
        """Start every part, or none: what had begun ends when another cannot.

        `own` makes a client the application's; `client`, `calls` and `vitals` are what runs are given.
        """
        async with contextlib.AsyncExitStack() as exits:
            url = await self._system_url(exits)
            database = await self._opened(exits, url)
            engine = self._made(await self._stored(database))
            self.client = own(self._client(database))
            await self._open_datasources(exits, engine, url)
            engine.resources.client = client
            engine.resources.client_blocking = lambda: DBOSClient(client(), calls())
            exits.push_async_callback(self.client.destroy)
            leases, start_leases = self._leases(exits, url, engine)  # they end after the engine's grace
            self._watch(exits, VitalSigns(engine, leases, self._observer), vitals)
            await engine.start()
            self.engine = engine
            exits.push_async_callback(self._stop_engine, engine)
            await start_leases()
            if self._settings.listen:
                listener = Listener(database, engine.hub.notice, self._world)
                listener.start()
                exits.push_async_callback(listener.stop)
            self._exits = exits.pop_all()

    async def end(self) -> None:
        """Let runs end within the grace, hand the rest over, stop every part."""
        await self._exits.aclose()

    def datasource(self, kind: str) -> Datasource:
        """The application's database, by a kind of connection."""
        assert self._datasources is not None
        return self._datasources.of(kind)

    async def forget_transactions(self, workflow_id: str) -> None:
        """Delete what the transactions of a workflow that has ended left in the application's database."""
        if self._datasources is not None:
            await self._datasources.forget_now(workflow_id)

    # -- the database ---------------------------------------------------------------------------------------

    async def _system_url(self, exits: contextlib.AsyncExitStack) -> str:
        database_url, system_database, outright = self._settings.urls
        if database_url is None and outright is None:
            database_url = config.default_url()
        if database_url is None and outright is None:
            from durably import embedded

            own = await asyncio.to_thread(embedded.start)
            exits.push_async_callback(asyncio.to_thread, own.stop)
            self._application_url = own.url(self._settings.name)
            return config.system_database_url(self._application_url, system_database)
        url = config.system_database_url(database_url, system_database, outright=outright)
        self._application_url = None if database_url is None else config.plain_url(database_url)
        if server := await embedded_server(url):
            exits.push_async_callback(asyncio.to_thread, server.stop)
        return url

    async def _opened(self, exits: contextlib.AsyncExitStack, url: str) -> Database:
        """The system database, created and brought up, or (migrate=False) only looked at."""
        settings = self._settings
        database = Database(url, schema=settings.schema, label=f"durably {settings.name}"[:63])
        exits.push_async_callback(database.close)
        if settings.migrate:
            await schema_migration.ensure_database(database.url)
        async with database.dedicated() as connection:
            if settings.migrate:
                await schema_migration.migrate(connection, settings.schema)
            else:
                await schema_migration.check(connection, settings.schema, need_extension=True)
        await database.open()
        return database

    async def _stored(self, database: Database) -> PostgresStore:
        """The store, in which is what the application declares."""
        declared, version = self._declared, self._settings.version
        store = PostgresStore(database, self._settings.name, self._world)
        for queue, on_conflict in declared.queues.values():
            await store.register_queue(queue, app_version=version, on_conflict=on_conflict)
        for schedule in declared.schedules.values():
            await store.declare_schedule(schedule)
        await store.publish_workflows(version, published(declared.registry))
        return store

    async def _open_datasources(self, exits: contextlib.AsyncExitStack, engine: Engine, url: str) -> None:
        """The application's own database, where it has transactions."""
        settings = self._settings
        if not self._declared.has_transactions:
            return
        own = self._application_url or url
        if settings.migrate and settings.urls == (None, None, None) and not config.default_url():
            await schema_migration.ensure_database(own)  # the embedded server's, which nobody else makes
        sources = Datasources(
            own,
            Schemas(settings.schema),
            together=is_one_database(own, url),
            size=min(settings.max_running, 16),
        )
        exits.push_async_callback(sources.close)
        await sources.open(create=settings.migrate)
        engine.resources.forget = sources.forget
        engine.resources.forget_failed = sources.forget_failed
        self._datasources = sources

    # -- the parts ------------------------------------------------------------------------------------------

    def _made(self, store: PostgresStore) -> Engine:
        settings, declared = self._settings, self._declared
        for function in declared.functions:
            settings.codecs.add_errors(visible_errors(function))
        return Engine(
            store=store,
            world=self._world,
            registry=declared.registry,
            codecs=settings.codecs,
            application_name=settings.name,
            app_version=settings.version,
            lease_seconds=settings.lease,
            capacity=settings.max_running,
            threads=settings.threads,
            code=declared.fingerprint(),
            listen_queues=self._listen_queues,
            partitioned=[name for name, (queue, _) in declared.queues.items() if queue.partitioned],
            observer=self._observer,
        )

    def _client(self, database: Database) -> RecordingClient:
        settings = self._settings
        return RecordingClient._over(
            database,
            codecs=settings.codecs,
            application_name=settings.name,
            listen=settings.listen,
            observer=self._observer,
        )

    def _watch(
        self, exits: contextlib.AsyncExitStack, signs: VitalSigns, vitals: Callable[[], Vitals]
    ) -> None:
        """Tell observers of the start and the end, and measure the loop between them."""

        def ended() -> None:
            signs.stop()
            self.signs = None
            self._observer.ended()

        exits.callback(ended)
        self.signs = signs
        signs.start()
        self._observer.launched(vitals)

    def _leases(
        self, exits: contextlib.AsyncExitStack, url: str, engine: Engine
    ) -> tuple[Leases, Callable[[], Coroutine[Any, Any, None]]]:
        """What starts the heartbeats, on a loop and a connection of their own: see `engine.leases`."""
        name, loop = self._settings.name, asyncio.get_running_loop()

        def beaten(heartbeat: Heartbeat) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(engine.beaten, heartbeat)

        portal = Portal.start(f"durably-{name}-leases")
        exits.callback(portal.close)
        database = Database(url, schema=self._settings.schema, max_size=1, label=f"durably {name} lease"[:63])
        leases = Leases(
            store=PostgresStore(database, name, engine.world),
            identity=lambda: engine.identity,
            liveness=Processes(),
            world=engine.world,
            beaten=beaten,
            runnable=self._declared.registry.runnable,
            observer=self._observer,
        )

        async def start() -> None:
            await database.open()
            await leases.start()

        async def stop() -> None:
            await leases.stop()
            await database.close()

        exits.push_async_callback(asyncio.to_thread, functools.partial(portal.call, stop))
        return leases, functools.partial(asyncio.to_thread, portal.call, start)

    async def _stop_engine(self, engine: Engine) -> None:
        await engine.stop(grace=self._settings.grace)
        self.engine = None
