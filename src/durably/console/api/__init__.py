"""The HTTP API: what the client does, for whatever speaks HTTP; a curl is enough.

    request --> app (path, user, role) --> reading (strict, typed) --> a route --> the client
                                                                        |--> shapes (JSON), sse (events)
    table (all routes) --> schema (OpenAPI) --> the page /api

A route is a function of a `Call`, a query and a body, in the module of its noun; its annotations are what
requests are read as and what the document says. Everything that goes wrong is a problem (`problems`).
"""

from __future__ import annotations

from durably.console.api.app import Api

__all__ = ["Api"]
