"""Finds the runnable examples of a Markdown file.

A fenced block runs when an HTML comment stands before it:

    <!-- run -->                     python: part of the file's one program, in order
    <!-- run: file=tickets.py -->    written to that file before the program runs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Example", "Examples", "read"]

BLOCK = re.compile(
    r"^<!--\s*run(?::\s*file=(?P<file>[\w./-]+))?\s*-->\s*\n+```(?P<language>\w+)\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"^<!--\s*run\b", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One block: its code, its first line in the document, and the file it is to be written to, if any."""

    code: str
    line: int
    file: str | None


@dataclass(frozen=True)
class Examples:
    """The runnable examples of one document."""

    path: Path
    blocks: tuple[Example, ...]

    @property
    def files(self) -> dict[str, str]:
        """What has to be written before the program runs; blocks for the same file follow one another."""
        files: dict[str, str] = {}
        for block in self.blocks:
            if block.file:
                files[block.file] = files.get(block.file, "") + block.code
        return files

    @property
    def program(self) -> str:
        """The document's program, each line on the line where the document has it."""
        text = ""
        for block in self.blocks:
            if not block.file:
                text += "\n" * (block.line - 1 - text.count("\n")) + block.code
        return text


def read(path: Path) -> Examples:
    """Read a document; a mark that no fenced block follows is an error, not a silent pass."""
    text = path.read_text("utf-8")
    matches = list(BLOCK.finditer(text))
    if len(matches) != len(MARK.findall(text)):
        raise ValueError(f"{path}: a <!-- run --> without a fenced block after it")
    return Examples(
        path,
        tuple(
            Example(match["code"], text.count("\n", 0, match.start("code")) + 1, match["file"])
            for match in matches
        ),
    )
