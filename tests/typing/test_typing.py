"""What mypy and pyright accept and refuse of the public API, statement by statement.

Each file of `cases/` uses the API. A statement that both checkers must refuse says so, on any of its lines:

    client.enqueue(purchase, 17)  # E: mypy[arg-type] pyright[reportArgumentType]

Every other statement must be accepted by both; a checker that the comment does not name must accept it too.
`reveal_type(...)` is not for here: `x: int = ...` says as much and both checkers read it.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CASES = HERE / "cases"
COMMENT = re.compile(r"#\s*E:\s*(?P<errors>.+)$")
ERROR = re.compile(r"(mypy|pyright)\[([\w-]+)\]")
MYPY_LINE = re.compile(r"^(?P<path>.+\.py):(?P<line>\d+): error: .*\[(?P<code>[\w-]+)\]$")

Errors = dict[str, set[str]]  # "file.py:12" -> the codes of the errors in the statement that begins there


def expected(checker: str) -> Errors:
    """Return what the comments of the cases say about a checker."""
    found = []
    for path in sorted(CASES.glob("*.py")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            comment = COMMENT.search(line)
            errors = ERROR.findall(comment["errors"]) if comment else []
            assert bool(errors) == bool(comment), f"{path.name}:{number}: unreadable comment"
            found += [(path.name, number, code) for name, code in errors if name == checker]
    return by_statement(found)


def mypy_errors() -> Errors:
    """Return what mypy says about the cases."""
    files = sorted(str(path.relative_to(ROOT)) for path in CASES.glob("*.py"))
    said = _run("mypy", "--no-error-summary", "--no-pretty", "--show-error-codes", *files)
    matches = [MYPY_LINE.match(line) for line in said.splitlines()]
    return by_statement((match["path"], int(match["line"]), match["code"]) for match in matches if match)


def pyright_errors() -> Errors:
    """Return what pyright says about the cases."""
    said = json.loads(_run("pyright", "--outputjson", "--project", str(HERE), "--pythonpath", sys.executable))
    assert said["summary"]["filesAnalyzed"] == len(list(CASES.glob("*.py")))
    return by_statement(
        (item["file"], item["range"]["start"]["line"] + 1, item.get("rule", "syntax"))
        for item in said["generalDiagnostics"]
        if item["severity"] == "error"
    )


def _run(tool: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def by_statement(errors: Iterable[tuple[str, int, str]]) -> Errors:
    """Gather errors by the innermost statement that they are in."""
    places: Errors = defaultdict(set)
    for path, line, code in errors:
        name = Path(path).name
        places[f"{name}:{first_line(name, line)}"].add(code)
    return dict(places)


def first_line(name: str, line: int) -> int:
    """Return where the innermost statement that covers a line begins."""
    return max((start for start, end in statements(name) if start <= line <= end), default=line)


@cache
def statements(name: str) -> list[tuple[int, int]]:
    tree = ast.parse((CASES / name).read_text("utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return [(node.lineno, node.end_lineno or node.lineno) for node in nodes]


@pytest.mark.timeout(300)
def test_mypy_agrees_with_the_cases() -> None:
    assert mypy_errors() == expected("mypy")


@pytest.mark.timeout(300)
def test_pyright_agrees_with_the_cases() -> None:
    assert pyright_errors() == expected("pyright")
