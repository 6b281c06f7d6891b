"""The client documentation that durably began with, call by call, on a real TypeScript application.

The documents are those of an old TypeScript client; what they promise must hold for ours, whose calls have
the same names in Python's spelling.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

import durably
from durably import AsyncDBOSClient, DBOSClient, EnqueueOptions, errors
from tests.interop import harness
from tests.interop.application_suite import TicketInfo, purchase_ticket
from tests.interop.conftest import Place, open_client
from tests.support.server import Server

NewId = Callable[..., str]
Start = Callable[[Callable[[], harness.Process]], harness.Process]
COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


@pytest.fixture(scope="module")
def peer(place: Place, start: Start) -> harness.Process:
    return start(lambda: harness.typescript_app(place.system_url, APP_NAME="tickets", APP_VERSION="v7"))


@pytest.fixture(autouse=True)
def _show_log(peer: harness.Process, show_log: None) -> None: ...


# --- create, destroy --------------------------------------------------------------------------------------


@COLOURS
def test_create_finds_the_system_database_beside_the_application_database(colour: str, place: Place) -> None:
    with open_client(colour, place.database_url) as client:
        assert client.get_event("nobody", "status", timeout_seconds=0) is None


@COLOURS
def test_create_takes_a_system_database_name(colour: str, place: Place, server: Server) -> None:
    elsewhere = harness.uri(server.url("another_application"))
    with open_client(colour, elsewhere, place.system_database) as client:
        assert client.get_event("nobody", "status", timeout_seconds=0) is None
    with open_client(colour, elsewhere, system_database=place.system_database) as client:
        assert client.get_event("nobody", "status", timeout_seconds=0) is None


@COLOURS
def test_create_takes_a_system_database_url(colour: str, place: Place) -> None:
    with open_client(colour, system_database_url=place.system_url) as client:
        assert client.get_event("nobody", "status", timeout_seconds=0) is None


@COLOURS
def test_create_says_what_is_missing(colour: str, server: Server) -> None:
    with (
        pytest.raises(errors.DatabaseError, match="no_such_shop_dbos_sys"),
        open_client(colour, harness.uri(server.url("no_such_shop"))),
    ):
        pass


@COLOURS
def test_create_refuses_a_database_without_tables(colour: str, server: Server) -> None:
    with (
        pytest.raises(errors.NotASystemDatabase),
        open_client(colour, system_database_url=harness.uri(server.url("postgres"))),
    ):
        pass


def test_a_destroyed_client_is_at_its_end(place: Place, peer: harness.Process) -> None:
    client = DBOSClient.create(place.database_url)
    assert client.get_event("nobody", "status", timeout_seconds=0) is None
    client.destroy()
    client.destroy()
    with pytest.raises(errors.NotRunning):
        client.get_event("nobody", "status", timeout_seconds=0)


def test_a_destroyed_client_leaves_no_connection(place: Place, peer: harness.Process, server: Server) -> None:
    def connections() -> int:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = %s AND application_name NOT LIKE 'dbos_transact%%'",
                (place.system_database,),
            ).fetchone()
            assert row is not None
            return int(row[0])

    before = connections()
    client = DBOSClient.create(place.database_url)
    client.get_event("nobody", "status", timeout_seconds=0)
    assert connections() > before
    client.destroy()
    deadline = time.monotonic() + 10
    while connections() > before:
        assert time.monotonic() < deadline, "connections outlive destroy()"


def test_the_async_client_is_awaited(place: Place, peer: harness.Process) -> None:
    async def use() -> None:
        client = await AsyncDBOSClient.create(place.database_url)
        assert await client.get_event("nobody", "status", timeout_seconds=0) is None
        await client.destroy()

    asyncio.run(use())


# --- the example of the reference -------------------------------------------------------------------------


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, place: Place, peer: harness.Process) -> Iterator[DBOSClient]:
    with open_client(request.param, place.database_url) as client:
        yield client


def test_the_example(client: DBOSClient, new_id: NewId) -> None:
    ticket_session_id = new_id("session")
    client.enqueue(
        EnqueueOptions(
            workflow_name="purchaseTicket",
            workflow_class_name="DBOSTicketAuthority",
            queue_name="ticketQueue",
            workflow_id=ticket_session_id,
        ),
        "Stonebraker: The Musical",
        ["a1", "a2"],
        datetime(2025, 5, 1),
    )
    client.send(ticket_session_id, {"ok": True}, "approval", new_id("key"))
    ticket_info = client.retrieve_workflow(ticket_session_id).get_result()
    assert ticket_info["eventName"] == "Stonebraker: The Musical"
    assert ticket_info["seats"] == ["a1", "a2"]
    assert ticket_info["eventDate"] == "2025-05-01T00:00:00.000Z"


def test_the_example_with_types(client: DBOSClient, new_id: NewId) -> None:
    ticket_session_id = new_id("session")
    options = purchase_ticket.options(workflow_id=ticket_session_id)
    client.enqueue(options, "Stonebraker: The Musical", ["a1", "a2"], datetime(2025, 5, 1, tzinfo=UTC))
    client.send(ticket_session_id, {"ok": True}, "approval")
    ticket_info: TicketInfo = client.retrieve_workflow(ticket_session_id, purchase_ticket).get_result()
    assert ticket_info.eventDate == datetime(2025, 5, 1, tzinfo=UTC)


# --- enqueue, every option --------------------------------------------------------------------------------


def test_the_seeds_options_have_the_seeds_names() -> None:
    names = {
        "workflow_name",
        "workflow_class_name",
        "queue_name",
        "max_recovery_attempts",
        "app_version",
        "workflow_id",
    }
    assert names <= set(inspect.signature(EnqueueOptions).parameters)
    assert EnqueueOptions(workflow_name="w", queue_name="q").max_recovery_attempts == 50


def test_every_option_of_the_seed(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id("all")
    handle = client.enqueue(
        EnqueueOptions(
            workflow_name="whoami",
            workflow_class_name="Interop",
            queue_name="ticketQueue",
            max_recovery_attempts=3,
            app_version="v7",
            workflow_id=wid,
        )
    )
    result = handle.get_result(timeout=20)
    assert (result["workflowId"], result["version"]) == (wid, "v7")
    assert handle.get_status().app_version == "v7"


def test_every_option_there_is(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id("all")
    handle = client.enqueue(
        EnqueueOptions(
            workflow_name="whoami",
            workflow_class_name="Interop",
            queue_name="ticketQueue",
            max_recovery_attempts=3,
            app_version="v7",
            workflow_id=wid,
            workflow_id_reuse_policy="reject",
            timeout=timedelta(seconds=90),
            delay=0.1,
            deduplication_id=wid,
            duplication_policy="return-existing",
            priority=1,
            queue_partition_key="p1",
            authenticated_user="ada",
            authenticated_roles=("buyer",),
            attributes={"k": "v"},
            application_name="tickets",
            serialization="portable_json",
        )
    )
    result = handle.get_result(timeout=20)
    assert (result["user"], result["roles"]) == ("ada", ["buyer"])
    status = handle.get_status()
    assert (status.queue_partition_key, status.priority, status.attributes) == ("p1", 1, {"k": "v"})
    assert (status.workflow_timeout_ms, status.application_name) == (90_000, "tickets")


def test_an_unset_version_is_the_running_one(client: DBOSClient, new_id: NewId) -> None:
    options = EnqueueOptions(workflow_name="whoami", workflow_class_name="Interop", queue_name="ticketQueue")
    handle = client.enqueue(options)
    assert handle.get_result(timeout=20)["version"] == "v7"
    assert handle.get_status().app_version == "v7"


# --- retrieve, send, get_event ----------------------------------------------------------------------------


def test_retrieve_gives_status_and_result(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id("echo")
    options = EnqueueOptions(
        workflow_name="echo", workflow_class_name="Interop", queue_name="ticketQueue", workflow_id=wid
    )
    client.enqueue(options, [1, 2])
    handle = client.retrieve_workflow(wid)
    assert handle.workflow_id == wid
    assert handle.get_result() == [1, 2]
    assert handle.get_status().status == "SUCCESS"


def test_send_takes_topic_and_key_by_place_or_by_name(client: DBOSClient, new_id: NewId) -> None:
    wid, key = new_id("collect"), new_id("key")
    options = EnqueueOptions(
        workflow_name="collect", workflow_class_name="Interop", queue_name="ticketQueue", workflow_id=wid
    )
    handle = client.enqueue(options, "orders", 2, 1.5)
    client.send(wid, "one", "orders", key)
    client.send(wid, "one", topic="orders", idempotency_key=key)
    assert handle.get_result(timeout=20) == ["one", None]


def test_get_event_with_and_without_a_timeout(client: DBOSClient, new_id: NewId) -> None:
    wid = new_id("gate")
    options = EnqueueOptions(
        workflow_name="gate", workflow_class_name="Interop", queue_name="ticketQueue", workflow_id=wid
    )
    client.enqueue(options)
    assert client.get_event(wid, "status") == "waiting"
    assert client.get_event(wid, "status", 5) == "waiting"
    assert client.get_event(wid, "status", timeout_seconds=5) == "waiting"
    assert client.get_event(wid, "nothing", 0.2) is None
    client.send(wid, None, "open")
    client.retrieve_workflow(wid).get_result(timeout=20)


def test_there_is_no_recv_and_no_set_event() -> None:
    for name in ("recv", "set_event"):
        assert not hasattr(durably.DBOSClient, name)
        assert not hasattr(durably.AsyncDBOSClient, name)
