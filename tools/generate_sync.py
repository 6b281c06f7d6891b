"""Writes the blocking twins of the async modules: `python -m tools.generate_sync`, and `--check` in CI.

`JOBS` is the whole configuration. Classes whose methods do I/O get twins that delegate through a portal
(`tools.twins`); modules of plain functions are rewritten as text (`tools.unasync`).
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.twins import Source, render_twins
from tools.unasync import blocking_text

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Twins:
    """Async classes of several modules, and the module of their delegating twins."""

    sources: str  # a glob; the target itself is left out
    target: str
    classes: Mapping[str, str]  # async name -> blocking name, in the order of the target
    doc: str
    awaitables: frozenset[str] = frozenset()

    def render(self, root: Path) -> str:
        paths = sorted(path for path in root.glob(self.sources) if path != root / self.target)
        sources = [Source(_module(path.relative_to(root)), path.read_text("utf-8")) for path in paths]
        return render_twins(sources, self.classes, doc=self.doc, awaitables=self.awaitables)


@dataclass(frozen=True)
class Functions:
    """A module whose text is rewritten: `names` wherever they stand, `methods` where they are called."""

    sources: str  # one path
    target: str
    names: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    doc: str | None = None  # the target's docstring, where it says other things than the source's

    def render(self, root: Path) -> str:
        text = (root / self.sources).read_text("utf-8")
        return blocking_text(text, self.names, self.methods, doc=self.doc)


HANDLES = {"AsyncWorkflowHandle": "WorkflowHandle"}

SYNC = """What a workflow can do besides calling steps and other workflows: for `def` workflows.

Every operation takes its number when it is called, in call order. `durably.aio` has the same functions for
`async def` workflows. Durations are seconds or `timedelta`; instants are aware `datetime`s. All of them raise
WrongContext outside a workflow.
"""

JOBS: Sequence[Twins | Functions] = (
    Twins(
        sources="src/durably/client/*.py",
        target="src/durably/client/_sync.py",
        classes={"AsyncDBOSClient": "DBOSClient", **HANDLES},
        doc="The blocking client and its handles: each call runs the async twin's on a loop thread.",
        awaitables=frozenset({"Opening"}),
    ),
    *(
        Functions(
            sources=f"src/durably/aio/{path.name}",
            target=f"src/durably/sync/{path.name}",
            names={"aio": "sync", "AsyncDBOSClient": "DBOSClient", **HANDLES},
            methods={
                "perform": "perform_blocking",
                "client": "client_blocking",
                "completed": "completed_blocking",
                "shield": "shield_blocking",
            },
            doc=SYNC if path.name == "__init__.py" else None,
        )
        for path in sorted((ROOT / "src/durably/aio").glob("*.py"))
    ),
)


def main() -> int:
    """Write the twins, or with --check tell what writing them would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would change")
    check = parser.parse_args().check
    stale = [job.target for job in JOBS if not _settle(job, check=check)]
    if stale and check:
        print(f"not as generated: {', '.join(stale)}; run `make generate`", file=sys.stderr)
    return 1 if stale and check else 0


def _settle(job: Twins | Functions, *, check: bool) -> bool:
    """Bring one target up to date, or show how it differs; return whether it was as generated."""
    target = ROOT / job.target
    present = target.read_text("utf-8") if target.exists() else ""
    wanted = generate(job, ROOT)
    if present == wanted:
        return True
    if check:
        sys.stdout.writelines(_diff(present, wanted, job.target))
    else:
        target.write_text(wanted, "utf-8")
        print(f"wrote {job.target}")
    return False


def generate(job: Twins | Functions, root: Path) -> str:
    """Return the finished text of a target."""
    header = f"# Generated from {job.sources}; do not edit: `make generate`.\n"
    return _formatted(header + job.render(root), job.target)


def _formatted(text: str, target: str) -> str:
    """Return the text as `make format` would leave it, unused imports dropped."""
    fixed = _ruff(["check", "--quiet", "--fix-only", "--select", "I,F401,UP,TC004,RUF022"], text, target)
    return _ruff(["format"], fixed, target)


def _ruff(arguments: Sequence[str], text: str, target: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", target, "-"]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, cwd=ROOT, encoding="utf-8"
    ).stdout


def _diff(present: str, wanted: str, name: str) -> list[str]:
    lines = (present.splitlines(keepends=True), wanted.splitlines(keepends=True))
    return list(difflib.unified_diff(*lines, fromfile=name, tofile=f"{name} as generated"))


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(part for part in parts if part not in {"src", "__init__"})


if __name__ == "__main__":
    sys.exit(main())
