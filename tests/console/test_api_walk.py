"""A curl is enough: enqueue, wait, send, read; against workers of ours and of DBOS for TypeScript."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.console.api import Curl, served_api
from tests.interop import harness
from tests.interop.conftest import Place, new_place, place, start

__all__ = ["new_place", "place", "start"]

Start = Callable[[Callable[[], harness.Process]], harness.Process]

TICKET = {
    "workflow_name": "purchaseTicket",
    "workflow_class_name": "DBOSTicketAuthority",
    "queue_name": "ticketQueue",
    "args": ["Stonebraker", ["a1", "a2"], "2025-05-01T19:30:00.000Z"],
}
INTEROP = {"workflow_class_name": "Interop", "queue_name": "ticketQueue"}
MAKERS = {"durably": harness.durably_app, "typescript": harness.typescript_app}


@pytest.fixture(scope="module", params=MAKERS)
def curl(request: pytest.FixtureRequest, new_place: Callable[[], Place], start: Start) -> Iterator[Curl]:
    """curl on the API of a database that an application of this kind made, and works on."""
    place = new_place()
    start(lambda: MAKERS[request.param](place.system_url, APP_NAME="tickets", EXECUTOR_ID="peer"))
    with served_api(place.system_url) as url:
        yield Curl(url)


def test_enqueue_wait_send_and_read_the_result(curl: Curl) -> None:
    started = curl("/workflow", "-H", "Idempotency-Key: ticket/1 a", body=TICKET)
    assert started == {"workflow_id": "ticket/1 a", "created": True, "arguments_ignored": False}
    again = curl("/workflow", "-H", "Idempotency-Key: ticket/1 a", body=TICKET)
    assert again == {**started, "created": False}
    other = curl("/workflow", "-H", "Idempotency-Key: ticket/1 a", body={**TICKET, "args": []})
    assert other["arguments_ignored"] is True
    event = curl("/workflow/event?id=ticket/1+a&key=status&wait=20")
    assert (event["is_set"], event["value"]) == (True, {"stage": "charged"})
    assert curl("/workflow/result?id=ticket/1+a")["ended"] is False
    sent = curl("/workflow/message?id=ticket/1+a", body={"message": {"ok": True}, "topic": "approval"})
    assert sent == {"sent": 1}
    result = curl("/workflow/result?id=ticket/1%20a&wait=20")
    assert (result["status"], result["ended"], result["error"]) == ("SUCCESS", True, None)
    assert (result["output"]["total"], result["output"]["approval"]) == (50, {"ok": True})
    assert curl("/workflow/events?id=ticket/1+a")["events"] == {"status": {"stage": "done"}}
    (message,) = curl("/workflow/messages?id=ticket/1+a")["messages"]
    assert (message["message"], message["consumed"]) == ({"ok": True}, True)
    steps = curl("/workflow/steps?id=ticket/1+a")["steps"]
    assert steps[0]["function_name"] == "charge" and steps[0]["output"] == 50
    payloads = curl("/workflow/payloads?id=ticket/1+a&most=5")
    assert payloads["input"]["is_cut"] and len(payloads["input"]["text"]) == 5
    (alone,) = curl("/workflow/family?id=ticket/1+a")["workflows"]
    assert (alone["workflow_id"], alone["depth"]) == ("ticket/1 a", 0)
    (first, *_) = curl("/workflow/steps/records?id=ticket/1+a&limit=1")["steps"]
    assert first["function_name"] == "charge" and "50" in first["output"]["text"]
    (newest,) = curl("/workflow/messages/records?id=ticket/1+a")["messages"]
    assert newest["consumed"] is True
    assert curl("/workflow/events/records?id=ticket/1+a")["events"][0]["is_latest"] is True
    assert curl("/workflow/steps/summary?id=ticket/1+a")["failed"] == 0
    assert "attempts" in curl("/workflow/attempts?id=ticket/1+a")


def test_a_failure_is_a_result(curl: Curl) -> None:
    body = {**TICKET, "workflow_name": "failPurchase", "args": [["a1"]]}
    started = curl("/workflow", body=body)
    result = curl(f"/workflow/result?id={started['workflow_id']}&wait=20")
    assert (result["status"], result["output"]) == ("ERROR", None)
    assert "sold out" in result["error"]["message"].lower()


def test_a_stream_is_read_as_it_comes_and_gone_on_with(curl: Curl) -> None:
    started = curl("/workflow", body={**INTEROP, "workflow_name": "stream", "args": [3]})
    path = f"/workflow/stream?id={started['workflow_id']}&key=progress"
    values = [("value", {"i": i}, str(i)) for i in range(3)]
    end = ("end", {"offset": 3}, None)
    assert curl.events(path) == [*values, end]
    assert curl.events(path, "-H", "Last-Event-ID: 1") == [values[2], end]
    assert curl.events(path + "&offset=3") == [end]
    third = curl(path.replace("/stream?", "/stream/value?") + "&offset=2")
    assert (third["is_there"], third["value"]) == (True, {"i": 2})
    (stream,) = curl(f"/workflow/streams/keys?id={started['workflow_id']}")["streams"]
    assert stream == {"key": "progress", "values": 3, "is_closed": True}
    records = curl(path.replace("/stream?", "/streams/records?") + "&offset=2")["values"]
    assert [record["offset"] for record in records] == [2]


def test_a_workflow_is_watched_to_its_end(curl: Curl) -> None:
    curl("/workflow", body={**TICKET, "workflow_id": "watched"})
    curl("/workflow/event?id=watched&key=status&wait=20")
    curl("/workflow/message?id=watched", body={"message": 1, "topic": "approval"})
    seen = curl.events("/workflow/watch?id=watched")
    assert seen[-1] == ("end", {"workflow_id": "watched", "status": "SUCCESS"}, None)
    assert ("event", {"key": "status", "value": {"stage": "done"}}, None) in seen


def test_many_are_enqueued_in_one_transaction_or_none(curl: Curl) -> None:
    works = [{**INTEROP, "workflow_name": "echo", "args": [n]} for n in range(20)]
    lines = "\n".join(map(json.dumps, works))
    ndjson = ("-H", "Content-Type: application/x-ndjson", "--data-binary")
    found = [each["workflow_id"] for each in curl("/workflows", *ndjson, lines)["workflows"]]
    waited = curl("/workflows/wait", body={"workflow_ids": found, "wait": 30})
    assert (sorted(waited["ended"]), waited["waiting"]) == (sorted(found), [])
    before = curl("/workflows/count")["count"]
    status, text = curl.raw("/workflows", *ndjson, lines + '\n{"workflow_name": "echo"}')
    assert status == 400 and "line 21" in text
    assert curl("/workflows/count")["count"] == before


def test_a_workflow_is_paused_forked_and_cancelled(curl: Curl) -> None:
    curl("/workflow", body={**INTEROP, "workflow_name": "echo", "args": ["a"], "workflow_id": "echoed"})
    curl("/workflow/result?id=echoed&wait=20")
    body = {"new_workflow_id": "forked", "arguments": {"args": ["b"]}, "queue_name": "ticketQueue"}
    assert curl("/workflow/fork?id=echoed", body=body) == {"workflow_id": "forked"}
    assert curl("/workflow/result?id=forked&wait=20")["output"] == "b"
    curl(
        "/workflow",
        body={**INTEROP, "workflow_name": "echo", "args": [1], "delay": 3600, "workflow_id": "late"},
    )
    assert curl("/workflow/cancel?id=late", method="POST") == {"workflow_id": "late", "changed": True}
    assert curl("/workflow?id=late")["status"] == "CANCELLED"
    assert curl("/workflow?id=late", method="DELETE")["changed"] is True
    status, text = curl.raw("/workflow?id=late")
    assert status == 404 and '"workflow_id":"late"' in text
