"""Our client drives a real DBOS application written in Python (the `dbos` package)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from durably import DBOSClient, errors
from tests.interop import harness
from tests.interop.application_suite import DATE, AnyApplication, NewId, interop, ticket
from tests.interop.conftest import Place


@pytest.fixture(scope="module")
def peer(place: Place, start: Callable[[Callable[[], harness.Process]], harness.Process]) -> harness.Process:
    return start(lambda: harness.python_app(place.system_url, APP_NAME="tickets-py", EXECUTOR_ID="peer-1"))


@pytest.fixture(scope="module")
def pickling(place: Place, peer: harness.Process) -> Iterator[harness.PeerClient]:
    """The DBOSClient that a team with a Python DBOS application already has: it pickles."""
    with harness.PeerClient("python", place.system_url) as client:
        yield client


@pytest.mark.usefixtures("show_log")
class TestDBOSPython(AnyApplication):
    application_name = "tickets-py"
    first_step = 1
    date_type = "datetime"
    plain_error = "ValueError"

    def check_payloads(self, steps: Sequence[Any]) -> None:
        # dbos pickles its steps even in a portable workflow; without leave to unpickle we show the text
        assert [step.serialization for step in steps[:4]] == ["py_pickle"] * 4
        assert steps[0].output == "gARLAi4="
        assert steps[3].output is None and isinstance(steps[3].error, str)

    def test_named_arguments(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("echoAll"), 1, b=2, c=[3])
        assert handle.get_result(timeout=20) == [1, {"b": 2, "c": [3]}]

    def test_a_pickled_result_is_not_unpickled_unasked(
        self, client: DBOSClient, pickling: harness.PeerClient, new_id: NewId
    ) -> None:
        wid = new_id("pickled")
        pickling.call(
            "enqueue",
            options={
                "workflowName": "echo",
                "workflowClassName": "Interop",
                "queueName": "ticketQueue",
                "workflowID": wid,
            },
            args=[7],
        )
        assert pickling.call("getResult", id=wid) == 7
        with pytest.raises(errors.DecodeError, match="py_pickle"):
            client.retrieve_workflow(wid).get_result(timeout=20)
        status = client.retrieve_workflow(wid).get_status()
        assert (status.status, status.output) == ("SUCCESS", "gARLBy4=")

    def test_both_clients_mean_the_same_ticket(
        self, client: DBOSClient, pickling: harness.PeerClient, new_id: NewId
    ) -> None:
        tid, key = new_id("ticket"), new_id("key")
        client.enqueue(ticket(tid), "Shared", ["a1"], DATE)
        again = pickling.call(
            "enqueue",
            options={
                "workflowName": "purchaseTicket",
                "workflowClassName": "DBOSTicketAuthority",
                "queueName": "ticketQueue",
                "workflowID": tid,
            },
            args=["Other", ["z9"], {"$date": "2030-01-01T00:00:00.000Z"}],
        )
        assert again == tid
        client.send(tid, "ours", topic="approval", idempotency_key=key)
        pickling.call("send", id=tid, message="theirs", topic="approval", idempotencyKey=key)
        result = client.retrieve_workflow(tid).get_result(timeout=20)
        assert (result["eventName"], result["approval"]) == ("Shared", "ours")
        assert pickling.call("getResult", id=tid) == result
