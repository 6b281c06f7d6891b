"""The peers among themselves, without durably: what they do here is the ground truth of the other tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.interop import harness
from tests.interop.conftest import Place

CLIENTS = ["typescript", "python"]
APPS = {"typescript": harness.typescript_app, "python": harness.python_app}
Start = Callable[[Callable[[], harness.Process]], harness.Process]


@pytest.fixture(scope="module", params=APPS)
def meeting(request: pytest.FixtureRequest, new_place: Callable[[], Place], start: Start) -> tuple[str, str]:
    """The name and the system database of a running application."""
    name, url = f"tickets-{request.param}", new_place().system_url
    start(lambda: APPS[request.param](url, APP_NAME=name))
    return name, url


@pytest.fixture(scope="module", params=CLIENTS)
def peer_client(request: pytest.FixtureRequest, meeting: tuple[str, str]) -> Iterator[harness.PeerClient]:
    name, url = meeting
    with harness.PeerClient(request.param, url, application_name=name) as client:
        yield client


def test_a_ticket_is_bought(peer_client: harness.PeerClient, new_id: Callable[[], str]) -> None:
    ticket = new_id()
    peer_client.call(
        "enqueuePortable",
        options={
            "workflowName": "purchaseTicket",
            "workflowClassName": "DBOSTicketAuthority",
            "queueName": "ticketQueue",
            "workflowID": ticket,
        },
        args=["Stonebraker: The Musical", ["a1", "a2"], {"$date": "2025-05-01T00:00:00.000Z"}],
    )
    assert peer_client.call("getEvent", id=ticket, key="status", timeoutSeconds=20) == {"stage": "charged"}
    for _ in range(2):
        peer_client.call(
            "send",
            id=ticket,
            message={"ok": True},
            topic="approval",
            idempotencyKey="once",
            serializationType="portable",
        )
    result = peer_client.call("getResult", id=ticket)
    assert result["total"] == 50
    assert result["approval"] == {"ok": True}
    assert result["eventDate"].startswith("2025-05-01T00:00:00")
    assert peer_client.call("getEvent", id=ticket, key="status") == {"stage": "done"}


def test_an_error_arrives(peer_client: harness.PeerClient, new_id: Callable[[], str]) -> None:
    failing = new_id()
    peer_client.call(
        "enqueuePortable",
        options={
            "workflowName": "failPurchase",
            "workflowClassName": "DBOSTicketAuthority",
            "queueName": "ticketQueue",
            "workflowID": failing,
        },
        args=[["a1"]],
    )
    with pytest.raises(harness.PeerError) as caught:
        peer_client.call("getResult", id=failing)
    assert (caught.value.name, caught.value.message) == ("SoldOutError", "sold out: a1")
    assert (caught.value.code, caught.value.data) == (409, {"seats": ["a1"]})


def test_cancel_and_resume(peer_client: harness.PeerClient, new_id: Callable[[], str]) -> None:
    gate = new_id()
    peer_client.call(
        "enqueuePortable",
        options={
            "workflowName": "gate",
            "workflowClassName": "Interop",
            "queueName": "ticketQueue",
            "workflowID": gate,
        },
    )
    assert peer_client.call("getEvent", id=gate, key="status", timeoutSeconds=20) == "waiting"
    peer_client.call("cancel", id=gate)
    with pytest.raises(harness.PeerError, match="cancelled"):
        peer_client.call("getResult", id=gate)
    peer_client.call("resume", id=gate, queueName="ticketQueue")
    peer_client.call("send", id=gate, message="come in", topic="open", serializationType="portable")
    assert peer_client.call("getResult", id=gate) == {"before": 42, "message": "come in"}


def test_values_survive_the_way(peer_client: harness.PeerClient, new_id: Callable[[], str]) -> None:
    value = {"n": 1, "f": 1.5, "s": "ümläut \u2603", "l": [None, True, []], "deep": {"er": {"": 0}}}
    echo = new_id()
    peer_client.call(
        "enqueuePortable",
        options={
            "workflowName": "echo",
            "workflowClassName": "Interop",
            "queueName": "ticketQueue",
            "workflowID": echo,
        },
        args=[value],
    )
    assert peer_client.call("getResult", id=echo) == value
    assert peer_client.call("getStatus", id=echo)["status"] == "SUCCESS"
