"""Context from real peers' clients to our workflows; what is stranded, seen by real DBOS workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest

from durably import App, DBOSClient, EnqueueOptions, aio
from durably.core.names import STRANDED_UNTIL_MS
from tests.interop import harness
from tests.interop.conftest import Place

NewId = Callable[..., str]
PEERS = {"typescript": harness.typescript_app, "python": harness.python_app}


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[App]:
    app = App("shop", system_database_url=database_url)
    app.queue("q")

    @app.workflow(name="child")
    async def child() -> Any:
        here = aio.context()
        roles, attributes = list(here.authenticated_roles), dict(here.attributes)
        return [here.authenticated_user, roles, attributes]

    @app.workflow(name="who", class_name="Desk")
    async def who() -> Any:
        here = aio.context()
        return [here.class_name, await child()]

    async with app:
        yield app


@pytest.mark.parametrize("language", PEERS)
async def test_a_peers_client_says_for_whom_our_workflow_and_its_children_run(
    language: str, app: App, database_url: str
) -> None:
    def ask() -> Any:
        try:
            client = harness.PeerClient(language, harness.uri(database_url), application_name="shop")
        except harness.PeerUnavailable as error:
            pytest.skip(str(error))
        with client:
            options = {
                "workflowName": "who",
                "workflowClassName": "Desk",
                "queueName": "q",
                "workflowID": "w",
                "authenticatedUser": "ada",
                "authenticatedRoles": ["buyer", "admin"],
                "attributes": {"tenant": 7},
            }
            client.call("enqueuePortable", options=options, args=[])
            return client.call("getResult", id="w")

    assert await asyncio.to_thread(ask) == ["Desk", ["ada", ["buyer", "admin"], {"tenant": 7}]]


@pytest.mark.parametrize("language", PEERS)
def test_dbos_workers_leave_a_stranded_workflow_alone(
    language: str,
    new_place: Callable[[], Place],
    start: Callable[[Callable[[], harness.Process]], harness.Process],
    new_id: NewId,
) -> None:
    """Of the same application and version; it is an ordinary delayed one to them, and is resumed as such."""
    place = new_place()
    settings = {"APP_NAME": "shared", "APP_VERSION": "1", "EXECUTOR_ID": "peer-1"}
    start(lambda: PEERS[language](place.system_url, **settings))
    with DBOSClient.create(system_database_url=place.system_url, application_name="shared") as client:

        def echo(wid: str, **options: Any) -> Any:
            return client.enqueue(
                EnqueueOptions(
                    workflow_name="echo",
                    workflow_class_name="Interop",
                    queue_name="ticketQueue",
                    workflow_id=wid,
                    **options,
                ),
                wid,
            )

        stranded = echo("stranded", delay=3600, app_version="1")
        with psycopg.connect(place.system_url) as connection:
            connection.execute(
                "UPDATE dbos.workflow_status SET delay_until_epoch_ms = %s WHERE workflow_uuid = 'stranded'",
                (STRANDED_UNTIL_MS,),
            )
        for i in range(3):
            assert echo(f"other-{i}").get_result(timeout=20) == f"other-{i}"
        assert stranded.get_status().status == "DELAYED"
        client.move_workflows(["stranded"], None)
        assert stranded.get_result(timeout=20) == "stranded"
