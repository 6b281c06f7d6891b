"""What a workflow can do besides calling steps and other workflows: for `async def` workflows.

Every operation takes its number when it is called, in call order, so `asyncio.gather` and `TaskGroup` replay
stably. `durably.sync` has the same functions for blocking workflows. Durations are seconds or `timedelta`;
instants are aware `datetime`s. All of them raise WrongContext outside a workflow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar, overload
from uuid import UUID

from durably.core import checks, names, ops
from durably.core.ids import new_id
from durably.engine.context import current_frame, current_run
from durably.errors import InvalidOption
from durably.types import Seconds

__all__ = [
    "cancel_requested",
    "get_event",
    "now",
    "random",
    "recv",
    "run_step",
    "send",
    "set_event",
    "sleep",
    "sleep_until",
    "step_id",
    "uuid4",
    "workflow_id",
]

P = ParamSpec("P")
T = TypeVar("T")


def sleep(duration: Seconds) -> Coroutine[Any, Any, None]:
    """Let time pass, durably: a restart in between does not start the wait again.

    `duration` is seconds or `timedelta`, on the database's clock; zero and less return at once.

        await aio.sleep(3600)
    """
    return current_run().perform(ops.Sleep(seconds=_duration("duration", duration)))


def sleep_until(instant: datetime) -> Coroutine[Any, Any, None]:
    """Wait until an aware `datetime`, on the database's clock; an instant that has passed returns at once.

    await aio.sleep_until(datetime(2026, 1, 1, tzinfo=UTC))
    """
    if instant.tzinfo is None:
        raise InvalidOption("instant", instant, "a naive datetime names no instant: give it a tzinfo")
    return current_run().perform(ops.Sleep(until=instant.timestamp()))


def send(
    destination_id: str, message: Any, topic: str | None = None, *, idempotency_key: str | None = None
) -> Coroutine[Any, Any, None]:
    """Send a message to a workflow, exactly once; NoSuchWorkflow when there is none of that id.

    await aio.send("order-17", {"ok": True}, topic="approval")
    """
    checks.address("destination_id", destination_id)
    _optional_address("topic", topic)
    _optional_address("idempotency_key", idempotency_key)
    return current_run().perform(ops.SendMessage(destination_id, message, topic, idempotency_key))


@overload
def recv(topic: str | None = None, *, timeout: Seconds | None = 60.0) -> Coroutine[Any, Any, Any]: ...


@overload
def recv(
    topic: str | None = None, *, timeout: Seconds | None = 60.0, type: type[T]
) -> Coroutine[Any, Any, T | None]: ...


def recv(
    topic: str | None = None, *, timeout: Seconds | None = 60.0, type: Any = Any
) -> Coroutine[Any, Any, Any]:
    """The oldest message of a topic, decoded to `type`; None when none came within `timeout` seconds.

    A message is consumed and recorded in one transaction: it is received once, and the same one at replay.
    `timeout=None` waits as long as it takes, 0 only looks.

        approval = await aio.recv("approval", timeout=3600)
    """
    limit = None if timeout is None else _duration("timeout", timeout)
    return current_run().perform(ops.Receive(_optional_address("topic", topic), limit, type))


def set_event(key: str, value: Any) -> Coroutine[Any, Any, None]:
    """Publish a value under a key; who waits for it (`get_event`, here or in a client) wakes at once.

    await aio.set_event("status", {"stage": "charged"})
    """
    return current_run().perform(ops.SetEventValue(checks.address("key", key), value))


@overload
def get_event(workflow_id: str, key: str, *, timeout: Seconds = 60.0) -> Coroutine[Any, Any, Any]: ...


@overload
def get_event(
    workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: type[T]
) -> Coroutine[Any, Any, T | None]: ...


def get_event(
    workflow_id: str, key: str, *, timeout: Seconds = 60.0, type: Any = Any
) -> Coroutine[Any, Any, Any]:
    """What another workflow published under a key, waiting up to `timeout` seconds for it; then None.

    status = await aio.get_event("order-17", "status", timeout=10)
    """
    checks.address("workflow_id", workflow_id)
    limit = _duration("timeout", timeout)
    return current_run().perform(ops.GetEvent(workflow_id, checks.address("key", key), limit, type))


@overload
def run_step(
    name: str,
    function: Callable[P, Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Coroutine[Any, Any, T]: ...


@overload
def run_step(
    name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Coroutine[Any, Any, T]: ...


def run_step(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
    """Run any function as a step under a name; a blocking one runs on a thread.

    total = await aio.run_step("total", add, 1, 2)
    """
    return current_run().perform(ops.RunStep(name, function, args, kwargs))


def now() -> Coroutine[Any, Any, datetime]:
    """The time, the same at every replay, as an aware `datetime` in UTC.

    started = await aio.now()
    """
    world = current_run().resources.world
    return current_run().perform(
        ops.Compute(names.NOW, lambda: datetime.fromtimestamp(world.now(), UTC), datetime)
    )


def uuid4() -> Coroutine[Any, Any, UUID]:
    """A random UUID, the same at every replay.

    key = await aio.uuid4()
    """
    chance = current_run().resources.world.random
    return current_run().perform(ops.Compute(names.RANDOM_UUID, lambda: UUID(new_id(chance)), UUID))


def random() -> Coroutine[Any, Any, float]:
    """A random number from 0 up to 1, the same at every replay.

    if await aio.random() < 0.1: ...
    """
    return current_run().perform(
        ops.Compute(names.RANDOM, current_run().resources.world.random.random, float)
    )


def workflow_id() -> str:
    """The id of the workflow that is calling.

    aio.workflow_id()  # 'order-17'
    """
    return current_run().workflow_id


def step_id() -> int | None:
    """The number of the step whose body is calling, None in the workflow's own code.

    aio.step_id()  # 3
    """
    here = current_frame()
    return here.step if here is not None and here.step else None


def cancel_requested() -> bool:
    """Whether the calling code should end: its workflow was cancelled or goes on elsewhere, or time is up.

    For blocking steps, which nothing can interrupt.

        while not sync.cancel_requested(): ...
    """
    here = current_frame()
    return here is not None and here.cancel_requested


def _duration(option: str, duration: Seconds) -> float:
    waited = checks.wait_seconds(option, duration)
    if waited is None:
        raise InvalidOption(option, duration, "give seconds or a timedelta")
    return waited


def _optional_address(option: str, value: str | None) -> str | None:
    return None if value is None else checks.address(option, value)
