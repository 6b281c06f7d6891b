"""Checks that every public name of durably has a complete type: `pyright --verifytypes`, 100 % or exit 1."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

REQUIRED = 1.0


def main() -> int:
    """Print the score and, when it is not complete, what lacks a type."""
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--verifytypes",
        "durably",
        "--ignoreexternal",
        "--outputjson",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError):
        print(f"pyright gave no report:\n{done.stdout}{done.stderr}", file=sys.stderr)
        return 1
    for line in _incomplete(report):
        print(line)
    score = report["completenessScore"]
    names = sum(report["exportedSymbolCounts"].values())
    print(f"public types: {100 * score:.1f} % of {names} names are complete")
    return 0 if score >= REQUIRED else 1


def _incomplete(report: dict[str, Any]) -> list[str]:
    """Return a line for each exported name without a complete type."""
    return [
        f"{symbol['name']}: {diagnostic['message']}"
        for symbol in report["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
        for diagnostic in symbol["diagnostics"]
    ]


if __name__ == "__main__":
    sys.exit(main())
