"""Every action leaves a trace before it is done, and another one after."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from durably.client import AsyncDBOSClient
from durably.types import AuditOutcome, AuditSource

__all__ = ["audited"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


async def audited(
    client: AsyncDBOSClient,
    who: str,
    verb: str,
    kind: str,
    target: str | Sequence[str],
    call: Callable[[], Awaitable[T]],
    *,
    detail: Mapping[str, Any] | None = None,
    did: Callable[[T], str] | None = None,
    source: AuditSource = "console",
) -> T:
    """What `call` returns. Nothing is done that the audit could not be told of; without its table, all is.

    await audited(client, "ada", "pause", "queue", "emails", lambda: client.pause_queue("emails"))
    """
    entry = await client.begin_audit(who, verb, kind=kind, target=target, detail=detail, source=source)
    try:
        result = await call()
    except BaseException as error:
        await asyncio.shield(_end(client, entry, "failed", f"{type(error).__name__}: {error}"))
        raise
    await _end(client, entry, "done", did(result) if did is not None else None)
    return result


async def _end(client: AsyncDBOSClient, entry: int | None, outcome: AuditOutcome, did: str | None) -> None:
    """It is done by now, so a failure to say so is no failure of it: the entry stays as it began."""
    try:
        await client.end_audit(entry, outcome, did)
    except Exception:
        logger.exception("the audit's entry %s could not be completed", entry)
