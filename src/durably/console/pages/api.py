"""The HTTP API, as a person reads it: made of the document that programs read."""

from __future__ import annotations

from functools import lru_cache

from starlette.responses import Response

from durably.console.api import manual, problems, schema
from durably.console.api.caller import is_secured
from durably.console.visit import Visit, page

__all__ = ["PAGES"]


@page("/api")
async def api(visit: Visit) -> Response:
    """Every request of the API, with a command that makes it."""
    url = visit.request.url
    base = f"{url.scheme}://{url.netloc}{visit.base}/api/v1"
    sections = _sections(base, is_secured(visit.access))
    return visit.render("api.html", sections=sections, api_base=base, problems=problems.KINDS)


@lru_cache(maxsize=8)
def _sections(base: str, secured: bool) -> list[manual.Section]:
    return manual.sections(schema.document(base=base, secured=secured))


PAGES = (api,)
