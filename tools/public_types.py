"""Checks with `pyright --verifytypes` that every public name of durably has a complete type.

Pyright counts every module without an underscore as public; the packages in `INTERNAL` are not. A public
signature that names one of their types is still checked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

INTERNAL = ("cli", "concurrency", "console", "core", "engine", "running", "store")


def main() -> int:
    """Print how many public names are complete, and what the others lack."""
    command = [
        sys.executable,
        "-m",
        "pyright",
        "--outputjson",
        "--verifytypes",
        "durably",
        "--ignoreexternal",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    try:
        symbols = json.loads(done.stdout)["typeCompleteness"]["symbols"]
    except (ValueError, KeyError):
        print(f"pyright gave no report:\n{done.stdout}{done.stderr}", file=sys.stderr)
        return 1
    public = [symbol for symbol in symbols if symbol["isExported"] and is_public(symbol["name"])]
    incomplete = [symbol for symbol in public if not symbol["isTypeKnown"]]
    for symbol in incomplete:
        if symbol["diagnostics"]:  # a class has none of its own when only a member lacks a type
            print(explained(symbol))
    print(f"public types: {len(public) - len(incomplete)} of {len(public)} names are complete")
    return 0 if public and not incomplete else 1


def is_public(name: str) -> bool:
    """Say whether a dotted name is one that users may rely on."""
    parts = name.split(".")[1:]
    return not parts or parts[0] not in INTERNAL


def explained(symbol: dict[str, Any]) -> str:
    """Say what a symbol lacks."""
    return f"{symbol['name']}: " + "; ".join(item["message"] for item in symbol["diagnostics"])


def _environment() -> dict[str, str]:
    """Return the environment with our Python first: with --verifytypes pyright takes what PATH has."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


if __name__ == "__main__":
    sys.exit(main())
