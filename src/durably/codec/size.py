"""How large a text may be that somebody hands in."""

from __future__ import annotations

from durably.errors import EncodeError

__all__ = ["fitting"]

LARGEST = 64_000_000  # characters; it travels as JSON within JSON, and PostgreSQL takes 1 GB at most


def fitting(text: str, *, subject: str) -> str:
    """The text; EncodeError where it is larger than what is taken."""
    if len(text) <= LARGEST:
        return text
    size = f"{len(text) / 1e6:,.0f} million characters of text"
    hint = f"{LARGEST / 1e6:.0f} million are the most: keep it elsewhere, and pass where it is"
    raise EncodeError("", size, hint, subject=subject)
