"""Enqueue, send, event, workflow: against a shop that runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import fields

import psycopg
import pytest

from durably.types import StepInfo, WorkflowStatus
from tests.cli.shell import Durably, background

NewId = Callable[[], str]
STATUS_KEYS = [f.name for f in fields(WorkflowStatus)]
STEP_KEYS = [f.name for f in fields(StepInfo)]


def test_enqueue_prints_the_id_and_wait_the_result(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    enqueued = shop("enqueue", "say", "hello", "--queue", "orders", "--id", wid)
    assert (enqueued.code, enqueued.out) == (0, f"{wid}\n")
    waited = shop("enqueue", "say", "hello", "--queue", "orders", "--id", wid, "--wait")
    assert (waited.code, waited.out, waited.err) == (0, "hello\n", f"{wid}\n")
    found = shop("enqueue", "say", "hello", "--queue", "orders", "--id", wid, "--wait", "--json")
    assert found.json == {"workflow_id": wid, "status": "SUCCESS", "output": "hello"}


def test_enqueue_tells_of_arguments_that_were_dropped(shop: Durably, new_id: NewId) -> None:
    """To the person: a pipe still gets the id."""
    wid = new_id()
    made = shop("enqueue", "say", "hello", "--queue", "orders", "--id", wid, "--json")
    assert made.json == {"workflow_id": wid, "created": True, "arguments_ignored": False}
    again = shop("enqueue", "say", "goodbye", "--queue", "orders", "--id", wid)
    assert (again.code, again.out) == (0, f"{wid}\n")
    assert f"workflow id '{wid}' is in use by 'say' with other arguments" in again.err
    told = shop("enqueue", "say", "goodbye", "--queue", "orders", "--id", wid, "--json")
    assert told.json == {"workflow_id": wid, "created": False, "arguments_ignored": True}


def test_arguments_are_json_or_text(shop: Durably) -> None:
    args = ["1", "1.5", "true", "null", '"7"', '["a1"]', "hello world", "2026-05-01", "NaN"]
    options = ["--queue", "orders", "--class", "Shop", "--wait", "--json", "--kwargs", '{"k": {"deep": [1]}}']
    done = shop("enqueue", *options, "--", "echo", *args, "-1")
    assert done.json["output"] == {
        "args": [1, 1.5, True, None, "7", ["a1"], "hello world", "2026-05-01", "NaN", -1],
        "kwargs": {"k": {"deep": [1]}},
    }


def test_a_failed_workflow_exits_with_1(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    done = shop("enqueue", "fail", "no such\x1b[31m shelf", "--queue", "orders", "--id", wid, "--wait")
    assert (done.code, done.out) == (1, "")
    assert f"workflow '{wid}' has no result: LookupError: no such\\x1b[31m shelf" in done.err
    assert shop("workflow", "get", wid, "--json").json["error"]["name"] == "LookupError"
    assert "LookupError: no such" in shop("workflow", "get", wid).out


def test_an_unserved_workflow_times_out_with_5(shop: Durably) -> None:
    done = shop("enqueue", "say", "x", "--queue", "nowhere", "--wait", "--wait-timeout", "0.1")
    assert (done.code, done.out) == (5, "")
    assert "did not end within 0.1 s" in done.err


def test_a_message_with_a_key_is_sent_once(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "gate", "--queue", "orders", "--id", wid)
    status = shop("event", wid, "status")
    assert (status.code, status.out) == (0, "waiting\n")
    for _ in range(2):
        sent = shop("send", wid, '{"come": "in"}', "--topic", "open", "--key", f"{wid}-key", "--json")
        assert sent.json == {"destination_id": wid, "topic": "open", "idempotency_key": f"{wid}-key"}
    done = shop("enqueue", "gate", "--queue", "orders", "--id", wid, "--wait", "--json")
    assert done.json["output"] == [{"come": "in"}, None]
    event = shop("event", wid, "status", "--json")
    assert event.json == {"workflow_id": wid, "key": "status", "value": "waiting"}


def test_an_event_that_does_not_come_exits_with_5(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "say", "x", "--queue", "orders", "--id", wid, "--wait")
    done = shop("event", wid, "status", "--timeout", "0.1")
    assert (done.code, done.out) == (5, "")
    assert f"workflow '{wid}' published nothing under 'status'" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "nobody", "x"),
        ("event", "nobody", "status", "--timeout", "0.1"),
        ("workflow", "get", "nobody"),
        ("workflow", "steps", "nobody"),
        ("workflow", "cancel", "nobody"),
        ("workflow", "resume", "nobody"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_no_such_workflow_exits_with_3(shop: Durably, arguments: tuple[str, ...]) -> None:
    done = shop(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "'nobody'" in done.err
    assert len(done.err.splitlines()) <= 2


def test_list_get_and_steps_have_dbos_field_names(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "labour", "0", "--queue", "orders", "--id", wid, "--wait")
    [listed] = shop("workflow", "list", "--id-prefix", wid, "--json", "--payloads").json
    assert list(listed) == STATUS_KEYS
    assert (listed["workflow_id"], listed["output"]) == (wid, "worked")
    assert shop("workflow", "get", wid, "--json").json == listed
    steps = shop("workflow", "steps", wid, "--json").json
    assert [list(step) for step in steps] == [STEP_KEYS] * 2
    assert [(s["function_id"], s["function_name"]) for s in steps] == [(1, "DBOS.setEvent"), (2, "work")]
    assert shop("workflow", "steps", wid).lines[2].split("\t")[::4] == ["2", "worked"]


def test_list_filters(system: Durably) -> None:
    for name, queue in (("buy", "orders"), ("sell", "orders"), ("buy", "other")):
        assert system("enqueue", name, "--queue", queue, "--id", f"{name}-{queue}").code == 0
    system("workflow", "cancel", "buy-other")

    def listed(*options: str) -> list[str]:
        return [w["workflow_id"] for w in system("workflow", "list", "--json", *options).json]

    assert listed() == ["buy-other", "sell-orders", "buy-orders"]
    assert listed("--oldest-first", "--limit", "1", "--offset", "1") == ["sell-orders"]
    assert listed("--name", "buy", "--status", "active") == ["buy-orders"]
    assert listed("--status", "cancelled", "--status", "PENDING") == ["buy-other"]
    assert listed("--start-time", "2999-01-01") == []
    header, *rows = system("workflow", "list", "--queue", "orders").lines
    assert header.split("\t") == ["workflow_id", "status", "name", "queue_name", "created_at"]
    assert [row.split("\t")[:4] for row in rows] == [
        ["sell-orders", "ENQUEUED", "sell", "orders"],
        ["buy-orders", "ENQUEUED", "buy", "orders"],
    ]


def test_cancel_and_resume(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "say", "later", "--queue", "nowhere", "--id", wid)
    assert shop("workflow", "cancel", wid).out == f"{wid} CANCELLED\n"
    failed = shop("enqueue", "say", "later", "--queue", "orders", "--id", wid, "--wait")
    assert failed.code == 1
    resumed = shop("workflow", "resume", wid, "--json")
    assert resumed.code == 0
    assert resumed.json["workflow_id"] == wid
    assert shop("enqueue", "say", "later", "--queue", "orders", "--id", wid, "--wait").out == "later\n"


def test_every_option_of_enqueue_is_stored(system: Durably, new_id: NewId) -> None:
    wid = new_id()
    options = ["--class", "Shop", "--timeout", "90", "--delay", "60", "--priority", "3", "--dedup", "d"]
    options += ["--app-version", "v9", "--serialization", "js_superjson", "--application-name", "shop"]
    assert system("enqueue", "echo", "x", "--queue", "orders", "--id", wid, *options).code == 0
    stored = system("workflow", "get", wid, "--json").json
    wanted = {
        "status": "DELAYED",
        "name": "echo",
        "class_name": "Shop",
        "queue_name": "orders",
        "workflow_timeout_ms": 90_000,
        "priority": 3,
        "deduplication_id": "d",
        "app_version": "v9",
        "serialization": "js_superjson",
        "application_name": "shop",
        "input": {"args": ["x"], "kwargs": {}},
    }
    assert {name: stored[name] for name in wanted} == wanted
    again = system("enqueue", "echo", "--queue", "orders", "--dedup", "d")
    assert (again.code, again.out) == (2, "")
    assert "'d' is held by another workflow" in again.err


def test_ids_and_payloads_are_never_markup(system: Durably) -> None:
    wid = "[red]x[/red] [link=file:///etc]"
    system("enqueue", "[bold]name", "\x1b[31mred\ttab\nline", "--queue", "orders", "--id", wid)
    assert system("workflow", "list").lines[1].startswith(f"{wid}\tENQUEUED\t[bold]name\t")
    shown = system("workflow", "get", wid)
    assert f"workflow_id    {wid}" in shown.lines
    assert "\x1b" not in shown.out
    assert system("workflow", "get", wid, "--json").json["input"]["args"] == ["\x1b[31mred\ttab\nline"]


def test_an_interrupted_wait_exits_with_130(system: Durably, database_url: str) -> None:
    system("enqueue", "say", "--queue", "orders", "--id", "w")
    with (
        background(system.start("event", "w", "never")) as waiting,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        settled = (
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            " AND clock_timestamp() - state_change > interval '0.3 seconds'"
        )
        while not connection.execute(settled).fetchone():
            assert waiting.poll() is None
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, out, err) == (130, "", "durably: interrupted\n")


def test_a_stream_is_followed_to_its_end(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "talk", "hello", "--queue", "orders", "--id", wid, "--wait")
    assert (shop("stream", wid, "said").code, shop("stream", wid, "said").out) == (0, "hello\nbye\n")
    assert shop("stream", wid, "said", "--offset", "1", "--json").json == {"offset": 1, "value": "bye"}
    assert shop("stream", new_id(), "said").code == 3


def test_events_are_listed(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "talk", "hello", "--queue", "orders", "--id", wid, "--wait")
    assert shop("workflow", "events", wid).out == "function_id\tkey\tvalue\n3\tsaid\thello\n"
    listed = shop("workflow", "events", wid, "--json").json
    assert listed == [{"key": "said", "value": "hello", "function_id": 3}]
    assert shop("workflow", "events", new_id()).code == 3


def test_messages_are_listed(shop: Durably, new_id: NewId) -> None:
    wid = new_id()
    shop("enqueue", "gate", "--queue", "orders", "--id", wid)
    shop("send", wid, "hello", "--topic", "open")
    [message] = shop("workflow", "messages", wid, "--json").json
    assert (message["topic"], message["message"]) == ("open", "hello")
    assert shop("workflow", "messages", wid).out.startswith("created_at\ttopic\treceived_by\tmessage\n")
    assert shop("workflow", "messages", new_id()).code == 3
