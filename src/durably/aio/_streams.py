"""Streams: values in order, under a key of the workflow that writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar, overload

from durably.core import checks, ops
from durably.engine.context import current_run
from durably.engine.run import Run
from durably.types import Seconds

__all__ = ["close_stream", "read_stream", "read_stream_offset", "write_stream"]

T = TypeVar("T")


def write_stream(key: str, value: Any) -> Coroutine[Any, Any, None]:
    """Append a value to a stream of the calling workflow; who reads it wakes at once.

    Works in steps too: an attempt that is repeated, in this process or after its death, does not append again
    what a former one appended in the same place.

        await aio.write_stream("tokens", "Hello")
    """
    return current_run().perform(ops.AppendValue(checks.address("key", key), value))


def close_stream(key: str) -> Coroutine[Any, Any, None]:
    """End a stream of the calling workflow: its readers end. The end of the workflow does the same.

    await aio.close_stream("tokens")
    """
    return current_run().perform(ops.AppendValue(checks.address("key", key), closes=True))


@overload
def read_stream(
    workflow_id: str, key: str, *, offset: int = 0, timeout: Seconds | None = None
) -> AsyncIterator[Any]: ...


@overload
def read_stream(
    workflow_id: str, key: str, *, offset: int = 0, timeout: Seconds | None = None, type: type[T]
) -> AsyncIterator[T]: ...


def read_stream(
    workflow_id: str, key: str, *, offset: int = 0, timeout: Seconds | None = None, type: Any = Any
) -> AsyncIterator[Any]:
    """The values of another workflow's stream from an offset on, as they come, until it ends.

    It ends when it is closed, or with its workflow. Each value is recorded, so a replay sees the same ones;
    in a step nothing of it is recorded, which suits long streams better. Raises StreamTimeout when no value
    comes for `timeout` seconds (None: wait for ever), NoSuchWorkflow, and WrongContext while another is read.

        async for token in aio.read_stream("chat-17", "tokens", timeout=60): ...
    """
    checks.address("workflow_id", workflow_id)
    first = checks.whole("offset", offset, least=0)
    limit = checks.duration("timeout", timeout, zero=True)
    return _values(current_run(), workflow_id, checks.address("key", key), first, limit, type)


async def _values(
    run: Run, workflow_id: str, key: str, offset: int, timeout: float | None, type_: Any
) -> AsyncIterator[Any]:
    while True:
        value: Any = await run.perform(ops.ReadStream(workflow_id, key, offset, timeout, type_))
        if value is ops.ReadStream.END:
            return
        yield value
        offset += 1


@overload
def read_stream_offset(
    workflow_id: str, key: str, offset: int, *, timeout: Seconds | None = None
) -> Coroutine[Any, Any, Any]: ...


@overload
def read_stream_offset(
    workflow_id: str, key: str, offset: int, *, timeout: Seconds | None = None, type: type[T]
) -> Coroutine[Any, Any, T]: ...


def read_stream_offset(
    workflow_id: str, key: str, offset: int, *, timeout: Seconds | None = None, type: Any = Any
) -> Coroutine[Any, Any, Any]:
    """The value at one offset of another workflow's stream, waiting for it.

    Raises StreamTimeout when it does not come within `timeout` seconds, StreamEnded when the stream has ended
    before it, NoSuchWorkflow.

        first = await aio.read_stream_offset("chat-17", "tokens", 0, timeout=60)
    """
    checks.address("workflow_id", workflow_id)
    place = checks.whole("offset", offset, least=0)
    limit = checks.duration("timeout", timeout, zero=True)
    checks.address("key", key)
    return current_run().perform(ops.ReadStream[Any](workflow_id, key, place, limit, type, once=True))
