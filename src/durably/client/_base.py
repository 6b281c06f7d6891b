"""What every part of the client shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from durably.client._session import Session
from durably.client.handles import AsyncWorkflowHandle

if TYPE_CHECKING:
    from durably.client._async import AsyncDBOSClient

__all__ = ["Part"]


class Part:
    """A part of the client: methods about one noun, on the session that all parts share."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _handle(self, workflow_id: str, result_type: Any = Any) -> AsyncWorkflowHandle[Any]:
        return AsyncWorkflowHandle(cast("AsyncDBOSClient", self), workflow_id, result_type)
