"""The command `durably demo`."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from durably.cli import output
from durably.cli.command import command
from durably.cli.failures import DemoFailed

if TYPE_CHECKING:
    from durably.cli.demo.claims import Claim
    from durably.cli.demo.display import Display
    from durably.cli.demo.evidence import Evidence, Recorded

__all__ = ["app"]

app = typer.Typer()

KEPT = Path(".durably", "demo")
DATABASE = "tickets_dbos_sys"


@app.command()
@command
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help=f"Keep the database, in ./{KEPT}, and say how to look at it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """See a worker killed in the middle of its work, and another go on where it stopped.

    Everything it claims at the end is checked in the database; if anything is not so, it exits with 1.

    Example: durably demo --keep
    """
    began = time.monotonic()
    with _home(keep=keep) as home:
        evidence, claims = _play(home, as_json=as_json)
    broken = [claim.text for claim in claims if not claim.holds]
    took = time.monotonic() - began
    if as_json:
        output.print_json(_summary(evidence, claims, took))
    if broken:
        raise DemoFailed(f"the demo claims what is not so: {' '.join(broken)}")
    if not as_json:
        _farewell(took, keep=keep)


def _play(home: Path, *, as_json: bool) -> tuple[Evidence, list[Claim]]:
    from rich.console import Console

    from durably import embedded
    from durably.cli.demo import claims, display, story

    console, run = Console(stderr=as_json, highlight=False), f"buy-{secrets.token_hex(2)}"
    with _display(console) as phases:
        with phases.phase("An embedded PostgreSQL starts"):
            server = embedded.start(home)
        with server:
            evidence = story.tell(server.url(DATABASE), home, run, phases)
    judged = claims.judge(evidence)
    if not as_json:
        display.show_timeline(console, evidence)
        display.show_claims(console, judged)
    return evidence, judged


@contextmanager
def _display(console: Any) -> Iterator[Display]:
    from durably.cli.demo.display import Bars, Lines

    if not console.is_terminal:
        yield Lines()
        return
    with Bars.shown(console) as bars:
        yield bars


@contextmanager
def _home(*, keep: bool) -> Iterator[Path]:
    """Where the database is: deleted afterwards, unless it is to be kept."""
    if keep:
        yield KEPT.resolve()
        return
    home = Path(tempfile.mkdtemp(prefix="durably-demo-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _farewell(took: float, *, keep: bool) -> None:
    print(f"All of it is so. It took {took:.1f} s.")
    if keep:
        print(f"Look at it with: DURABLY_HOME={KEPT} durably workflow list")


def _summary(evidence: Evidence, claims: list[Claim], took: float) -> dict[str, Any]:
    return {
        "ok": all(claim.holds for claim in claims),
        "seconds": round(took, 2),
        "executors": evidence.executors,
        "claims": claims,
        "steps_recorded": len(evidence.recorded_steps),
        "bodies_ran": evidence.ran.total(),
        "ran_twice": sorted([run for run, count in evidence.ran.items() if count > 1]),
        "in_flight_at_the_kill": sorted(evidence.in_flight),
        "workflows": [_workflow(evidence, recorded) for recorded in evidence.after.values()],
    }


def _workflow(evidence: Evidence, recorded: Recorded) -> dict[str, Any]:
    workflow = recorded.workflow
    before = evidence.before.get(workflow.workflow_id)
    return {
        "workflow_id": workflow.workflow_id,
        "status": workflow.status,
        "recovery_attempts": workflow.recovery_attempts,
        "executor_ids": [before and before.workflow.executor_id, workflow.executor_id],
        "steps": recorded.steps,
        "steps_before_the_kill": len(before.steps) if before else 0,
    }
