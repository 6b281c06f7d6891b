"""Commands that look and wait, the forms of an answer, and many at once from JSON lines."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.cli.shell import COMMAND, Done, Durably
from tests.engine.support import rows


def piped(durably: Durably, text: str, *arguments: str) -> Done:
    """A command that reads its standard input."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **durably.environment, "NO_COLOR": "1"},
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def family(system: Durably, database_url: str) -> Durably:
    """A parent that ended, its child that failed and has a child of its own."""
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, parent_workflow_id, created_at) "
        "VALUES "
        "('top', 'SUCCESS', 'order', NULL, 1), ('mid', 'ERROR', 'charge', 'top', 2), "
        "('low', 'ENQUEUED', 'retry', 'mid', 3), ('other', 'CANCELLED', 'order', NULL, 4)",
    )
    rows(
        database_url,
        "INSERT INTO dbos.workflow_output (workflow_uuid, output, error) VALUES ('top', '\"done\"', NULL)",
    )
    rows(
        database_url,
        "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output) VALUES "
        "('mid', 1, 'one', '1'), ('mid', 2, 'two', '2')",
    )
    return system


def test_a_tree_shows_what_started_what(family: Durably) -> None:
    assert family("workflow", "tree", "top").lines == [
        "top  SUCCESS  order",
        "  mid  ERROR  charge",
        "    low  ENQUEUED  retry",
    ]
    assert family("workflow", "tree", "mid", "-o", "ids").lines == ["mid", "low"]
    assert family("workflow", "tree", "nobody").code == 3


def test_workflows_are_counted(family: Durably) -> None:
    assert family("workflow", "count").out == "4\n"
    assert family("workflow", "count", "--name", "order", "--json").json == {"count": 2}


def test_every_form_of_a_list(family: Durably) -> None:
    ids = ["other", "low", "mid", "top"]
    assert family("workflow", "list", "-o", "ids").lines == ids
    assert [each["workflow_id"] for each in family("workflow", "list", "-o", "json").json] == ids
    documents = family("workflow", "list", "-o", "jsonl").lines
    assert [json.loads(line)["workflow_id"] for line in documents] == ids
    assert family("workflow", "list", "-o", "table").lines[0].startswith("workflow_id\t")
    torn = family("workflow", "list", "--json", "-o", "ids")
    assert (torn.code, torn.out) == (2, "")
    assert "different things" in torn.err


def test_ids_of_a_list_are_what_the_next_command_reads(family: Durably) -> None:
    ids = family("workflow", "list", "--status", "CANCELLED", "-o", "ids").out
    done = piped(family, ids, "workflow", "resume", "-", "-o", "ids")
    assert (done.code, done.out) == (0, "other\n")
    empty = piped(family, "", "workflow", "cancel", "-")
    assert (empty.code, empty.out, empty.err) == (0, "", "no such workflows\n")


def test_a_result_is_waited_for(family: Durably) -> None:
    assert family("workflow", "result", "top").out == "done\n"
    late = family("workflow", "result", "low", "--timeout", "0.1")
    assert (late.code, late.out) == (5, "")
    assert family("workflow", "result", "other").code == 1


def test_statuses_are_waited_for(family: Durably) -> None:
    both = family("workflow", "wait", "top", "other")
    assert (both.code, both.lines) == (1, ["top\tSUCCESS", "other\tCANCELLED"])
    assert family("workflow", "wait", "--any", "low", "top", "-o", "ids").lines == ["top"]
    assert family("workflow", "wait", "low", "--timeout", "0.1").code == 5


def test_a_fork_takes_edits_and_a_rewind_keeps_the_id(family: Durably) -> None:
    forked = family(
        "workflow", "fork", "mid", "--from", "2", "--id", "again", "--args", "[7]", "--output-of", "1=9"
    )
    assert (forked.code, forked.out) == (0, "again\n"), forked.err
    shown = family("workflow", "get", "again", "--json").json
    assert (shown["forked_from"], shown["input"]["args"]) == ("mid", [7])
    assert [step["output"] for step in family("workflow", "steps", "again", "--json").json] == [9]
    assert family("workflow", "rewind", "mid", "--from", "2").out == "mid\n"
    assert family("workflow", "get", "mid", "--json").json["status"] == "ENQUEUED"
    assert family("workflow", "rewind", "low").code == 1
    assert "these are several" in family("workflow", "fork", "top", "mid", "--args", "[]").err
    assert "give a step's number" in family("workflow", "fork", "top", "--from", "two").err


