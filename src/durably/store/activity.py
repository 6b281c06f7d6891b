"""What queues hold and do, as pages show it again and again: cheap, whatever the backlog. Only reads."""

from __future__ import annotations

import json
from typing import Any, Protocol, TypeAlias

from durably.store.database import Database
from durably.store.queues import started

__all__ = ["MINUTES", "backlogs", "by_status", "queues", "rates"]

MINUTES = 60
SAMPLE = 120  # starts, and ends, of a minute that are looked at
KEYS = 300  # partitions that are looked at
SECONDS = 30.0

Row: TypeAlias = dict[str, Any]


class Opened(Protocol):
    """A database, and what of the extension schema it has."""

    database: Database
    extension: int


async def queues(opened: Opened, name: str | None, application_name: str | None, most: int) -> list[Row]:
    """What is on queues, each count up to `most`; starts as our own table counts them, if there is one."""
    parameters = {"name": name, "application_name": application_name, "most": most}
    found = await opened.database.query("queues/activity", parameters, seconds=SECONDS)
    rows = [row._asdict() | {"running_on": json.loads(row.running_on)} for row in found]
    if all(row["starts_in_period"] is None for row in rows):
        return rows
    starts = await started(opened, name, most)
    return [row | {"starts_in_period": starts.get(row["name"], row["starts_in_period"])} for row in rows]


async def rates(opened: Opened, name: str | None) -> list[Row]:
    """Starts and ends by queue and minute, where there were any."""
    parameters = {"name": name, "most": SAMPLE}
    return [row._asdict() for row in await opened.database.query("queues/rates", parameters, seconds=SECONDS)]


async def by_status(database: Database, seconds: float, most: int) -> list[Row]:
    """Workflows by status, those of now and those that ended lately."""
    parameters = {"seconds": seconds, "most": most}
    rows = await database.query("workflows/by_status", parameters, seconds=SECONDS)
    return [row._asdict() for row in rows]


async def backlogs(database: Database, name: str, most: int) -> list[Row]:
    """Partitions of a queue with work that waits, the fullest first."""
    parameters = {"name": name, "most": most, "keys": KEYS}
    return [row._asdict() for row in await database.query("queues/backlogs", parameters, seconds=SECONDS)]
