"""Does something to many workflows: says how many, asks, goes on in batches, stops when told, reports."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import TypeAlias

import typer

from durably.cli import output
from durably.cli.command import Session
from durably.cli.conditions import Chosen
from durably.cli.failures import INTERRUPTED, UsageError
from durably.cli.output import Form
from durably.types import WorkflowFilter

__all__ = ["MANY", "Deed", "Which", "ids_given", "perform", "progress", "stoppable", "which"]

BATCH = 500  # workflows in a call
MANY = 10  # beyond it a person is asked first
SAMPLE = 10  # that a dry run shows

Which: TypeAlias = list[str] | WorkflowFilter


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is done: its past participle, and the client's call of (which, dry_run).

    `otherwise` says of an id why it was not done. `find` is the dry run that leaves children out.
    """

    word: str
    act: Callable[[Which, bool], Sequence[str]]
    find: Callable[[Which], Sequence[str]] | None = None
    otherwise: str = ""


def which(ids: Sequence[str] | None, chosen: Chosen) -> Which:
    """Which workflows were meant; UsageError when that is not clear."""
    conditions = chosen.conditions()
    if ids and (conditions or chosen.limit):
        raise UsageError("give ids or conditions, not both")
    if ids:
        return ids_given(ids)
    if not conditions:
        raise UsageError(
            "which workflows? give ids, `-` to read them from standard input, or conditions such as --name"
        )
    return WorkflowFilter(**conditions, limit=chosen.limit)


def ids_given(ids: Sequence[str]) -> list[str]:
    """The ids, with those of the standard input in place of `-`, each once."""
    lines = [line.strip() for line in sys.stdin] if "-" in ids else []
    found = [each for id_ in ids for each in ([line for line in lines if line] if id_ == "-" else [id_])]
    return list(dict.fromkeys(found))


def perform(session: Session, chosen: Chosen, meant: Which, deed: Deed) -> None:
    """Do it, in batches; exits with 130 when it was stopped, and says how far it came."""
    if chosen.dry_run:
        return _would(session, deed, list(deed.act(meant, True)))
    targets = meant if isinstance(meant, list) else list(_found(deed, meant))
    _confirm(deed.word, len(targets), sure=chosen.yes)
    done, tried, was_stopped = _batches(deed, meant, targets)
    _tell(session, deed, done, [] if isinstance(meant, WorkflowFilter) else tried)
    if was_stopped:
        output.note(
            f"interrupted: {len(done):,} {deed.word}, {len(targets) - len(tried):,} left as they were"
        )
        raise typer.Exit(INTERRUPTED)


def _found(deed: Deed, meant: Which) -> Sequence[str]:
    return deed.find(meant) if deed.find is not None else deed.act(meant, True)


def _batches(deed: Deed, meant: Which, targets: list[str]) -> tuple[list[str], list[str], bool]:
    """What was done, what was tried, and whether somebody stopped it between two batches."""
    done: dict[str, None] = {}
    tried: list[str] = []
    try:
        with stoppable() as is_stopped, progress(deed.word, len(targets)) as advance:
            for start in range(0, len(targets), BATCH):
                if is_stopped():
                    break
                batch = targets[start : start + BATCH]
                done.update(dict.fromkeys(deed.act(_narrowed(meant, batch), False)))
                tried += batch
                advance(len(batch))
            return list(done), tried, is_stopped() and len(tried) < len(targets)
    except BaseException:
        if tried:
            output.note(f"{len(done):,} {deed.word} before this, {len(targets) - len(tried):,} not tried")
        raise


def _narrowed(meant: Which, batch: list[str]) -> Which:
    """The batch, with the conditions that hold still: what has changed since is left alone."""
    if isinstance(meant, list):
        return batch
    return replace(meant, workflow_ids=batch, limit=None)


def _confirm(word: str, count: int, *, sure: bool) -> None:
    """Ask a person before much is done; who is not there is not asked."""
    if sure or count <= MANY or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not typer.confirm(f"{count:,} workflows will be {word}. Go on?", err=True):
        raise UsageError("nothing was changed")


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C lets what is under way end, the second one does not."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal's stderr, where that is one and the work is long; `advance(n)`."""
    if total <= BATCH or not sys.stderr.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda number: bar.advance(task, number)


# -- what is said -------------------------------------------------------------------------------------------


def _would(session: Session, deed: Deed, ids: list[str]) -> None:
    """How many it would be, and some of them; all of them for a program."""
    if session.form in (Form.ids, Form.jsonl):
        return output.print_ids(session.form, ids)
    if session.as_json:
        return output.print_json({deed.word: ids, "count": len(ids), "dry_run": True})
    for workflow_id in ids[:SAMPLE]:
        print(output.printable(f"{workflow_id} would be {deed.word}"))
    more = f", {SAMPLE} of them above" if len(ids) > SAMPLE else ""
    output.note(f"{output.counted(len(ids), 'workflow')} would be {deed.word}{more}; nothing was changed")


def _tell(session: Session, deed: Deed, done: list[str], tried: list[str]) -> None:
    """What was done; of ids that were given also what was not."""
    reached = set(done)
    left = [id_ for id_ in tried if id_ not in reached]
    why = f"{deed.otherwise}, or does not exist" if deed.otherwise else "there is none"
    if session.form in (Form.ids, Form.jsonl):
        output.print_ids(session.form, done)
        for workflow_id in left:
            output.note(f"{workflow_id} not {deed.word}: {why}")
        return
    if session.as_json:
        return output.print_json({deed.word: done, "count": len(done), "dry_run": False})
    for workflow_id in done:
        print(output.printable(f"{workflow_id} {deed.word}"))
    for workflow_id in left:
        print(output.printable(f"{workflow_id} not {deed.word}: {why}"))
    if not done and not left:
        output.note("no such workflows")
    elif len(done) > SAMPLE:
        output.note(f"{output.counted(len(done), 'workflow')} {deed.word}")
