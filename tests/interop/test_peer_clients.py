"""The real DBOSClients, of TypeScript and of Python, drive a durably application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.interop import harness
from tests.interop.conftest import Place, open_client

VALUE = {
    "int": -7,
    "float": 1.5,
    "text": "ümläut \u2603 \U0001f3ad",
    "list": [None, True, False, [], {}],
    "deep": {"er": {"": [{"x": 0}]}},
}
DATE = {"$date": "2025-05-01T19:30:00.000Z"}
NewId = Callable[..., str]
Start = Callable[[Callable[[], harness.Process]], harness.Process]


@pytest.fixture(scope="module")
def peer(place: Place, start: Start) -> harness.Process:
    """Not a peer this time: our own application."""
    return start(lambda: harness.durably_app(place.system_url))


def open_peer(language: str, url: str) -> harness.PeerClient:
    try:
        return harness.PeerClient(language, url)
    except harness.PeerUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["typescript", "python"])
def theirs(
    request: pytest.FixtureRequest, place: Place, peer: harness.Process
) -> Iterator[harness.PeerClient]:
    with open_peer(request.param, place.system_url) as client:
        yield client


@pytest.fixture(scope="module")
def typescript(place: Place, peer: harness.Process) -> Iterator[harness.PeerClient]:
    with open_peer("typescript", place.system_url) as client:
        yield client


@pytest.fixture(autouse=True)
def _show_log(peer: harness.Process, show_log: None) -> None: ...


def enqueue(
    client: harness.PeerClient,
    name: str,
    *arguments: Any,
    id: str,
    class_name: str | None = "Interop",
    op: str = "enqueuePortable",
    **options: Any,
) -> str:
    chosen = {"workflowName": name, "queueName": "ticketQueue", "workflowID": id, **options}
    if class_name is not None:
        chosen["workflowClassName"] = class_name
    made: str = client.call(op, options=chosen, args=list(arguments))
    return made


def test_a_ticket_is_bought(theirs: harness.PeerClient, new_id: NewId) -> None:
    tid = new_id("ticket")
    arguments = ["Stonebraker: The Musical", ["a1", "a2"], DATE]
    assert enqueue(theirs, "purchaseTicket", *arguments, id=tid, class_name="DBOSTicketAuthority") == tid
    assert theirs.call("getEvent", id=tid, key="status", timeoutSeconds=20) == {"stage": "charged"}
    for _ in range(2):
        theirs.call(
            "send",
            id=tid,
            message={"ok": True},
            topic="approval",
            idempotencyKey="once",
            serializationType="portable",
        )
    result = theirs.call("getResult", id=tid)
    assert result.pop("eventDate").startswith("2025-05-01T19:30:00")
    assert result == {
        "ticketId": tid,
        "eventName": "Stonebraker: The Musical",
        "seats": ["a1", "a2"],
        "total": 50,
        "dateType": "datetime",
        "approval": {"ok": True},
    }
    assert theirs.call("getEvent", id=tid, key="status") == {"stage": "done"}


def test_values_survive_the_way(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "echo", VALUE, id=new_id("echo"))
    assert theirs.call("getResult", id=wid) == VALUE
    assert theirs.call("getResult", id=enqueue(theirs, "echo", None, id=new_id("echo"))) is None


def test_several_arguments_keep_their_order(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "echoAll", 1, None, "three", [4], id=new_id("echo"))
    assert theirs.call("getResult", id=wid) == [1, None, "three", [4]]


def test_a_workflow_without_class(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "bareEcho", "bare", id=new_id("echo"), class_name=None)
    assert theirs.call("getResult", id=wid) == "bare"


def test_an_idempotency_key_counts_once(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "collect", "orders", 3, 1.5, id=new_id("collect"))
    for key in ("k", "k", None):
        message = {"key": key}
        extra = {"idempotencyKey": key} if key else {}
        theirs.call("send", id=wid, message=message, topic="orders", serializationType="portable", **extra)
    assert theirs.call("getResult", id=wid) == [{"key": "k"}, {"key": None}, None]


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_our_key_and_theirs_are_one(
    theirs: harness.PeerClient, colour: str, place: Place, new_id: NewId
) -> None:
    wid = enqueue(theirs, "collect", None, 2, 1, id=new_id("collect"))
    with open_client(colour, place.database_url) as ours:
        ours.send(wid, "first", idempotency_key="k")
        theirs.call("send", id=wid, message="again", idempotencyKey="k", serializationType="portable")
        assert ours.retrieve_workflow(wid).get_result(timeout=20) == ["first", None]


def test_an_error_arrives_whole(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "failPurchase", ["a1", "a2"], id=new_id("fail"), class_name="DBOSTicketAuthority")
    with pytest.raises(harness.PeerError) as caught:
        theirs.call("getResult", id=wid)
    error = caught.value
    assert (error.name, error.message) == ("SoldOutError", "sold out: a1, a2")
    assert (error.code, error.data) == (409, {"seats": ["a1", "a2"]})
    assert theirs.call("getStatus", id=wid)["status"] == "ERROR"


def test_a_plain_error_arrives(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "failPlain", "it broke", id=new_id("fail"), class_name="DBOSTicketAuthority")
    with pytest.raises(harness.PeerError, match="it broke") as caught:
        theirs.call("getResult", id=wid)
    assert caught.value.name == "ValueError"


def test_the_same_id_is_the_same_workflow(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "echo", "first", id=new_id("echo"))
    assert theirs.call("getResult", id=wid) == "first"
    assert enqueue(theirs, "echo", "second", id=wid) == wid
    assert theirs.call("getResult", id=wid) == "first"
    assert theirs.call("getStatus", id=wid)["recoveryAttempts"] == 1
    with pytest.raises(harness.PeerError, match="different function name"):
        enqueue(theirs, "collect", "x", id=wid)


def test_a_deduplication_id_is_released_at_the_end(theirs: harness.PeerClient, new_id: NewId) -> None:
    key = new_id("dedup")
    first = enqueue(theirs, "gate", id=new_id("gate"), deduplicationID=key)
    with pytest.raises(harness.PeerError, match="deduplicated"):
        enqueue(theirs, "gate", id=new_id("gate"), deduplicationID=key)
    theirs.call("send", id=first, message="go", topic="open", serializationType="portable")
    assert theirs.call("getResult", id=first) == {"before": 42, "message": "go"}
    second = enqueue(theirs, "echo", "free", id=new_id("echo"), deduplicationID=key)
    assert theirs.call("getResult", id=second) == "free"


def test_a_status_tells_all(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "echo", 5, id=new_id("echo"), priority=2, attributes={"order": 17})
    theirs.call("getResult", id=wid)
    status = theirs.call("getStatus", id=wid)
    assert (status["status"], status["workflowName"]) == ("SUCCESS", "echo")
    assert (status["workflowClassName"], status["queueName"]) == ("Interop", "ticketQueue")
    assert (status["priority"], status["attributes"]) == (2, {"order": 17})
    assert (status["output"], status["recoveryAttempts"]) == (5, 1)
    assert (status["applicationName"], status["applicationVersion"]) == ("tickets-durably", "1")
    assert status["createdAt"] <= status["dequeuedAt"] <= status["completedAt"]
    listed = theirs.call("listWorkflows", filter={"workflow_id_prefix": wid, "status": "SUCCESS"})
    assert [found["workflowID"] for found in listed] == [wid]


def test_steps_are_listed(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "parent", 3, id=new_id("parent"))
    assert theirs.call("getResult", id=wid) == 1018
    steps = theirs.call("listWorkflowSteps", id=wid)
    assert [step["functionID"] for step in steps] == [1, 2, 3, 4, 5, 6]
    names = ["double", "double", "double", "explode", "child", "DBOS.getResult"]
    assert [step["name"] for step in steps] == names
    assert [step["output"] for step in steps] == [2, 4, 6, None, None, 6]
    assert "caught by the parent" in str(steps[3]["error"])
    assert [step["childWorkflowID"] for step in steps] == [None] * 4 + [f"{wid}-5"] * 2


def test_a_running_workflow_is_cancelled_and_resumed(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "gate", id=new_id("gate"))
    assert theirs.call("getEvent", id=wid, key="status", timeoutSeconds=20) == "waiting"
    theirs.call("cancel", id=wid)
    with pytest.raises(harness.PeerError, match="cancelled"):
        theirs.call("getResult", id=wid)
    theirs.call("resume", id=wid)
    theirs.call("send", id=wid, message="come in", topic="open", serializationType="portable")
    assert theirs.call("getResult", id=wid) == {"before": 42, "message": "come in"}


def test_a_fork_goes_on_from_a_step(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "parent", 2, id=new_id("parent"))
    assert theirs.call("getResult", id=wid) == 1010
    fork = theirs.call("fork", id=wid, startStep=2)
    assert theirs.call("getResult", id=fork) == 1010
    assert theirs.call("getStatus", id=fork)["forkedFrom"] == wid


def test_a_stream_is_read_to_its_end(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "stream", 3, id=new_id("stream"))
    assert theirs.call("readStream", id=wid, key="progress") == [{"i": 0}, {"i": 1}, {"i": 2}]


def test_a_blocking_workflow(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "sleepy", 200, id=new_id("sleepy"))
    assert theirs.call("getResult", id=wid) == "slept"
    assert theirs.call("getEvent", id=wid, key="status") == "awake"


def test_named_arguments(theirs: harness.PeerClient, new_id: NewId) -> None:
    options = {"workflowName": "echo", "workflowClassName": "Interop", "queueName": "ticketQueue"}
    wid = theirs.call("enqueuePortable", options=options, args=[], namedArgs={"value": 5})
    assert theirs.call("getResult", id=wid) == 5


def test_a_delayed_workflow_runs_later(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "echo", "late", id=new_id("echo"), delaySeconds=1)
    assert theirs.call("getStatus", id=wid)["status"] == "DELAYED"
    assert theirs.call("getResult", id=wid) == "late"


def test_a_timeout_cancels(theirs: harness.PeerClient, new_id: NewId) -> None:
    wid = enqueue(theirs, "gate", id=new_id("gate"), workflowTimeoutMS=300)
    with pytest.raises(harness.PeerError, match="cancelled"):
        theirs.call("getResult", id=wid)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("collect", ["topic"], "the parameter 'n' is missing"),
        ("echo", [1, 2], "takes 1 positional argument"),
        ("parent", ["three"], "the parameter 'n'"),
    ],
)
def test_arguments_that_do_not_fit(
    theirs: harness.PeerClient, name: str, arguments: list[Any], message: str, new_id: NewId
) -> None:
    wid = enqueue(theirs, name, *arguments, id=new_id("misfit"))
    with pytest.raises(harness.PeerError, match=message):
        theirs.call("getResult", id=wid)


def test_what_cannot_run_here_is_left_and_blocks_nothing(
    theirs: harness.PeerClient, place: Place, new_id: NewId
) -> None:
    left = [
        enqueue(theirs, "noSuchFunction", 1, id=new_id("left")),
        enqueue(theirs, "echo", 1, id=new_id("left"), class_name="NoSuchClass"),
        enqueue(theirs, "echo", 1, id=new_id("left"), appVersion="another"),
    ]
    with open_peer("python", place.system_url) as pickling:
        left.append(enqueue(pickling, "echo", 1, id=new_id("left"), op="enqueue"))
    after = enqueue(theirs, "echo", "after them", id=new_id("echo"))
    assert theirs.call("getResult", id=after) == "after them"
    for wid in left:
        status = theirs.call("getStatus", id=wid)
        assert (status["status"], status["recoveryAttempts"]) == ("ENQUEUED", 0)
        theirs.call("cancel", id=wid)


# --- the native format of TypeScript, which its users get when they do not think about it -----------------


def test_a_native_ticket_is_bought(typescript: harness.PeerClient, new_id: NewId) -> None:
    tid = new_id("ticket")
    arguments = ["Native", ["a1"], DATE]
    enqueue(typescript, "purchaseTicket", *arguments, id=tid, class_name="DBOSTicketAuthority", op="enqueue")
    assert typescript.call("getEvent", id=tid, key="status", timeoutSeconds=20) == {"stage": "charged"}
    typescript.call("send", id=tid, message={"when": DATE}, topic="approval")
    result = typescript.call("getResult", id=tid)
    assert (result["total"], result["dateType"]) == (25, "datetime")
    assert result["eventDate"] == DATE
    assert result["approval"] == {"when": DATE}


def test_native_values_survive_the_way(typescript: harness.PeerClient, new_id: NewId) -> None:
    value = {**VALUE, "when": DATE, "big": {"$bigint": "12345678901234567890"}, "set": {"$set": ["a"]}}
    wid = enqueue(typescript, "echo", value, id=new_id("echo"), op="enqueue")
    assert typescript.call("getResult", id=wid) == value


def test_a_native_error_arrives_whole(typescript: harness.PeerClient, new_id: NewId) -> None:
    wid = new_id("fail")
    enqueue(typescript, "failPurchase", ["a1"], id=wid, class_name="DBOSTicketAuthority", op="enqueue")
    with pytest.raises(harness.PeerError) as caught:
        typescript.call("getResult", id=wid)
    error = caught.value
    assert (error.name, error.message) == ("SoldOutError", "sold out: a1")
    assert (error.code, error.data) == (409, {"seats": ["a1"]})
