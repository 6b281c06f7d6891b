"""An embedded real PostgreSQL."""

from __future__ import annotations

from durably.embedded.server import EmbeddedPostgres, start

__all__ = ["EmbeddedPostgres", "start"]
