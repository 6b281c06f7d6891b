"""What is wrong with the database, the server and the work."""

from __future__ import annotations

import asyncio

from durably.client._base import Part
from durably.client._opening import embedded_server
from durably.concurrency.world import RealWorld
from durably.core import doctor
from durably.core.ports import World
from durably.store.doctor import examine
from durably.types import Finding

__all__ = ["Diagnosing", "diagnose_database"]


class Diagnosing(Part):
    """What looks at everything around the workflows."""

    async def diagnose(self) -> list[Finding]:
        """Look at connection, server, tables, privileges and work; return what was seen and what to do.

        It only reads, on connections of its own, and raises nothing about the database's state: a server that
        is gone is a finding, too. It takes up to some seconds where a queue is very long.

            for finding in await client.diagnose(): print(finding.level, finding.check, finding.seen)
        """
        settings = self._session.settings
        return await diagnose_database(settings.url, schema=settings.schema, world=self._session.world)


async def diagnose_database(url: str, *, schema: str = "dbos", world: World | None = None) -> list[Finding]:
    """The findings about a database that no client may be able to open."""
    server = await embedded_server(url)
    try:
        return doctor.judge(await examine(url, schema=schema, world=world or RealWorld()))
    finally:
        if server is not None:
            await asyncio.to_thread(server.stop)
