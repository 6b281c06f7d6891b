"""What our client must be able to do with any DBOS application; a subclass per SDK adds what only it has.

The application is the same in each language (`apps/`). Where an SDK differs, its subclass says how.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durably import DBOSClient, EnqueueOptions, WorkflowFilter, declare_workflow, errors

NewId = Callable[..., str]
DATE = datetime(2025, 5, 1, 19, 30, tzinfo=UTC)
VALUE = {
    "int": -7,
    "big": 2**53 - 1,
    "float": 1.5,
    "text": 'ümläut \u2603 \U0001f3ad \u0000 \\ "quoted"',
    "list": [None, True, False, [], {}],
    "deep": {"er": {"": [{"x": 0}]}},
}


@dataclass(frozen=True)
class TicketInfo:
    ticketId: str
    eventName: str
    seats: list[str]
    eventDate: datetime
    total: int
    dateType: str
    approval: Any


@declare_workflow(name="purchaseTicket", class_name="DBOSTicketAuthority", queue_name="ticketQueue")
def purchase_ticket(event_name: str, seats: list[str], event_date: datetime) -> TicketInfo:
    raise NotImplementedError


def ticket(workflow_id: str, **options: Any) -> EnqueueOptions:
    return EnqueueOptions(
        workflow_name="purchaseTicket",
        workflow_class_name="DBOSTicketAuthority",
        queue_name="ticketQueue",
        workflow_id=workflow_id,
        **options,
    )


def authority(name: str, **options: Any) -> EnqueueOptions:
    chosen = {"queue_name": "ticketQueue", "workflow_class_name": "DBOSTicketAuthority", **options}
    return EnqueueOptions(workflow_name=name, **chosen)


def interop(name: str, **options: Any) -> EnqueueOptions:
    return authority(name, **{"workflow_class_name": "Interop", **options})


def eventually(read: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 20.0) -> Any:
    """Reads until it is as wanted; fails with what was read last."""
    deadline = time.monotonic() + seconds
    while not wanted(value := read()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds:g} s"
        time.sleep(0.02)
    return value


class AnyApplication:
    """Every test gets `client` in both colours, on the system database of a running application."""

    application_name: str
    first_step: int
    date_type: str
    plain_error: str

    # --- a ticket, from the first call to the last ---------------------------------------------------

    def test_a_ticket_is_bought(self, client: DBOSClient, new_id: NewId) -> None:
        tid = new_id("ticket")
        handle = client.enqueue(ticket(tid), "Stonebraker: The Musical", ["a1", "a2"], DATE)
        assert handle.workflow_id == tid
        assert client.get_event(tid, "status", timeout_seconds=20) == {"stage": "charged"}
        client.send(tid, {"ok": True}, topic="approval", idempotency_key=new_id("key"))
        result = client.retrieve_workflow(tid).get_result(timeout=20)
        assert result == {
            "ticketId": tid,
            "eventName": "Stonebraker: The Musical",
            "seats": ["a1", "a2"],
            "eventDate": result["eventDate"],
            "total": 50,
            "dateType": self.date_type,
            "approval": {"ok": True},
        }
        assert datetime.fromisoformat(result["eventDate"]) == DATE
        assert client.get_event(tid, "status") == {"stage": "done"}

    def test_a_declared_workflow_gives_its_declared_type(self, client: DBOSClient, new_id: NewId) -> None:
        tid = new_id("ticket")
        handle = client.enqueue(purchase_ticket.options(workflow_id=tid), "Typed", ["b1"], DATE)
        client.send(tid, "granted", topic="approval")
        wanted = TicketInfo(tid, "Typed", ["b1"], DATE, 25, self.date_type, "granted")
        assert handle.get_result(timeout=20) == wanted
        assert client.retrieve_workflow(tid, purchase_ticket).get_result(timeout=20) == wanted

    def test_the_id_is_made_when_none_is_given(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("echo"), "x")
        assert str(uuid.UUID(handle.workflow_id)) == handle.workflow_id
        assert handle.get_result(timeout=20) == "x"

    # --- values ----------------------------------------------------------------------------------------

    def test_values_survive_the_way(self, client: DBOSClient) -> None:
        assert client.enqueue(interop("echo"), VALUE).get_result(timeout=20) == VALUE

    @pytest.mark.parametrize("value", [None, True, 0, -1.25, "", "text", [], {}, [[1], {"a": None}]])
    def test_a_lone_value_survives_the_way(self, client: DBOSClient, value: Any) -> None:
        assert client.enqueue(interop("echo"), value).get_result(timeout=20) == value

    def test_several_arguments_keep_their_order(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("echoAll"), 1, None, "three", [4])
        assert handle.get_result(timeout=20) == [1, None, "three", [4]]

    def test_a_large_value_survives_the_way(self, client: DBOSClient) -> None:
        value = ["\u2603" * 1000] * 500
        assert client.enqueue(interop("echo"), value).get_result(timeout=20) == value

    def test_a_workflow_without_class(self, client: DBOSClient) -> None:
        handle = client.enqueue(authority("bareEcho", workflow_class_name=None), "bare")
        assert handle.get_result(timeout=20) == "bare"

    # --- messages and events -------------------------------------------------------------------------

    def test_an_idempotency_key_counts_once(self, client: DBOSClient, new_id: NewId) -> None:
        wid, key = new_id("collect"), new_id("key")
        handle = client.enqueue(interop("collect", workflow_id=wid), "orders", 3, 1.5)
        client.send(wid, {"n": 1}, topic="orders", idempotency_key=key)
        client.send(wid, {"n": 1}, topic="orders", idempotency_key=key)
        client.send(wid, {"n": 2}, topic="orders")
        received = handle.get_result(timeout=20)
        assert [message["n"] for message in received if message] == [1, 2]
        assert received[-1] is None

    def test_without_a_key_each_message_counts(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("collect")
        handle = client.enqueue(interop("collect", workflow_id=wid), None, 2, 20)
        client.send(wid, "same")
        client.send(wid, "same")
        assert handle.get_result(timeout=20) == ["same", "same"]

    def test_topics_are_kept_apart(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("collect")
        handle = client.enqueue(interop("collect", workflow_id=wid), "right", 1, 20)
        client.send(wid, "no topic")
        client.send(wid, "wrong", topic="wrong")
        client.send(wid, VALUE, topic="right")
        assert handle.get_result(timeout=20) == [VALUE]

    def test_a_stream_is_read_to_its_end_and_from_any_offset(self, client: DBOSClient, new_id: NewId) -> None:
        handle = client.enqueue(interop("stream", workflow_id=new_id("stream")), 3)
        assert list(handle.read_stream("progress", timeout=20)) == [{"i": 0}, {"i": 1}, {"i": 2}]
        assert list(handle.read_stream("progress", offset=2)) == [{"i": 2}]
        assert client.read_stream_offset(handle.workflow_id, "progress", 1) == {"i": 1}
        with pytest.raises(errors.StreamEnded):
            client.read_stream_offset(handle.workflow_id, "progress", 3)
        assert client.list_workflow_streams(handle.workflow_id) == {
            "progress": [{"i": 0}, {"i": 1}, {"i": 2}]
        }

    def test_events_are_listed_with_what_they_were(self, client: DBOSClient, new_id: NewId) -> None:
        handle = client.enqueue(interop("sleepy", workflow_id=new_id("sleepy")), 1)
        handle.get_result(timeout=20)
        assert handle.get_all_events() == {"status": "awake"}
        history = client.list_workflow_events(handle.workflow_id)
        assert [(event.key, event.value) for event in history] == [("status", "asleep"), ("status", "awake")]

    def test_a_message_to_nobody(self, client: DBOSClient, new_id: NewId) -> None:
        with pytest.raises(errors.NoSuchWorkflow):
            client.send(new_id("nobody"), "hello")

    def test_an_event_that_does_not_come_is_none(self, client: DBOSClient, new_id: NewId) -> None:
        handle = client.enqueue(interop("echo", workflow_id=new_id("echo")), 1)
        handle.get_result(timeout=20)
        started = time.monotonic()
        assert client.get_event(handle.workflow_id, "never", timeout_seconds=0.3) is None
        assert 0.25 < time.monotonic() - started < 5
        assert client.get_event(handle.workflow_id, "never", timeout_seconds=0) is None
        assert client.get_event(new_id("nobody"), "never", timeout_seconds=0.1) is None

    def test_an_event_is_waited_for(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("sleepy")
        client.enqueue(interop("sleepy", workflow_id=wid), 300)
        assert client.get_event(wid, "status", timeout_seconds=20) == "asleep"
        assert client.retrieve_workflow(wid).get_result(timeout=20) == "slept"
        assert client.get_event(wid, "status") == "awake"

    # --- errors ----------------------------------------------------------------------------------------

    def test_an_error_arrives_whole(self, client: DBOSClient) -> None:
        handle = client.enqueue(authority("failPurchase"), ["a1", "a2"])
        with pytest.raises(errors.WorkflowFailed) as caught:
            handle.get_result(timeout=20)
        error = caught.value
        assert (error.name, error.message) == ("SoldOutError", "sold out: a1, a2")
        assert (error.code, error.data) == (409, {"seats": ["a1", "a2"]})
        assert error.workflow_id == handle.workflow_id
        assert handle.get_status().status == "ERROR"

    def test_a_plain_error_arrives(self, client: DBOSClient) -> None:
        handle = client.enqueue(authority("failPlain"), "it broke")
        with pytest.raises(Exception, match="it broke") as caught:
            handle.get_result(timeout=20)
        assert self.plain_error in (getattr(caught.value, "name", ""), type(caught.value).__name__)

    def test_an_unknown_workflow_id(self, client: DBOSClient, new_id: NewId) -> None:
        with pytest.raises(errors.NoSuchWorkflow):
            client.retrieve_workflow(new_id("nobody")).get_status()

    def test_a_workflow_that_the_application_lacks(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("noSuchFunction"), 1)
        eventually(lambda: handle.get_status().status, lambda status: status == "PENDING")
        with pytest.raises(errors.WorkflowTimeout):
            handle.get_result(timeout=0.2)
        client.cancel_workflow(handle.workflow_id)

    def test_a_wait_that_is_too_short(self, client: DBOSClient, new_id: NewId) -> None:
        handle = client.enqueue(interop("gate", workflow_id=new_id("gate")))
        with pytest.raises(errors.WorkflowTimeout):
            handle.get_result(timeout=0.2)
        client.send(handle.workflow_id, "open", topic="open")
        assert handle.get_result(timeout=20)["message"] == "open"

    # --- the same id, the same deduplication id --------------------------------------------------------

    def test_the_same_id_is_the_same_workflow(self, client: DBOSClient, new_id: NewId) -> None:
        options = interop("echo", workflow_id=new_id("echo"))
        first = client.enqueue(options, "first")
        assert first.get_result(timeout=20) == "first"
        with pytest.warns(errors.ArgumentsIgnored):
            again = client.enqueue(options, "second")
        assert again.workflow_id == first.workflow_id
        assert again.get_result(timeout=20) == "first"
        assert again.get_status().recovery_attempts == 1

    def test_the_same_id_for_another_workflow(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("echo")
        client.enqueue(interop("echo", workflow_id=wid), 1)
        with pytest.raises(errors.WorkflowConflict):
            client.enqueue(interop("collect", workflow_id=wid), 1)
        with pytest.raises(errors.WorkflowConflict):
            client.enqueue(authority("echo", workflow_id=wid), 1)

    def test_the_same_id_when_that_is_refused(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("echo")
        client.enqueue(interop("echo", workflow_id=wid), 1)
        with pytest.raises(errors.WorkflowIdInUse):
            client.enqueue(interop("echo", workflow_id=wid, workflow_id_reuse_policy="reject"), 1)

    def test_deduplication(self, client: DBOSClient, new_id: NewId) -> None:
        key = new_id("dedup")
        first = client.enqueue(interop("gate", deduplication_id=key))
        with pytest.raises(errors.Deduplicated) as caught:
            client.enqueue(interop("gate", deduplication_id=key))
        assert (caught.value.queue_name, caught.value.deduplication_id) == ("ticketQueue", key)
        options = interop("gate", deduplication_id=key, duplication_policy="return-existing")
        assert client.enqueue(options).workflow_id == first.workflow_id
        client.send(first.workflow_id, "done", topic="open")
        first.get_result(timeout=20)
        second = client.enqueue(interop("echo", deduplication_id=key), "free again")
        assert second.workflow_id != first.workflow_id
        assert second.get_result(timeout=20) == "free again"

    # --- status, list, steps ---------------------------------------------------------------------------

    def test_a_status_tells_all(self, client: DBOSClient, new_id: NewId) -> None:
        options = interop(
            "whoami",
            workflow_id=new_id("whoami"),
            app_version="1",
            timeout=timedelta(minutes=5),
            priority=3,
            authenticated_user="ada",
            authenticated_roles=["buyer", "admin"],
            attributes={"order": 17, "tags": ["x"]},
        )
        handle = client.enqueue(options)
        result = handle.get_result(timeout=20)
        assert result["workflowId"] == handle.workflow_id
        assert (result["user"], result["roles"], result["version"]) == ("ada", ["buyer", "admin"], "1")
        status = handle.get_status()
        assert (status.status, status.name, status.class_name) == ("SUCCESS", "whoami", "Interop")
        assert (status.queue_name, status.priority) == ("ticketQueue", 3)
        assert (status.app_version, status.application_name) == ("1", self.application_name)
        assert (status.authenticated_user, status.authenticated_roles) == ("ada", ("buyer", "admin"))
        assert status.attributes == {"order": 17, "tags": ["x"]}
        assert (status.workflow_timeout_ms, status.recovery_attempts) == (300_000, 1)
        assert status.executor_id == "peer-1"
        assert status.serialization == "portable_json"
        assert status.output == result
        assert status.error is None
        assert status.dequeued_at is not None and status.completed_at is not None
        assert status.completed_at >= max(status.created_at, status.dequeued_at)  # DBOS dates a claim early

    def test_workflows_are_listed(self, client: DBOSClient, new_id: NewId) -> None:
        prefix = new_id("list")
        ids = [f"{prefix}-{i}" for i in range(3)]
        for i, wid in enumerate(ids):
            client.enqueue(interop("echo", workflow_id=wid, attributes={"i": i}), i).get_result(timeout=20)
        failed = client.enqueue(authority("failPlain", workflow_id=f"{prefix}-x"), "broken")
        eventually(lambda: failed.get_status().status, lambda status: status == "ERROR")

        def listed(**conditions: Any) -> Sequence[str]:
            chosen = WorkflowFilter(workflow_id_prefix=prefix, **conditions)
            return [status.workflow_id for status in client.list_workflows(chosen)]

        assert listed() == [*ids, f"{prefix}-x"]
        assert listed(status="SUCCESS") == ids
        assert listed(status=("ERROR", "CANCELLED")) == [f"{prefix}-x"]
        assert listed(name="echo", sort_desc=True, limit=2) == [ids[2], ids[1]]
        assert listed(name=("echo", "failPlain"), offset=3) == [f"{prefix}-x"]
        assert listed(attributes={"i": 1}) == [ids[1]]
        assert listed(queue_name="elsewhere") == []
        assert listed(start_time=datetime.now(UTC) + timedelta(hours=1)) == []
        found = client.list_workflows(WorkflowFilter(workflow_ids=[ids[2]]))
        assert [(status.output, status.input) for status in found] == [(2, {"args": (2,), "kwargs": {}})]

    def test_steps_are_listed(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("parent")
        assert client.enqueue(interop("parent", workflow_id=wid), 3).get_result(timeout=20) == 1018
        steps = client.list_workflow_steps(wid)
        assert [step.function_id for step in steps] == [self.first_step + i for i in range(6)]
        names = ["double", "double", "double", "explode", "child", "DBOS.getResult"]
        assert [step.function_name for step in steps] == names
        child = f"{wid}-{self.first_step + 4}"
        assert [step.child_workflow_id for step in steps] == [None] * 4 + [child] * 2
        for step in steps:
            assert step.started_at_epoch_ms and step.completed_at_epoch_ms
            assert step.started_at_epoch_ms <= step.completed_at_epoch_ms
        self.check_payloads(steps)
        assert client.retrieve_workflow(child).get_status().parent_workflow_id == wid
        children = client.list_workflows(WorkflowFilter(parent_workflow_id=wid))
        assert [status.workflow_id for status in children] == [child]

    def check_payloads(self, steps: Sequence[Any]) -> None:
        raise NotImplementedError

    def test_steps_of_nobody(self, client: DBOSClient, new_id: NewId) -> None:
        assert client.list_workflow_steps(new_id("nobody")) == []

    # --- cancel, resume, fork, delete ------------------------------------------------------------------

    def test_a_queued_workflow_is_cancelled_and_resumed(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("echo", queue_name="nobodyListens"), "later")
        assert handle.get_status().status == "ENQUEUED"
        client.cancel_workflow(handle.workflow_id)
        assert handle.get_status().status == "CANCELLED"
        with pytest.raises(errors.WorkflowCancelled):
            handle.get_result(timeout=20)
        client.resume_workflow(handle.workflow_id, queue_name="ticketQueue")
        assert handle.get_result(timeout=20) == "later"

    def test_a_running_workflow_is_cancelled_and_resumed(self, client: DBOSClient, new_id: NewId) -> None:
        wid = new_id("gate")
        handle = client.enqueue(interop("gate", workflow_id=wid))
        assert client.get_event(wid, "status", timeout_seconds=20) == "waiting"
        client.cancel_workflow(wid)
        with pytest.raises(errors.WorkflowCancelled):
            handle.get_result(timeout=20)
        resumed = client.resume_workflow(wid)
        client.send(wid, "come in", topic="open")
        assert resumed.get_result(timeout=20) == {"before": 42, "message": "come in"}
        assert handle.get_status().status == "SUCCESS"

    def test_cancelling_and_resuming_nobody(self, client: DBOSClient, new_id: NewId) -> None:
        with pytest.raises(errors.NoSuchWorkflow):
            client.cancel_workflow(new_id("nobody"))
        with pytest.raises(errors.NoSuchWorkflow):
            client.resume_workflow(new_id("nobody"))

    # --- when it may run -------------------------------------------------------------------------------

    def test_a_delayed_workflow_runs_later(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("echo", delay=1), "late")
        status = handle.get_status()
        assert status.status == "DELAYED"
        assert handle.get_result(timeout=20) == "late"
        assert status.delay_until_epoch_ms is not None
        dequeued = handle.get_status().dequeued_at
        assert dequeued is not None and dequeued >= status.delay_until_epoch_ms

    def test_a_timeout_cancels(self, client: DBOSClient) -> None:
        handle = client.enqueue(interop("gate", timeout=0.5))
        with pytest.raises(errors.WorkflowCancelled):
            handle.get_result(timeout=20)

    def test_another_version_is_left_alone(self, client: DBOSClient) -> None:
        other = client.enqueue(interop("echo", app_version="another"), 1)
        mine = client.enqueue(interop("echo", app_version="1"), 2)
        assert mine.get_result(timeout=20) == 2
        assert other.get_status().status == "ENQUEUED"
        client.cancel_workflow(other.workflow_id)
