"""The HTTP API, as a person reads it: made of the document that programs read."""

from __future__ import annotations

from starlette.responses import Response

from durably.console.api import manual, problems, schema
from durably.console.api.caller import is_secured
from durably.console.api.table import ROUTES
from durably.console.visit import Visit, page

__all__ = ["PAGES"]


@page("/api")
async def api(visit: Visit) -> Response:
    """Every request of the API, with a command that makes it."""
    url = visit.request.url
    base = f"{url.scheme}://{url.netloc}{visit.base}/api/v1"
    document = schema.document(ROUTES, base=base, secured=is_secured(visit.access))
    return visit.render(
        "api.html", sections=manual.sections(document), api_base=base, problems=problems.KINDS
    )


PAGES = (api,)
