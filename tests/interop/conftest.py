"""Places for peers to meet: databases, running applications, and our client in both colours."""

from __future__ import annotations

import asyncio
import inspect
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

import durably
from tests.interop import harness
from tests.support.server import Server

pytest.register_assert_rewrite("tests.interop.application_suite")


@dataclass(frozen=True)
class Place:
    """An application database, which need not exist, and the system database that belongs to it."""

    database_url: str
    system_url: str
    system_database: str


@pytest.fixture(scope="module")
def new_place(server: Server) -> Iterator[Callable[[], Place]]:
    """Places that nobody else has. Who uses one creates its system database, which is dropped at the end."""
    made: list[Place] = []

    def new_place() -> Place:
        name = f"interop_{uuid.uuid4().hex[:12]}"
        system = f"{name}_dbos_sys"
        place = Place(harness.uri(server.url(name)), harness.uri(server.url(system)), system)
        made.append(place)
        return place

    yield new_place
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        for place in made:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(place.system_database)))


@pytest.fixture(scope="module")
def place(new_place: Callable[[], Place]) -> Place:
    """The place where this module's peer and clients meet."""
    return new_place()


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[Callable[[], harness.Process]], harness.Process]]:
    """Starts a peer for the module, or skips where it cannot run."""
    started: list[harness.Process] = []

    def start(make: Callable[[], harness.Process]) -> harness.Process:
        try:
            process = make()
        except harness.PeerUnavailable as error:
            pytest.skip(str(error))
        started.append(process)
        process.read_line("READY", harness.START_SECONDS)
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def show_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Prints what the module's peer said; pytest shows it when the test fails."""
    yield
    process: harness.Process = request.getfixturevalue("peer")
    print(f"--- {process.name} ---\n{process.log()}")


@pytest.fixture
def new_id() -> Callable[..., str]:
    """Workflow ids that no other test has."""
    return lambda word="wf": f"{word}-{uuid.uuid4()}"


@pytest.fixture(scope="module", params=["sync", "async"])
def client(
    request: pytest.FixtureRequest, place: Place, peer: harness.Process
) -> Iterator[durably.DBOSClient]:
    """Our client of either colour on the module's system database, found by the seed's rule."""
    with open_client(request.param, place.database_url) as client:
        yield client


@contextmanager
def open_client(colour: str, *arguments: Any, **options: Any) -> Iterator[durably.DBOSClient]:
    """`DBOSClient.create(...)`, or the async client behind the same blocking face."""
    if colour == "sync":
        with durably.DBOSClient.create(*arguments, **options) as client:
            yield client
        return
    loop = LoopThread()
    try:
        client = loop.blocking(loop.run(durably.AsyncDBOSClient.create(*arguments, **options)))
        try:
            yield cast(durably.DBOSClient, client)
        finally:
            client.destroy()
    finally:
        loop.stop()


class LoopThread:
    """A running loop beside the test, as in an asyncio application."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaitable: Any) -> Any:
        async def wait() -> Any:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(60)

    def blocking(self, subject: object) -> Any:
        return _Blocking(subject, self)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class _Blocking:
    """An async client or handle whose methods wait; what they return is wrapped alike."""

    def __init__(self, subject: object, loop: LoopThread) -> None:
        self._subject = subject
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._subject, name)
        if not inspect.isroutine(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            result = value(*arguments, **options)
            if inspect.isawaitable(result):
                result = self._loop.run(result)
            if inspect.isasyncgen(result):
                return self._loop.run(_drain(result))
            if isinstance(result, list):
                return [self._wrapped(item) for item in result]
            return self._wrapped(result)

        return call

    def _wrapped(self, value: object) -> Any:
        return _Blocking(value, self._loop) if hasattr(value, "get_result") else value


async def _drain(values: Any) -> list[Any]:
    return [value async for value in values]
