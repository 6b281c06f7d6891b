"""Requests as somebody would type them: a line of curl for each route."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from durably.console.api.route import Route

__all__ = ["command", "query_text"]


def command(route: Route, base: str, *, secured: bool) -> str:
    """The route's example as a command, on a line of its own for each thing that it says."""
    url = base + route.path + query_text(route.example.query)
    parts = ["curl -N" if route.is_stream else "curl"]
    if route.method != "GET" and not (route.method == "POST" and route.example.body is not None):
        parts[0] += f" -X {route.method}"
    parts[0] += f" {_quoted(url)}"
    if secured:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if route.example.body is not None:
        parts.append(f"--json {shlex.quote(json.dumps(route.example.body))}")
    return " \\\n  ".join(parts)


def query_text(query: Mapping[str, Any]) -> str:
    """The query of a URL; a list is a parameter that is repeated."""
    if not query:
        return ""
    pairs = [
        (name, _text(each))
        for name, value in query.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return "?" + urlencode(pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(url: str) -> str:
    return f'"{url}"' if "$" in url else shlex.quote(url)
