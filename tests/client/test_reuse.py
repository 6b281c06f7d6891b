"""The id of a workflow that exists, with other arguments: the caller is told, unasked."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from durably import AsyncDBOSClient, DBOSClient, Enqueue, EnqueueOptions, declare_workflow
from durably.errors import ArgumentsIgnored, WorkflowIdInUse
from tests.client.conftest import NewId, Rows

HERE = Path(__file__).name


def options(workflow_id: str, **fields: Any) -> EnqueueOptions:
    return EnqueueOptions(workflow_name="w", queue_name="q", workflow_id=workflow_id, **fields)


def test_other_arguments_are_warned_of_where_the_caller_stands(
    blocking: DBOSClient, rows: Rows, new_id: NewId
) -> None:
    wid = new_id()
    first = blocking.enqueue(options(wid), 1)
    with pytest.warns(ArgumentsIgnored, match=f"{wid!r} is in use by 'w' with other arguments") as caught:
        second = blocking.enqueue(options(wid), 2)
    assert [Path(each.filename).name for each in caught] == [HERE]
    assert (first.created, first.arguments_ignored) == (True, False)
    assert (second.created, second.arguments_ignored) == (False, True)
    assert second == first
    assert '"positionalArgs":[1]' in rows.inputs(wid)


async def test_the_asynchronous_client_says_it_too(system_url: str, new_id: NewId) -> None:
    wid = new_id()
    async with AsyncDBOSClient.create(system_database_url=system_url) as client:
        await client.enqueue(options(wid), 1)
        with pytest.warns(ArgumentsIgnored) as caught:
            handle = await client.enqueue(options(wid), n=1)
    assert [Path(each.filename).name for each in caught] == [HERE]
    assert (handle.created, handle.arguments_ignored) == (False, True)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (((1, "a", None), {}), ((1, "a", None), {})),
        (((), {"a": 1, "b": {"c": 2, "d": 3}}), ((), {"b": {"d": 3, "c": 2}, "a": 1})),
        (((datetime(2026, 5, 1, tzinfo=UTC),), {}), ((datetime(2026, 5, 1, tzinfo=UTC),), {})),
        ((((1, 2),), {}), (([1, 2],), {})),
    ],
)
def test_the_same_call_again_is_silent(client: DBOSClient, new_id: NewId, first: Any, again: Any) -> None:
    """A warning is an error here."""
    wid = new_id()
    client.enqueue(options(wid), *first[0], **first[1])
    handle = client.enqueue(options(wid), *again[0], **again[1])
    assert (handle.created, handle.arguments_ignored) == (False, False)


def test_a_declared_workflow_binds_before_it_compares(client: DBOSClient, new_id: NewId) -> None:
    @declare_workflow(name="w", queue_name="q")
    def buy(event: str, seats: list[str]) -> None: ...

    wid = new_id()
    client.enqueue(buy.options(workflow_id=wid), "Stonebraker", ["a1"])
    handle = client.enqueue(buy.options(workflow_id=wid), seats=["a1"], event="Stonebraker")
    assert handle.created is False


@pytest.mark.parametrize("serialization", ["js_superjson", "portable_json"])
def test_the_formats_may_differ(client: DBOSClient, new_id: NewId, serialization: str) -> None:
    wid = new_id()
    client.enqueue(options(wid, serialization="js_superjson"), 1, ["a"])
    assert client.enqueue(options(wid, serialization=serialization), 1, ["a"]).arguments_ignored is False
    with pytest.warns(ArgumentsIgnored):
        client.enqueue(options(wid, serialization=serialization), 2, ["a"])


def test_a_format_that_is_not_read_here_leaves_it_open(client: DBOSClient, rows: Rows, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(wid), 1)
    rows.become(wid, "ENQUEUED", serialization="py_pickle")
    assert client.enqueue(options(wid), 2).arguments_ignored is None


def test_the_policies(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(wid), 1)
    attached = client.enqueue(options(wid, workflow_id_reuse_policy="return-existing"), 2)
    assert (attached.created, attached.arguments_ignored) == (False, None)
    with pytest.raises(WorkflowIdInUse):
        client.enqueue(options(wid, workflow_id_reuse_policy="reject"), 2)


def test_an_error_where_the_filters_say_so(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id()
    client.enqueue(options(wid), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ArgumentsIgnored)
        with pytest.raises(ArgumentsIgnored) as caught:
            client.enqueue(options(wid), 2)
    assert caught.value.workflow_id == wid


def test_each_of_many(client: DBOSClient, new_id: NewId) -> None:
    there, fresh = new_id(), new_id()
    client.enqueue(options(there), 1)
    with pytest.warns(ArgumentsIgnored) as caught:
        handles = client.enqueue_many(
            [
                Enqueue(options(there), (1,)),
                Enqueue(options(there), (2,)),
                Enqueue(options(fresh), (1,)),
                Enqueue(options(fresh), (1,)),
                Enqueue(options(fresh), (2,)),
            ]
        )
    assert [handle.created for handle in handles] == [False, False, True, False, False]
    assert [bool(handle.arguments_ignored) for handle in handles] == [False, True, False, False, True]
    assert sorted(str(each.message).split("'")[1] for each in caught) == sorted([there, fresh])


def test_in_a_transaction_of_the_callers(blocking: DBOSClient, system_url: str, new_id: NewId) -> None:
    wid = new_id()
    with psycopg.connect(system_url) as connection:
        blocking.enqueue(options(wid), 1, connection=connection)
        assert blocking.enqueue(options(wid), 1, connection=connection).arguments_ignored is False
        with pytest.warns(ArgumentsIgnored) as caught:
            handle = blocking.enqueue(options(wid), 2, connection=connection)
    assert (handle.created, handle.arguments_ignored) == (False, True)
    assert [Path(each.filename).name for each in caught] == [HERE]


def test_a_handle_that_no_start_returned(client: DBOSClient, new_id: NewId) -> None:
    handle = client.retrieve_workflow(new_id())
    assert (handle.created, handle.arguments_ignored) == (None, None)
