"""The client of an application: in a workflow, what it does to others or sees of them is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from durably import aio
from durably.client import AsyncDBOSClient, AsyncWorkflowHandle
from durably.client._base import Effect
from durably.client._results import Endings
from durably.client._session import Open
from durably.concurrency.portal import Portal
from durably.core import checks, names, ops, questions
from durably.core.ports import Wait
from durably.core.records import Rewind
from durably.engine.context import current_frame
from durably.engine.performers.waiting import parked
from durably.handles import AsyncRunHandle
from durably.store import workflows
from durably.types import Seconds

if TYPE_CHECKING:
    from durably.app import App

__all__ = ["RecordingClient", "RunPortal"]

TOLD = 20  # of the workflows that a run waits for: explain shows no more
ACTIVE = ("ENQUEUED", "DELAYED", "PENDING")

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")


class RecordingClient(AsyncDBOSClient):
    """An application's own client; outside a workflow it is like any other."""

    _app: App

    def of(self, app: App) -> Self:
        """The same, with handles of this application's runs."""
        self._app = app
        return self

    def _handle(self, workflow_id: str, result_type: Any = Any) -> AsyncWorkflowHandle[Any]:
        if current_frame() is None:
            return super()._handle(workflow_id, result_type)
        return AsyncRunHandle(self._app, workflow_id, result_type)

    def _perform(
        self, name: str, effect: Effect[V], show: Callable[[V], T], *, together: bool = False
    ) -> Coroutine[Any, Any, T]:
        here = current_frame()
        if here is None:
            return super()._perform(name, effect, show, together=together)
        affect: ops.Affect[V]
        if together:
            affect = ops.Together(name, effect, self._session.together)
        else:
            affect = (ops.Fork if name == names.FORK_WORKFLOW else ops.Affect)(name, effect)
        operation = here.run.perform(affect)  # numbered now, not when it is awaited
        return self._shown(lambda: operation, show)

    # -- what takes long ----------------------------------------------------------------------------------

    async def _wait(
        self, handles: Sequence[AsyncWorkflowHandle[Any]], timeout: Seconds | None, until: str
    ) -> set[str]:
        waits = [Wait("result", handle.workflow_id) for handle in handles[:TOLD]]
        with _parked(waits, checks.wait_seconds("timeout", timeout)):
            return await super()._wait(handles, timeout, until)

    async def _next_ending(self, open_: Open, left: Endings, seconds: float | None) -> str:
        with _parked([Wait("result", id_) for id_ in islice(left.ids, TOLD)], seconds):
            return await super()._next_ending(open_, left, seconds)

    async def _reply(self, workflow_id: str, id_: str, seconds: float) -> tuple[str, str | None]:
        with _parked([Wait("event", workflow_id, questions.reply_key(id_))], seconds):
            return await super()._reply(workflow_id, id_, seconds)

    def get_event(
        self,
        workflow_id: str,
        key: str,
        timeout_seconds: Seconds = 60,
        type_: Any = Any,
        *,
        missing_ok: bool = False,
    ) -> Coroutine[Any, Any, Any]:
        """See AsyncDBOSClient.get_event; in a workflow it is the operation that `aio.get_event` is."""
        here = current_frame()
        if here is None or here.step:
            return super().get_event(workflow_id, key, timeout_seconds, type_, missing_ok=missing_ok)
        limit = checks.span("timeout_seconds", timeout_seconds)
        return aio.get_event(workflow_id, key, timeout=limit, type=type_)

    def read_stream_offset(
        self,
        workflow_id: str,
        key: str,
        offset: int,
        *,
        timeout: Seconds | None = None,
        type_: Any = Any,
    ) -> Coroutine[Any, Any, Any]:
        """See AsyncDBOSClient.read_stream_offset; in a workflow it is `aio.read_stream_offset`."""
        here = current_frame()
        if here is None or here.step:
            return super().read_stream_offset(workflow_id, key, offset, timeout=timeout, type_=type_)
        return aio.read_stream_offset(workflow_id, key, offset, timeout=timeout, type=type_)

    def _values(
        self, workflow_id: str, key: str, offset: int, timeout: float | None, type_: Any
    ) -> AsyncIterator[Any]:
        here = current_frame()
        if here is None or here.step:
            return super()._values(workflow_id, key, offset, timeout, type_)
        return aio.read_stream(workflow_id, key, offset=offset, timeout=timeout, type=type_)

    # -- what has to know the application -----------------------------------------------------------------

    def _caller_id(self) -> str | None:
        here = current_frame()
        return None if here is None or here.step else here.run.workflow_id

    async def _rewind(self, wanted: Sequence[Rewind], *, strict: bool) -> list[dict[str, Any]]:
        """What transactions recorded in the application's database goes first: it is all recorded here."""
        for record in wanted:
            row = await self._session.call(partial(_status, record.workflow_id))
            if row is not None and row["status"] not in ACTIVE:
                await self._app._forget_transactions(record.workflow_id)
        return await super()._rewind(wanted, strict=strict)


@contextlib.contextmanager
def _parked(waits: Sequence[Wait], seconds: float | None) -> Iterator[None]:
    """A run that waits for others gives its place back meanwhile, for they may need it; nothing elsewhere."""
    here = current_frame()
    if here is None or here.step:
        yield
        return
    end = None if seconds is None else here.run.resources.database_now() + seconds
    with parked(here.run, 0, *waits, until=end):
        yield


def _status(workflow_id: str, open_: Open) -> Awaitable[dict[str, Any] | None]:
    return workflows.get(open_.database, workflow_id)


class RunPortal(Portal):
    """Carries the calls of blocking code to an application's loop; interrupted, a workflow's calls end."""

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal.loop)
        self._outer = portal

    def call(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """See Portal.call."""
        here = current_frame()
        if here is None or here.step:
            return self._outer.call(function, *args, **kwargs)
        here.run.resources.refuse_on_loop(getattr(function, "__name__", "it"))
        return here.run.wait_for(lambda: function(*args, **kwargs))
