"""`durably demo`: all that it claims is so, and it says when something is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.shell import Done, Durably

DOUBLE_SEND = """
import secrets, sys
from durably.cli.demo import story
from durably.cli.main import main

def send_without_a_key(client, purchase):
    client.send(purchase.workflow_id, purchase.approver, topic="approval")

story._send_approval = send_without_a_key
sys.exit(main(["demo", "--json"]))
"""
NO_KILL = """
import sys
from durably.cli.demo.worker import Worker
from durably.cli.main import main

Worker.kill = Worker.stop
sys.exit(main(["demo", "--json"]))
"""


def run(program: str, home: Path) -> Done:
    environment = {**os.environ, "TMPDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.slow
def test_everything_is_so_within_20_seconds(nowhere: Durably, tmp_path: Path) -> None:
    began = time.monotonic()
    done = nowhere("demo", "--json", TMPDIR=str(tmp_path))
    took = time.monotonic() - began
    assert done.code == 0, done.out + done.err
    summary = done.json
    assert summary["ok"]
    assert [claim["text"] for claim in summary["claims"] if not claim["holds"]] == []
    assert summary["ran_twice"] == summary["in_flight_at_the_kill"] != []
    assert summary["bodies_ran"] == summary["steps_recorded"] + len(summary["ran_twice"])
    assert sorted(w["recovery_attempts"] for w in summary["workflows"]) == [1, 2, 2, 2, 2, 2, 2, 2]
    assert list(tmp_path.iterdir()) == []
    assert took < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "broken"),
    [(DOUBLE_SEND, "9 approvals were sent, one twice"), (NO_KILL, "The first worker was killed (SIGKILL)")],
    ids=["double send", "no kill"],
)
def test_a_broken_claim_exits_with_1(tmp_path: Path, program: str, broken: str) -> None:
    done = run(program, tmp_path)
    assert done.code == 1
    assert "the demo claims what is not so" in done.err
    assert any(broken in claim["text"] for claim in done.json["claims"] if not claim["holds"])
