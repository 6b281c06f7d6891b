"""Overview: what runs, what waits, what failed, and what needs somebody."""

from __future__ import annotations

from starlette.responses import Response

from durably.console.visit import Visit, page

__all__ = ["PAGES"]


@page("/")
async def overview(visit: Visit) -> Response:
    """The first page."""
    queues = await visit.client.list_queues()
    return visit.render("overview.html", queues=queues)


PAGES = (overview,)