def test_lines_of_json_are_enqueued_together(system: Durably) -> None:
    lines = "\n".join(json.dumps({"workflow_id": f"w-{n}", "args": [n], "priority": 7}) for n in range(1200))
    done = piped(system, lines, "enqueue-many", "--queue", "sums", "--name", "add")
    assert (done.code, len(done.lines), done.lines[3]) == (0, 1200, "w-3")
    assert done.err == "1,200 workflows enqueued\n"
    assert system("workflow", "get", "w-7", "--json").json["input"]["args"] == [7]
    again = piped(system, lines, "enqueue-many", "--queue", "sums", "--name", "add", "-o", "ids")
    assert (again.code, system("workflow", "count").out) == (0, "1200\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 is not JSON"),
        ('{"args": [1]}\n[]', "line 2 is no JSON object"),
        ('\n{"kwargs": {}, "colour": 1}', "line 2: 'colour' is none of"),
        ('{"args": 7}', "args is a list"),
    ],
)
def test_a_line_that_cannot_be_meant_stops_all(system: Durably, text: str, message: str) -> None:
    done = piped(system, text, "enqueue-many", "--queue", "q", "--name", "add")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "nothing was done" in done.err
    assert system("workflow", "count").out == "0\n"


def test_a_line_without_its_queue_says_so(system: Durably) -> None:
    done = piped(system, '{"workflow_name": "add"}', "enqueue-many")
    assert (done.code, "lacks queue_name" in done.err) == (2, True)


def test_messages_of_lines_are_sent_together(family: Durably) -> None:
    first = '{"destination_id": "top", "message": {"ok": true}, "topic": "t"}'
    lines = first + '\n{"destination_id": "low", "message": 1}'
    done = piped(family, lines, "send-many")
    assert (done.code, done.out, done.err) == (0, "", "2 messages sent\n")
    [received] = family("workflow", "messages", "top", "--json").json
    assert (received["message"], received["topic"]) == ({"ok": True}, "t")
    assert piped(family, '{"destination_id": "nobody", "message": 1}', "send-many").code == 3


def test_a_debounced_workflow_is_delayed(system: Durably) -> None:
    first = system("debounce", "index", "1", "--queue", "q", "--key", "k", "--period", "60").out
    assert system("debounce", "index", "2", "--queue", "q", "--key", "k", "--period", "60").out == first
    found = system("workflow", "get", first.strip(), "--json").json
    assert (found["status"], found["input"]["args"]) == ("DELAYED", [2])


def test_a_question_that_nobody_answers_is_a_timeout(family: Durably) -> None:
    assert family("ask", "low", "why", "--timeout", "0.1").code == 5
    assert family("ask", "nobody", "why").code == 3


def test_queues_are_counted_and_shown(system: Durably) -> None:
    system("queue", "register", "mails", "--concurrency", "5")
    system("enqueue", "send", "--queue", "mails")
    [counted] = system("queue", "stats", "--json").json
    assert (counted["name"], counted["enqueued"]) == ("mails", 1)
    assert "concurrency" in system("queue", "get", "mails").out
    assert system("queue", "list", "-o", "ids").out == "mails\n"
    assert system("queue", "get", "nobody").code == 3


def test_schedules_are_applied_from_lines(system: Durably) -> None:
    line = json.dumps({"schedule_name": "nightly", "workflow_name": "report", "schedule": "0 3 * * *"})
    assert piped(system, line, "schedule", "apply", "-o", "ids").out == "nightly\n"
    assert piped(system, line, "schedule", "apply", "-o", "ids").out == "nightly\n"
    assert len(system("schedule", "preview", "nightly", "--count", "3", "-o", "ids").lines) == 3
    assert system("schedule", "get", "nightly", "-o", "jsonl").json["schedule"] == "0 3 * * *"
    assert system("schedule", "get", "nobody").code == 3


def test_executors_activity_and_tables_are_listed(family: Durably) -> None:
    assert family("executor", "list", "--json").json == []
    family("enqueue", "send", "--queue", "mails")
    assert "mails (nobody's)\t1" in family("queue", "activity").out
    assert family("queue", "backlog", "mails", "-o", "ids").out == ""
    assert "dbos.workflow_status" in family("db", "storage", "-o", "ids").lines


def test_a_list_is_a_page_for_a_person_and_whole_for_a_pipe_of_ids(
    system: Durably, database_url: str
) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name) "
        "SELECT 'w-' || n, 'SUCCESS', 'w' FROM generate_series(1, 50) n",
    )
    page = system("workflow", "list", "--json")
    assert (len(page.json), "--limit N" in page.err) == (20, True)
    assert len(system("workflow", "list", "-o", "ids").lines) == 50
    assert len(system("workflow", "list", "-o", "ids", "--limit", "7").lines) == 7
    assert system("workflow", "list", "--json", "--limit", "20").err == ""


def test_what_is_known_in_names_and_numbers(family: Durably) -> None:
    assert set(family("workflow", "names", "-o", "ids").lines) == {"order", "charge", "retry"}
    assert "steps" in family("workflow", "summary", "mid").out
    assert family("workflow", "summary", "mid", "--json").json["steps"] == 2
    assert family("workflow", "attempts", "mid", "--json").json["failed"] == 0
    assert family("workflow", "attempts", "nobody").code == 3
    family("enqueue", "send", "--queue", "mails")
    assert sum(each["enqueued"] for each in family("version", "loads", "--json").json) >= 1
