"""What is done on the command line, as the audit has it."""

from __future__ import annotations

import getpass
import socket
from pathlib import Path

from tests.cli.shell import Durably
from tests.engine.support import enqueue, rows


def audit(durably: Durably) -> list[tuple[str, str, list[str], str, str | None]]:
    """Everything, the oldest first."""
    found = durably("audit", "--json").json
    return [(e["verb"], e["kind"], e["targets"], e["outcome"], e["did"]) for e in reversed(found)]


def test_deeds_are_noted_with_what_came_of_them(system: Durably, database_url: str, tmp_path: Path) -> None:
    for workflow_id in ("w1", "w2", "w3"):
        enqueue(database_url, workflow_id, "job")
    system("queue", "register", "q", "--concurrency", "2")
    system("queue", "pause", "q", "--reason", "night")
    system("workflow", "cancel", "w1")
    system("workflow", "cancel", "--name", "job", "--status", "ENQUEUED")
    system("workflow", "resume", "w1", "--on", "q")
    fork = system("workflow", "fork", "w2", "-o", "ids").out.strip()
    system("schedule", "create", "nightly", "job", "0 3 * * *")
    system("schedule", "pause", "nightly")
    system("send", "w1", '{"secret": 17}', "--topic", "go")
    system("enqueue", "job", '"secret"', "--queue", "q", "--id", "w4")
    made = system("enqueue", "job", '"secret"', "--queue", "q", "-o", "ids").out.strip()
    lines = tmp_path / "lines"
    lines.write_text('{"workflow_id": "w5", "workflow_name": "job", "queue_name": "q"}\n')
    system("enqueue-many", str(lines))
    noted = audit(system)
    assert noted[:3] == [
        ("register", "queue", ["q"], "done", None),
        ("pause", "queue", ["q"], "done", None),
        ("cancel", "workflow", ["w1"], "done", None),
    ]
    verb, kind, targets, outcome, did = noted[3]
    assert (verb, kind, sorted(targets), outcome, did) == (
        "cancel",
        "workflow",
        ["w2", "w3"],
        "done",
        "2 done",
    )
    assert noted[4][:4] == ("resume", "workflow", ["w1"], "done")
    assert noted[5] == ("fork", "workflow", ["w2"], "done", fork)
    assert [each[:3] for each in noted[6:]] == [
        ("create", "schedule", ["nightly"]),
        ("pause", "schedule", ["nightly"]),
        ("send", "workflow", ["w1"]),
        ("enqueue", "workflow", ["w4"]),
        ("enqueue", "workflow", ["job"]),
        ("enqueue", "workflow", ["w5"]),
    ]
    assert [each[3:] for each in noted[-3:]] == [("done", "w4"), ("done", made), ("done", "1 done")]
    entries = system("audit", "--json").json
    assert {each["source"] for each in entries} == {"cli"}
    assert '{"reason": "night"}' in [str(each["detail"]).replace("'", '"') for each in entries]
    assert "secret" not in str(entries)


def test_looking_and_dry_runs_leave_no_trace(system: Durably, database_url: str) -> None:
    enqueue(database_url, "w1", "job")
    system("workflow", "list")
    system("workflow", "cancel", "--name", "job", "--dry-run")
    system("explain", "w1")
    assert audit(system) == []


def test_what_fails_is_noted_as_failed(system: Durably) -> None:
    assert system("queue", "pause", "nowhere").code != 0
    ((verb, _, targets, outcome, did),) = audit(system)
    assert (verb, targets, outcome) == ("pause", ["nowhere"], "failed")
    assert "nowhere" in str(did)


def test_it_was_the_user_of_this_machine_or_whom_the_environment_names(system: Durably) -> None:
    system("queue", "register", "q")
    system("queue", "pause", "q", DURABLY_ACTOR="olga")
    who = [each["who"] for each in system("audit", "--json").json]
    assert who == ["olga", f"{getpass.getuser()}@{socket.gethostname()}"]


def test_all_works_where_no_audit_is_kept(system: Durably, database_url: str) -> None:
    enqueue(database_url, "w1", "job")
    rows(database_url, "DROP SCHEMA durably CASCADE")
    assert system("workflow", "cancel", "w1").out == "w1 CANCELLED\n"
