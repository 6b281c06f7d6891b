"""Row 26: a row is no program. Pickled rows that leave a mark if anybody decodes them, at every door."""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from durably import WorkflowFilter
from durably.codec import Codecs
from durably.errors import DecodeError, DurablyError
from tests.faults.fleet import ROOT, Fleet
from tests.faults.table import Table

MUTATED = 20_000
VALUES: tuple[Any, ...] = (
    {"args": (1, "a", None), "kwargs": {"n": 1.5}},
    ["a"] * 5,
    datetime(2026, 5, 1, tzinfo=UTC),
    ValueError("declined"),
)


class Mark:
    """Unpickled, it makes a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_nobody_runs_a_row(fleet: Fleet, tmp_path: Path, table: Table) -> None:
    """A worker, every reader of a client's, and the command line; then a row that both could run goes on."""
    mark = tmp_path / "ran"
    payload = base64.b64encode(pickle.dumps(Mark(mark))).decode()
    with fleet.client() as client:
        for id_ in ("waits", "ended"):
            fleet.ask_with(client, "ladder", 1, id=id_)
        poison(fleet, payload)
        fleet.launch(queues={"q": 1})
        fleet.ask_with(client, "ladder", id="good")
        fleet.see("good")
        doors: dict[str, Callable[[], object]] = {
            "list": lambda: client.list_workflows(WorkflowFilter(load_input=True, load_output=True)),
            "retrieve": lambda: client.retrieve_workflow("ended").get_status(),
            "result": lambda: client.retrieve_workflow("ended").get_result(1),
            "result of an error": lambda: client.retrieve_workflow("failed").get_result(1),
            "event": lambda: client.get_event("ended", "key", timeout_seconds=1),
            "events": lambda: client.get_all_events("ended"),
            "steps": lambda: client.list_workflow_steps("ended"),
            "stream": lambda: list(client.read_stream("ended", "key")),
            "explain": lambda: client.explain("waits"),
        }
        for door in doors.values():
            with contextlib.suppress(DurablyError):  # what it says is another test's
                door()
    commands = (["workflow", "list"], ["workflow", "get", "ended"], ["workflow", "steps", "ended"])
    for command in commands:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("durably")), *command],
            cwd=ROOT,
            env={**os.environ, "DURABLY_DATABASE_URL": fleet.url},
            capture_output=True,
            timeout=30,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout
    count = 1 + len(doors) + len(commands)
    table.add(
        26, "a hostile row", goal="0 of 13 doors run code", figures=f"{int(mark.exists())} of {count} doors"
    )
    assert not mark.exists()
    with contextlib.suppress(FileExistsError):
        pickle.loads(base64.b64decode(payload))  # the trap does work
    assert mark.exists()


def test_no_mutated_pickle_runs_or_breaks_a_reader(tmp_path: Path, table: Table) -> None:
    """Bytes are changed, put in, doubled and left out; the reader has not named py_pickle."""
    mark = tmp_path / "ran"
    chance = random.Random(0)
    plain = Codecs()
    seeds = [pickle.dumps(value, protocol) for value in (Mark(mark), *VALUES) for protocol in (4, 5)]
    refused = 0
    began = time.monotonic()
    for number in range(MUTATED):
        raw = mutated(chance, seeds[number % len(seeds)])
        text = base64.b64encode(raw).decode()
        for read in (plain.decode, plain_arguments(plain)):
            try:
                read(text, chance.choice([None, "py_pickle", "portable_json"]))
            except DecodeError:
                refused += 1
    took = time.monotonic() - began
    table.add(
        26,
        f"{MUTATED:,} mutated pickles, no format and each format named",
        goal="0 run code",
        figures=f"{int(mark.exists())} ran, {refused:,} of {2 * MUTATED:,} reads refused with DecodeError, "
        f"the others gave plain values; {took:.1f} s",
    )
    assert not mark.exists()
    assert refused > MUTATED


def plain_arguments(codecs: Codecs) -> Callable[[str, str | None], Any]:
    """What reads arguments."""
    return lambda text, name: codecs.reader(name, text).decode_arguments(text)


def mutated(chance: random.Random, raw: bytes) -> bytes:
    """One to four changes."""
    data = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at, width = chance.randrange(len(data)), chance.randint(1, 8)
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + width]
            case 2:
                data[at:at] = data[at : at + width]
            case _:
                data[at:at] = chance.randbytes(width)
        data = data or bytearray(raw)
    return bytes(data)


def poison(fleet: Fleet, payload: str) -> None:
    """Write what somebody may who can write one row."""
    for statement in (
        "UPDATE dbos.workflow_status SET serialization = 'py_pickle'",
        "UPDATE dbos.workflow_input SET inputs = %(x)s",
        "UPDATE dbos.workflow_status SET status = 'SUCCESS' WHERE workflow_uuid = 'ended'",
        "INSERT INTO dbos.workflow_output (workflow_uuid, output) VALUES ('ended', %(x)s)",
        "INSERT INTO dbos.workflow_events (workflow_uuid, key, value, serialization)"
        " VALUES ('ended', 'key', %(x)s, 'py_pickle')",
        'INSERT INTO dbos.streams (workflow_uuid, key, value, "offset", function_id, serialization)'
        " VALUES ('ended', 'key', %(x)s, 0, 1, 'py_pickle')",
        "INSERT INTO dbos.operation_outputs"
        " (workflow_uuid, function_id, function_name, output, serialization)"
        " VALUES ('ended', 1, 'step', %(x)s, 'py_pickle')",
    ):
        fleet.rows(statement.replace("%(x)s", f"'{payload}'").encode())
