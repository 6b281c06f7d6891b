"""The HTTP API served, and workers of real applications behind it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from durably.console import Api
from tests.console.conftest import served

__all__ = ["Curl", "served_api"]


@contextmanager
def served_api(database_url: str, **options: Any) -> Iterator[str]:
    """The URL of an API of its own."""
    with served(Api(system_database_url=database_url, **options)) as url:
        yield url


class Curl:
    """The real curl, and what it answered."""

    def __init__(self, base: str) -> None:
        self._base = base

    def __call__(self, path: str, *options: str, method: str | None = None, body: Any = None) -> Any:
        """The JSON of an answer of success."""
        status, text = self.raw(path, *options, method=method, body=body)
        assert 200 <= status < 300, (status, text)
        return json.loads(text)

    def raw(self, path: str, *options: str, method: str | None = None, body: Any = None) -> tuple[int, str]:
        """Status and text of an answer."""
        command = ["curl", "-sS", "-g", "--max-time", "40", "-w", "\n%{http_code}", *options]
        if method is not None:
            command += ["-X", method]
        if body is not None:
            command += ["--json", body if isinstance(body, str) else json.dumps(body)]
        done = subprocess.run([*command, self._base + path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    def events(self, path: str, *options: str) -> list[tuple[str, Any, str | None]]:
        """The events of a stream that ends: name, data, id."""
        done = subprocess.run(
            ["curl", "-sSN", "--max-time", "40", *options, self._base + path],
            capture_output=True,
            text=True,
            check=True,
        )
        found = []
        for block in done.stdout.split("\n\n"):
            fields = dict(
                line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":"
            )
            if fields:
                found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
        return found
