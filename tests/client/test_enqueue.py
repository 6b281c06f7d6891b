"""Enqueue: the rows that it writes, what it refuses, and what it does about ids that exist."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import math
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from durably import DBOSClient, Enqueue, EnqueueOptions, declare_workflow, errors
from durably.types import enqueueing
from tests.client.conftest import NewId, Rows
from tests.interop.conftest import open_client

UNSET = {
    "authenticated_user", "assumed_role", "authenticated_roles", "request", "output", "error", "inputs",
    "executor_id", "application_version", "application_id", "class_name", "config_name",
    "workflow_timeout_ms", "workflow_deadline_epoch_ms", "started_at_epoch_ms", "deduplication_id",
    "queue_partition_key", "forked_from", "owner_xid", "parent_workflow_id", "delay_until_epoch_ms",
    "completed_at", "attributes", "schedule_name", "debounce_deadline_epoch_ms", "application_name",
}  # fmt: skip


def options(**fields: Any) -> EnqueueOptions:
    return EnqueueOptions(**{"workflow_name": "w", "queue_name": "q", **fields})


def test_the_row_of_a_plain_enqueue(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(options(), 1, "ä", [None])
    row = rows.workflow(handle.workflow_id)
    assert str(uuid.UUID(handle.workflow_id)) == handle.workflow_id
    assert str(uuid.UUID(row["creator_xid"])) == row["creator_xid"]
    assert {name for name, value in row.items() if value is None} == UNSET
    assert (row["status"], row["name"], row["queue_name"]) == ("ENQUEUED", "w", "q")
    assert (row["priority"], row["recovery_attempts"]) == (0, 0)
    assert row["serialization"] == "portable_json"
    assert row["created_at"] == row["updated_at"] > 0
    assert (row["was_forked_from"], row["rate_limited"], row["is_debounced"]) == (False, False, False)
    assert json.loads(rows.inputs(handle.workflow_id)) == {
        "positionalArgs": [1, "ä", [None]],
        "namedArgs": {},
    }


def test_every_option_has_its_column(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(
        options(
            workflow_class_name="C",
            instance_name="i",
            app_version="v1",
            workflow_id=wid,
            timeout=timedelta(seconds=1.5),
            delay=60,
            deduplication_id=wid,
            priority=2**31 - 1,
            queue_partition_key="p",
            authenticated_user="ada",
            authenticated_roles=["a", "b"],
            attributes={"k": [1, {"x": None}]},
            application_name="shop",
            serialization="js_superjson",
        )
    )
    row = rows.workflow(wid)
    assert row["status"] == "DELAYED"
    assert row["delay_until_epoch_ms"] - row["created_at"] == 60_000
    assert (row["class_name"], row["config_name"], row["application_version"]) == ("C", "i", "v1")
    assert (row["workflow_timeout_ms"], row["workflow_deadline_epoch_ms"]) == (1500, None)
    assert (row["deduplication_id"], row["priority"], row["queue_partition_key"]) == (wid, 2**31 - 1, "p")
    assert (row["authenticated_user"], json.loads(row["authenticated_roles"])) == ("ada", ["a", "b"])
    assert row["attributes"] == {"k": [1, {"x": None}]}
    assert (row["application_name"], row["serialization"]) == ("shop", "js_superjson")
    assert json.loads(rows.inputs(wid))["json"] == []


def test_named_arguments(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(options(), 1, two=2)
    assert json.loads(rows.inputs(handle.workflow_id)) == {"positionalArgs": [1], "namedArgs": {"two": 2}}


def test_values_that_python_has(client: DBOSClient) -> None:
    handle = client.enqueue(options(), datetime(2025, 5, 1, tzinfo=UTC), date(2025, 5, 1), Decimal("1.10"))
    args = handle.get_status().input["args"]
    assert args == ("2025-05-01T00:00:00.000Z", "2025-05-01", "1.10")


def test_a_value_that_cannot_be_stored_is_refused_with_its_path(client: DBOSClient, rows: Rows) -> None:
    before = rows.count()
    with pytest.raises(errors.EncodeError, match=r"\[1\].*key.*object"):
        client.enqueue(options(), 1, {"key": object()})
    with pytest.raises(errors.EncodeError):
        client.enqueue(options(), math.nan)
    assert rows.count() == before


def test_the_clients_application_name_is_the_default(system_url: str, rows: Rows) -> None:
    with DBOSClient.create(system_database_url=system_url, application_name="shop") as client:
        mine = client.enqueue(options())
        other = client.enqueue(options(application_name="other"))
    assert rows.workflow(mine.workflow_id)["application_name"] == "shop"
    assert rows.workflow(other.workflow_id)["application_name"] == "other"


@pytest.mark.parametrize("delay", [0, 0.0, timedelta(0)])
def test_no_delay_is_no_delay(client: DBOSClient, delay: Any) -> None:
    assert client.enqueue(options(delay=delay)).get_status().status == "ENQUEUED"


# --- what is refused ---------------------------------------------------------------------------------------

HUGE = 10**12
BAD: list[tuple[str, Any, str]] = [
    ("workflow_id", "", "empty"),
    ("workflow_id", " \t", "blank"),
    ("workflow_id", "x" * 256, "255"),
    ("workflow_id", "a\0b", "printable"),
    ("workflow_id", "a\nb", "printable"),
    ("workflow_id", "a\ud800", "printable"),
    ("workflow_id", 17, "str"),
    ("workflow_name", "", "empty"),
    ("workflow_name", None, "str"),
    ("workflow_class_name", "", "empty"),
    ("workflow_class_name", "x" * 256, "255"),
    ("instance_name", "", "empty"),
    ("queue_name", "", "empty"),
    ("queue_name", None, "str"),
    ("queue_name", "x" * 300, "255"),
    ("queue_name", "_dbos_kafka_queue", "DBOS's own"),
    ("app_version", "", "empty"),
    ("application_name", "", "empty"),
    ("deduplication_id", "", "empty"),
    ("deduplication_id", "a\0", "printable"),
    ("queue_partition_key", " ", "blank"),
    ("authenticated_user", "", "empty"),
    ("timeout", -1, "more than 0"),
    ("timeout", 0, "more than 0"),
    ("timeout", math.nan, "finite"),
    ("timeout", math.inf, "finite"),
    ("timeout", HUGE, "hundred years"),
    ("timeout", True, "seconds"),
    ("timeout", "1", "seconds"),
    ("timeout", timedelta(seconds=-1), "more than 0"),
    ("delay", -0.001, "0 or more"),
    ("delay", math.nan, "finite"),
    ("delay", HUGE, "hundred years"),
    ("delay", timedelta.max, "hundred years"),
    ("priority", 0, "between 1"),
    ("priority", -1, "between 1"),
    ("priority", 2**31, "between 1"),
    ("priority", 1.0, "whole"),
    ("priority", True, "whole"),
    ("priority", "high", "whole"),
    ("duplication_policy", "return-existing", "deduplication_id"),
    ("duplication_policy", "keep", "one of"),
    ("workflow_id_reuse_policy", "keep", "one of"),
    ("attributes", [1], "JSON object"),
    ("attributes", "x", "JSON object"),
    ("attributes", {"x": "\0"}, "NUL"),
    ("authenticated_roles", "admin", "list"),
    ("authenticated_roles", [1], "str"),
    ("authenticated_roles", {"a"}, "list"),
    ("max_recovery_attempts", 0, "between 1"),
    ("max_recovery_attempts", 1.5, "whole"),
    ("serialization", "py_pickle", "allow_serializations"),
    ("serialization", "xml", "portable_json"),
]


@pytest.mark.parametrize(("option", "value", "hint"), BAD)
def test_a_bad_option_is_refused_by_name(
    blocking: DBOSClient, rows: Rows, option: str, value: Any, hint: str
) -> None:
    before = rows.count()
    with pytest.raises(errors.InvalidOption, match=hint) as caught:
        blocking.enqueue(options(**{option: value}))
    assert caught.value.option.startswith(option)
    assert rows.count() == before


@pytest.mark.parametrize("attributes", [{1: 2}, {"x": math.nan}, {"x": object()}])
def test_attributes_that_are_no_json(blocking: DBOSClient, attributes: Any) -> None:
    with pytest.raises((errors.EncodeError, errors.InvalidOption), match="attributes"):
        blocking.enqueue(options(attributes=attributes))


@pytest.mark.parametrize("given", [None, "w", {"workflow_name": "w", "queue_name": "q"}, print])
def test_what_is_no_options_is_refused(blocking: DBOSClient, given: Any) -> None:
    with pytest.raises(errors.InvalidOption, match="EnqueueOptions"):
        blocking.enqueue(given)


def test_the_internal_queue_may_be_used(blocking: DBOSClient) -> None:
    assert blocking.enqueue(options(queue_name="_dbos_internal_queue")).get_status().status == "ENQUEUED"


@pytest.mark.parametrize("wid", ["'; DROP TABLE x; --", "%s {0} $1", "<b>", "../..", "x" * 255, "ü" * 255])
def test_odd_ids_work(client: DBOSClient, rows: Rows, wid: str) -> None:
    handle = client.enqueue(options(workflow_id=wid), 1)
    client.send(wid, "x", topic="t")
    rows.become(wid, "SUCCESS")
    assert handle.get_result(timeout=10) is None
    rows.run("DELETE FROM dbos.workflow_status WHERE workflow_uuid = %s", wid)
    rows.run("DELETE FROM dbos.workflow_input WHERE workflow_uuid = %s", wid)


# --- an id, or a deduplication id, that exists -------------------------------------------------------------


def test_the_same_id_is_the_same_workflow(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(workflow_id=wid), 1)
    before = rows.workflow(wid)
    with pytest.warns(errors.ArgumentsIgnored):
        again = client.enqueue(options(workflow_id=wid, priority=7, queue_name="other"), 2)
    assert again.workflow_id == wid
    assert rows.workflow(wid) == before
    assert json.loads(rows.inputs(wid))["positionalArgs"] == [1]


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("workflow_name", "x", "name"),
        ("workflow_class_name", "C", "class"),
        ("instance_name", "i", "instance"),
    ],
)
def test_the_same_id_for_another_workflow(
    client: DBOSClient, rows: Rows, new_id: NewId, field: str, value: str, what: str
) -> None:
    wid = new_id()
    client.enqueue(options(workflow_id=wid), 1)
    before = rows.workflow(wid)
    with pytest.raises(errors.WorkflowConflict, match=what) as caught:
        client.enqueue(options(**{"workflow_id": wid, field: value}), 1)
    assert caught.value.given == value
    assert rows.workflow(wid) == before


def test_an_empty_class_of_another_client_is_no_class(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(workflow_id=wid))
    rows.become(wid, "ENQUEUED", class_name="", config_name="")
    assert client.enqueue(options(workflow_id=wid)).workflow_id == wid


def test_the_same_id_when_that_is_refused(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(workflow_id=wid, workflow_id_reuse_policy="reject"))
    with pytest.raises(errors.WorkflowIdInUse, match="ENQUEUED"):
        client.enqueue(options(workflow_id=wid, workflow_id_reuse_policy="reject"))


def test_deduplication(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    key = new_id("key")
    first = client.enqueue(options(deduplication_id=key))
    with pytest.raises(errors.Deduplicated, match=key) as caught:
        client.enqueue(options(deduplication_id=key, workflow_name="another"))
    assert (caught.value.queue_name, caught.value.deduplication_id) == ("q", key)
    existing = options(deduplication_id=key, duplication_policy="return-existing")
    assert client.enqueue(existing).workflow_id == first.workflow_id
    assert client.enqueue(options(deduplication_id=key, queue_name="r")).workflow_id != first.workflow_id
    assert client.enqueue(options(deduplication_id=key, workflow_id=first.workflow_id)) is not None
    rows.become(first.workflow_id, "SUCCESS", deduplication_id=None)
    assert client.enqueue(existing).workflow_id != first.workflow_id


def test_callers_at_once_share_commits_and_fail_alone(
    blocking: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    key, prefix = new_id("key"), new_id("many")
    outcomes: dict[int, Any] = {}

    def enqueue(n: int) -> None:
        extra = {"deduplication_id": key} if n % 4 == 0 else {}
        try:
            outcomes[n] = blocking.enqueue(options(workflow_id=f"{prefix}-{n}", **extra), n).workflow_id
        except errors.Deduplicated as error:
            outcomes[n] = error

    threads = [threading.Thread(target=enqueue, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [n for n, outcome in outcomes.items() if isinstance(outcome, errors.Deduplicated)]
    assert len(outcomes) == 32
    assert len(refused) == 7
    assert all(n % 4 == 0 for n in refused)
    found = rows.run("SELECT 1 FROM dbos.workflow_status WHERE starts_with(workflow_uuid, %s)", prefix)
    assert len(found) == 25


# --- max_recovery_attempts ---------------------------------------------------------------------------------


def limits(rows: Rows, wid: str) -> list[int]:
    found = rows.run("SELECT * FROM durably.workflow_limits WHERE workflow_uuid = %s", wid)
    return [row["max_recovery_attempts"] for row in found]


def test_a_limit_of_attempts_is_kept_beside(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(workflow_id=wid, max_recovery_attempts=3))
    client.enqueue(options(workflow_id=wid, max_recovery_attempts=4))
    usual = client.enqueue(options())
    (several,) = client.enqueue_many([(options(max_recovery_attempts=7), ())])
    assert limits(rows, wid) == [3]
    assert limits(rows, usual.workflow_id) == []
    assert limits(rows, several.workflow_id) == [7]


def test_without_the_extension_there_is_no_limit(database_url: str) -> None:
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA durably CASCADE")
    with DBOSClient.create(system_database_url=database_url) as client:
        assert client.enqueue(options(max_recovery_attempts=3)).get_status().status == "ENQUEUED"


# --- many --------------------------------------------------------------------------------------------------


def test_many_in_order(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    prefix = new_id("batch")
    items = [(options(workflow_id=f"{prefix}-{n}"), (n,)) for n in range(1500)]
    handles = client.enqueue_many([*items, Enqueue(options(), (1,), {"k": 2})])
    assert [handle.workflow_id for handle in handles[:-1]] == [f"{prefix}-{n}" for n in range(1500)]
    assert handles[7].get_status().input == {"args": (7,), "kwargs": {}}
    assert handles[-1].get_status().input == {"args": (1,), "kwargs": {"k": 2}}
    assert client.enqueue_many([]) == []


def test_many_are_all_or_none(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    taken, key = new_id(), new_id("key")
    client.enqueue(options(workflow_id=taken, deduplication_id=key))
    before = rows.count()
    for last, error in [
        (options(workflow_id=taken, workflow_name="x"), errors.WorkflowConflict),
        (options(workflow_id=taken, workflow_id_reuse_policy="reject"), errors.WorkflowIdInUse),
        (options(deduplication_id=key), errors.Deduplicated),
        (options(priority=0), errors.InvalidOption),
    ]:
        with pytest.raises(error):
            client.enqueue_many([(options(), ()), (last, ())])
    with pytest.raises(errors.InvalidOption, match="items"):
        client.enqueue_many([options()])  # type: ignore[list-item]
    assert rows.count() == before


def test_many_with_repeated_ids(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid, key, held = new_id(), new_id("key"), new_id("held")
    holder = client.enqueue(options(deduplication_id=held))
    before = rows.count()
    again = options(deduplication_id=key, duplication_policy="return-existing")
    elsewhere = options(deduplication_id=held, duplication_policy="return-existing")
    handles = client.enqueue_many(
        [
            (options(workflow_id=wid), (1,)),
            (options(workflow_id=wid), (1,)),
            (again, ()),
            (again, ()),
            (elsewhere, ()),
            (elsewhere, ()),
        ]
    )
    one, two, three, four, five, six = (handle.workflow_id for handle in handles)
    assert one == two == wid
    assert three == four
    assert five == six == holder.workflow_id
    assert rows.count() - before == 2
    with pytest.raises(errors.WorkflowConflict):
        client.enqueue_many(
            [(options(workflow_id="a"), ()), (options(workflow_id="a", workflow_name="x"), ())]
        )
    with pytest.raises(errors.Deduplicated):
        client.enqueue_many([(options(deduplication_id="b"), ()), (options(deduplication_id="b"), ())])


# --- declared ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ticket:
    seats: list[str]
    date: datetime


@declare_workflow(
    name="purchaseTicket", class_name="Authority", queue_name="q", serialization="portable_json"
)
def purchase(event: str, seats: list[str], date: datetime, gift: bool = False) -> Ticket:
    """Buy."""
    raise NotImplementedError


@declare_workflow(queue_name="q")
async def later(n: int) -> Ticket:
    raise NotImplementedError


DATE = datetime(2025, 5, 1, tzinfo=UTC)


def test_a_declared_workflow_is_an_address(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    handle = client.enqueue(purchase.options(workflow_id=wid, priority=3), "x", ["a"], DATE)
    row = rows.workflow(wid)
    assert (row["name"], row["class_name"], row["queue_name"], row["priority"]) == (
        "purchaseTicket", "Authority", "q", 3,
    )  # fmt: skip
    rows.end(wid, output='{"seats":["a"],"date":"2025-05-01T00:00:00.000Z"}')
    assert handle.get_result(timeout=10) == Ticket(["a"], DATE)
    assert client.retrieve_workflow(wid, purchase).get_result(timeout=10) == Ticket(["a"], DATE)
    assert client.retrieve_workflow(wid).get_result(timeout=10)["seats"] == ["a"]


def test_a_declared_workflow_can_be_passed_itself(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(later, 7)
    assert rows.workflow(handle.workflow_id)["name"] == "later"
    rows.end(handle.workflow_id, output='{"seats":[],"date":"2025-05-01T00:00:00.000Z"}')
    assert handle.get_result(timeout=10) == Ticket([], DATE)


def test_arguments_go_by_position_where_they_can(client: DBOSClient, rows: Rows) -> None:
    handle = client.enqueue(purchase, "x", date=DATE, seats=["a"], gift=True)
    stored = json.loads(rows.inputs(handle.workflow_id))
    assert stored["positionalArgs"] == ["x", ["a"], "2025-05-01T00:00:00.000Z", True]


def test_wrong_arguments_are_refused_at_the_call(client: DBOSClient, rows: Rows) -> None:
    before = rows.count()
    with pytest.raises(errors.InvalidOption, match=r"purchaseTicket.*missing"):
        client.enqueue(purchase, "x")  # type: ignore[call-overload]
    assert rows.count() == before


def test_a_declared_workflow_does_not_run_here() -> None:
    with pytest.raises(errors.WrongContext, match=r"client\.enqueue"):
        purchase("x", [], DATE)
    assert (purchase.__name__, purchase.__doc__) == ("purchase", "Buy.")
    assert "purchaseTicket" in repr(purchase)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(errors.InvalidOption, match="prio"):
        purchase.options(prio=3)
    with pytest.raises(errors.InvalidOption, match="prio"):
        declare_workflow(queue_name="q", prio=3)


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_another_default_codec(colour: str, system_url: str, rows: Rows) -> None:
    with open_client(colour, system_database_url=system_url, codec="py_pickle") as client:
        handle = client.enqueue(options(), 1, "a", k=2)
        assert rows.workflow(handle.workflow_id)["serialization"] == "py_pickle"
        assert handle.get_status().input == {"args": (1, "a"), "kwargs": {"k": 2}}


def test_options_say_their_fields_twice() -> None:
    source = ast.parse(inspect.getsource(enqueueing))
    (spelled,) = (
        node
        for node in ast.walk(source)
        if isinstance(node, ast.FunctionDef) and node.name == "__init__" and node.args.args[0].annotation
    )
    told = {arg.arg: ast.unparse(arg.annotation) for arg in spelled.args.kwonlyargs if arg.annotation}
    made = {field.name: field.type for field in dataclasses.fields(EnqueueOptions)}
    assert told == made
