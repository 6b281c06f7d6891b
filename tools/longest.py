"""Prints how long functions are: `python -m tools.longest [FOLDER]`. Reviewed, not linted.

A function's length is its lines from `def` to its end, without its docstring.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHOWN = 10
LONG = 50


@dataclass(frozen=True, order=True)
class Function:
    """A function and its length in lines."""

    lines: int
    place: str
    name: str


def main() -> int:
    """Print the ten longest functions of a folder, and the distribution."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    functions = sorted((found for path in folder.rglob("*.py") for found in functions_of(path)), reverse=True)
    if not functions:
        return 0
    print(f"\nThe {SHOWN} longest of {len(functions)} functions in {folder}")
    for function in functions[:SHOWN]:
        print(f"{function.lines:6}  {function.name}  ({function.place})")
    print(summary([function.lines for function in functions]))
    return 0


def functions_of(path: Path) -> Iterator[Function]:
    """Yield the functions and methods of a file, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Function(_length(node), f"{path}:{node.lineno}", node.name)


def summary(lengths: list[int]) -> str:
    """Say the median, the 90th percentile and the share of long functions."""
    ninetieth = (
        statistics.quantiles(lengths, n=10, method="inclusive")[-1] if len(lengths) > 1 else lengths[0]
    )
    share = 100 * sum(length > LONG for length in lengths) / len(lengths)
    return f"median {statistics.median(lengths):g}, p90 {ninetieth:.0f}, over {LONG} lines: {share:.1f} %"


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return lines
    docstring = node.body[0]
    assert docstring.end_lineno is not None
    return lines - (docstring.end_lineno - docstring.lineno + 1)


if __name__ == "__main__":
    sys.exit(main())
