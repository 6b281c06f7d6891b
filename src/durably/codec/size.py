"""How large a text may be that somebody hands in."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from durably.errors import EncodeError

__all__ = ["fitting"]

LARGEST = 64_000_000  # characters; it travels as JSON within JSON, and PostgreSQL takes 1 GB at most


def fitting(encode: Callable[[], str], values: Iterable[object], *, subject: str) -> str:
    """The text that `encode` makes of the values; EncodeError where it is larger than what is taken.

    No format shortens a text or bytes: those that are too large are refused before the work of encoding them.
    """
    _check(sum(len(value) for value in values if isinstance(value, str | bytes)), subject)
    text = encode()
    _check(len(text), subject)
    return text


def _check(length: int, subject: str) -> None:
    if length > LARGEST:
        size = f"{length / 1e6:,.0f} million characters of text"
        hint = f"{LARGEST / 1e6:.0f} million are the most: keep it elsewhere, and pass where it is"
        raise EncodeError("", size, hint, subject=subject)
