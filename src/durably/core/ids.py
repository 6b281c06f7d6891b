"""Identifiers: random UUIDs from the chance that is passed in."""

from __future__ import annotations

from random import Random
from uuid import UUID

__all__ = ["child_id", "new_id"]


def new_id(random: Random) -> str:
    """A random (version 4) UUID as text."""
    return str(UUID(int=random.getrandbits(128), version=4))


def child_id(parent_id: str, function_id: int) -> str:
    """The id of a child that was given none: its parent's, and the operation that started it."""
    return f"{parent_id}-{function_id}"
