"""Text of others on a terminal: ids, names and payloads are data, never markup and never control codes."""

from __future__ import annotations

__all__ = ["printable", "shortened"]


def printable(text: str, *, newlines: bool = False) -> str:
    r"""The text with what a terminal would obey, or a table would break on, written as `\n`, `\x1b`, ..."""
    return "".join(
        character if character.isprintable() or (newlines and character == "\n") else _escaped(character)
        for character in text
    )


def shortened(text: str, most: int) -> str:
    """The text, or its beginning and `...`."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
