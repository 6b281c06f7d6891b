"""Runs the contenders in turn, round by round, so that a slow minute of the machine meets all of them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.report import render

ROOT = Path(__file__).resolve().parent.parent
PEER = os.environ.get("DURABLY_DBOS_PYTHON", str(ROOT / ".venv-peers" / "bin" / "python"))
TIMEOUT = 300  # seconds for one measurement

SIZES = {"drain": 5000, "steps": 2000, "serial": 1000, "latency": 50, "enqueue": 2000, "bulk": 20000}
PEER_SIZES = {"drain": 1000, "steps": 2000, "serial": 400, "latency": 20, "enqueue": 500}

OURS = [sys.executable, "-m", "bench.ours"]
DBOS = [PEER, str(ROOT / "bench" / "dbos_peer.py")]
LIMITS = [sys.executable, "-m", "bench.limits"]
CONTENDERS: Sequence[tuple[str, Sequence[str], Sequence[str]]] = (
    ("durably async", [*OURS, "async"], ("drain", "steps", "serial", "latency")),
    ("durably def", [*OURS, "def"], ("drain", "steps", "serial")),
    ("durably", [*OURS, "async"], ("enqueue", "bulk")),
    ("dbos tuned", [*DBOS, "tuned"], ("drain", "steps", "serial", "latency", "enqueue")),
    ("dbos default", [*DBOS, "default"], ("latency",)),
    ("limit", LIMITS, ("drain", "steps", "serial", "enqueue", "bulk")),
)


def main() -> None:
    """Measure and print."""
    options = _options()
    samples: dict[tuple[str, str], list[float]] = {}
    with _server(options.dsn) as admin:
        for number in range(options.rounds):
            for contender, workload, command, n in _plan(options):
                value = _measure(command, workload, admin, n)
                samples.setdefault((contender, workload), []).append(value)
                print(
                    f"round {number + 1}: {contender:14} {workload:8} {value:12,.1f}",
                    file=sys.stderr,
                    flush=True,
                )
    print(render(samples))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure durably and its peers.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="workloads, separated by commas")
    parser.add_argument("--contenders", default="", help="the beginnings of their names, separated by commas")
    parser.add_argument("--dsn", default=None, help="a server where databases may be created")
    parser.add_argument("--smoke", action="store_true", help="one small round: does everything still run?")
    options = parser.parse_args()
    if options.smoke:
        options.rounds = 1
    return options


def _plan(options: argparse.Namespace) -> Iterator[tuple[str, str, Sequence[str], int]]:
    only = {name for name in options.only.split(",") if name}
    prefixes = tuple(options.contenders.split(",")) if options.contenders else ("",)
    for workload, full in SIZES.items():
        for contender, command, workloads in CONTENDERS:
            if (
                workload not in workloads
                or (only and workload not in only)
                or not contender.startswith(prefixes)
            ):
                continue
            n = PEER_SIZES[workload] if contender.startswith("dbos") else full
            yield contender, workload, command, max(40, n // 20) if options.smoke else n


def _measure(command: Sequence[str], workload: str, admin: str, n: int) -> float:
    with _database(admin) as url:
        if command is LIMITS:
            _run([sys.executable, "-m", "bench.ours", "async", "steps"], url, 40)  # makes the tables
            return _run([*command, workload], url, n)
        return _run([*command, workload], url, n)


def _run(command: Sequence[str], url: str, n: int) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, url, str(n)], capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    return float(json.loads(done.stdout.strip().splitlines()[-1])["value"])


@contextmanager
def _server(dsn: str | None) -> Iterator[str]:
    if dsn is not None:
        yield dsn
        return
    from durably import embedded

    with tempfile.TemporaryDirectory(prefix="durably-bench-") as home:
        server = embedded.start(home)
        try:
            yield server.url("postgres")
        finally:
            server.stop()


@contextmanager
def _database(admin: str) -> Iterator[str]:
    name = f"bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlsplit(admin)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
