"""What a client does with notifications: messages to workflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from durably.core.records import Send
from durably.errors import DatabaseError
from durably.store import batch
from durably.store.database import Database
from durably.store.failures import first_line, is_refused

__all__ = ["list_messages", "send", "send_together"]


async def send(database: Database, record: Send) -> Any:
    """Send a message, in one round trip: None, or an exception. Repeating a record is safe."""
    return (await batch.commit(database, None, [record]))[0]


async def list_messages(database: Database, workflow_id: str) -> list[dict[str, Any]]:
    """The messages of a workflow, received or not."""
    return [row._asdict() for row in await database.rows("messages/list", {"workflow_id": workflow_id})]


async def send_together(database: Database, records: Sequence[Send]) -> None:
    """Send messages, all or none."""
    try:
        async with database.begun() as connection:
            rows = await database.rows_on(connection, *batch.sending(records))
            for reply in batch.sent(records, rows):
                batch.raise_refused(reply)
    except Exception as error:
        if not is_refused(error):
            raise
        raise DatabaseError(f"the database refused it: {first_line(error)}") from error
