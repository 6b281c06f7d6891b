"""What is seen of the demo: its phases as they happen, then the timeline and the claims."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.table import Table
from rich.text import Text

from durably.cli.demo.claims import Claim
from durably.cli.demo.evidence import TIMER, Evidence
from durably.types import StepInfo

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Bars", "Display", "Lines", "show_claims", "show_timeline"]

Step = Callable[[], None]
TITLE = "Recorded in the database, in seconds since the first purchase"
LEGEND = "A, B: by the first, the second worker   *: in flight at the kill, ran again"
COLOURS = {"A": "cyan", "B": "green"}


class Display(Protocol):
    """Shows the phases of the demo."""

    def phase(self, text: str, total: int = 1) -> AbstractContextManager[Step]:
        """Show a phase as long as it lasts; what it gives is called for each of `total` parts done."""


class Lines:
    """One line for each phase that is over: for pipes and logs."""

    @contextmanager
    def phase(self, text: str, total: int = 1) -> Iterator[Step]:
        """Print it when it is over."""
        began = time.monotonic()
        yield lambda: None
        print(f"{time.monotonic() - began:6.2f} s  {text}", file=sys.stderr, flush=True)


class Bars:
    """A bar for each phase: for terminals."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    @classmethod
    @contextmanager
    def shown(cls, console: Console) -> Iterator[Bars]:
        """Bars on this console."""
        columns = (SpinnerColumn(finished_text="[green]✔"), _Took(), _Description(), BarColumn(12))
        with Progress(*columns, MofNCompleteColumn(), console=console) as progress:
            yield cls(progress)

    @contextmanager
    def phase(self, text: str, total: int = 1) -> Iterator[Step]:
        """Show it as a bar."""
        task = self._progress.add_task(text, total=total)
        yield lambda: self._progress.advance(task)
        self._progress.update(task, completed=total)


class _Description(ProgressColumn):
    """The text of a phase, as it is."""

    def render(self, task: Task) -> Text:
        return Text(task.description, overflow="ellipsis", no_wrap=True)


class _Took(ProgressColumn):
    """How long a phase took, or takes so far."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.finished_time or task.elapsed or 0.0:5.2f} s", style="dim")


def show_timeline(console: Console, evidence: Evidence) -> None:
    """For each purchase, when each of its operations was recorded, and by which worker."""
    columns = {number: name for number, name in evidence.operations.items() if name != TIMER}
    table = Table(box=None, pad_edge=False)
    for name in ("purchase", "runs", *columns.values()):
        table.add_column(name.removeprefix("DBOS."), no_wrap=True)
    start = min((recorded.workflow.created_at for recorded in evidence.after.values()), default=0)
    for workflow_id, recorded in sorted(evidence.after.items()):
        steps = {step.function_id: step for step in recorded.steps}
        cells = [_cell(evidence, workflow_id, steps.get(number), start) for number in columns]
        table.add_row(Text(workflow_id), Text(str(recorded.workflow.recovery_attempts)), *cells)
    console.print(Text(f"\n{TITLE}", style="bold"), table, Text(f"{LEGEND}\n", style="dim"), sep="\n")


def show_claims(console: Console, claims: Sequence[Claim]) -> None:
    """Each claim, and whether it holds."""
    for claim in claims:
        mark = Text("✔ " if claim.holds else "✘ NOT SO: ", style="green" if claim.holds else "bold red")
        console.print(mark + Text(claim.text))


def _cell(evidence: Evidence, workflow_id: str, step: StepInfo | None, start: int) -> Text:
    if step is None:
        return Text("-", style="red")
    was_there = workflow_id in evidence.before and step in evidence.before[workflow_id].steps
    worker = "A" if was_there else "B"
    mark = "*" if (workflow_id, step.function_name) in evidence.in_flight else ""
    seconds = ((step.completed_at_epoch_ms or start) - start) / 1000
    return Text(f"{worker} {seconds:.2f}{mark}", style=COLOURS[worker])
