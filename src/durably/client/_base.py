"""What every part of the client shares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from durably.client._session import Open, Session
from durably.client.handles import AsyncWorkflowHandle

if TYPE_CHECKING:
    from durably.client._async import AsyncDBOSClient

__all__ = ["Effect", "Part"]

T = TypeVar("T")
V = TypeVar("V")

Effect: TypeAlias = Callable[[Callable[[], str]], Awaitable[V]]


class Part:
    """A part of the client: methods about one noun, on the session that all parts share."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _handle(self, workflow_id: str, result_type: Any = Any) -> AsyncWorkflowHandle[Any]:
        return AsyncWorkflowHandle(cast("AsyncDBOSClient", self), workflow_id, result_type)

    def _perform(
        self, name: str, effect: Effect[V], show: Callable[[V], T], *, together: bool = False
    ) -> Coroutine[Any, Any, T]:
        """What `show` makes of an effect on workflows, or of a look at them.

        The value of the effect is plain JSON, and the effect may be repeated: it takes new ids from what it
        is given. An application's own client records it in a workflow, as the operation `name`; with
        `together` in one transaction, so that an effect that may not be repeated happens once.
        """
        return self._shown(lambda: effect(self._session.new_id), show)

    def _caller_id(self) -> str | None:
        """The workflow that calls, where the client is its application's own."""
        return None

    def _look(self, read: Callable[[Open], Awaitable[V]], show: Callable[[V], T]) -> Coroutine[Any, Any, T]:
        """What `show` makes of a look that no workflow records."""
        return self._shown(lambda: self._session.call(read), show)

    async def _shown(self, effect: Callable[[], Awaitable[V]], show: Callable[[V], T]) -> T:
        return show(await effect())
