"""Doing something to many: a dry run counts, a person is asked, Ctrl-C stops between batches and tells."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time

import psycopg
import pytest

from tests.cli.shell import COMMAND, Durably, background
from tests.engine.support import rows

MANY = 30_000


@pytest.fixture
def many(system: Durably, database_url: str) -> Durably:
    """A queue full of workflows that wait."""
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, created_at) "
        "SELECT 'w-' || n, 'ENQUEUED', 'send', 'mails', n FROM generate_series(1, %s) n",
        MANY,
    )
    return system


def cancelled(url: str) -> int:
    with psycopg.connect(url) as connection:
        answer = connection.execute("SELECT count(*) FROM dbos.workflow_status WHERE status = 'CANCELLED'")
        return int((answer.fetchone() or (0,))[0])


def test_a_dry_run_counts_and_shows_a_sample(many: Durably, database_url: str) -> None:
    done = many("workflow", "cancel", "--queue", "mails", "--dry-run")
    assert (done.code, len(done.lines)) == (0, 10)
    assert done.err == "30,000 workflows would be cancelled, 10 of them above; nothing was changed\n"
    assert len(many("workflow", "cancel", "--queue", "mails", "--dry-run", "-o", "ids").lines) == MANY
    assert cancelled(database_url) == 0


def test_a_bulk_action_can_be_stopped_and_says_what_it_did(many: Durably, database_url: str) -> None:
    with background(many.start("workflow", "cancel", "--queue", "mails", "-o", "ids")) as process:
        deadline = time.monotonic() + 60
        while not cancelled(database_url):
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    told = re.fullmatch(r"interrupted: ([\d,]+) cancelled, ([\d,]+) left as they were\n", err)
    assert told is not None, err
    done, left = (int(number.replace(",", "")) for number in told.groups())
    assert done == cancelled(database_url) == len(out.splitlines())
    assert done + left == MANY
    assert left > 0


def answered(durably: Durably, answer: str, *arguments: str) -> tuple[int, str]:
    """A command on a terminal, whose question is answered."""
    ours, theirs = pty.openpty()
    env = {**os.environ, **durably.environment, "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = b""
    with background(process):  # type: ignore[arg-type]
        while b"Go on?" not in shown:
            shown += os.read(ours, 65536)
        os.write(ours, answer.encode() + b"\n")
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass  # how a terminal says on Linux that nobody writes any more
        code = process.wait(60)
    os.close(ours)
    return code, shown.decode()


def test_a_person_is_asked_before_much_is_done(many: Durably, database_url: str) -> None:
    code, shown = answered(many, "n", "workflow", "cancel", "--queue", "mails", "--limit", "700")
    assert "700 workflows will be cancelled. Go on?" in shown
    assert (code, cancelled(database_url)) == (2, 0)
    code, shown = answered(many, "y", "workflow", "cancel", "--queue", "mails", "--limit", "700")
    assert (code, cancelled(database_url)) == (0, 700)
    assert "700 workflows cancelled" in shown
