"""A durably worker and a real DBOS worker are one application: same name, same version, same queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, LiteralString

import psycopg
import pytest

from tests.interop import harness
from tests.interop.conftest import Place

PEERS = {"typescript": harness.typescript_app, "python": harness.python_app}
TOLERANCE = 40  # ms: a claim's time is the start of its transaction, and so a little before what it saw
NewId = Callable[..., str]
Start = Callable[[Callable[[], harness.Process]], harness.Process]


@dataclass(frozen=True)
class Shared:
    """The place where one worker of each kind serves the same queues."""

    place: Place
    ours: harness.Process


@pytest.fixture(scope="module", params=PEERS)
def shared(request: pytest.FixtureRequest, new_place: Callable[[], Place], start: Start) -> Shared:
    place = new_place()
    settings = {"APP_NAME": "shared", "APP_VERSION": "1", "QUEUE_POLL_MS": "300"}
    start(lambda: PEERS[request.param](place.system_url, EXECUTOR_ID="peer-1", **settings))
    return Shared(place, start(lambda: harness.durably_app(place.system_url, **settings)))


@pytest.fixture(scope="module")
def enqueuer(shared: Shared) -> Iterator[harness.PeerClient]:
    with harness.PeerClient("typescript", shared.place.system_url, application_name="shared") as client:
        yield client


def enqueue(client: harness.PeerClient, queue: str, name: str, *arguments: object, id: str) -> str:
    options = {"workflowName": name, "workflowClassName": "Interop", "queueName": queue, "workflowID": id}
    made: str = client.call("enqueuePortable", options=options, args=list(arguments))
    return made


def rows(place: Place, query: LiteralString, ids: list[str]) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.system_url) as connection:
        return connection.execute(query, (ids,)).fetchall()


def test_no_work_is_done_twice(enqueuer: harness.PeerClient, shared: Shared, new_id: NewId) -> None:
    prefix = new_id("shared")
    ids = [enqueue(enqueuer, "ticketQueue", "parent", i, id=f"{prefix}-{i}") for i in range(12)]
    for i, wid in enumerate(ids):
        assert enqueuer.call("getResult", id=wid) == sum(range(i + 1)) * 2 + 1000 + 2 * i
    attempts = "SELECT recovery_attempts FROM dbos.workflow_status WHERE workflow_uuid = ANY(%s)"
    assert rows(shared.place, attempts, ids) == [(1,)] * 12


@pytest.mark.parametrize(("queue", "limit"), [("soloQueue", 1), ("pairQueue", 2)])
def test_a_global_limit_holds_across_them(
    enqueuer: harness.PeerClient, shared: Shared, queue: str, limit: int, new_id: NewId
) -> None:
    executors: set[str] = set()
    for _ in range(6):
        with shared.ours.suspended():  # ours is the quicker one: the peer may begin
            ids = [enqueue(enqueuer, queue, "sleepy", 100, id=new_id(queue)) for _ in range(10)]
            assert enqueuer.call("getEvent", id=ids[0], key="status", timeoutSeconds=20) in (
                "asleep",
                "awake",
            )
        assert {enqueuer.call("getResult", id=wid) for wid in ids} == {"slept"}
        runs = rows(
            shared.place,
            "SELECT started_at_epoch_ms, completed_at, executor_id FROM dbos.workflow_status"
            " WHERE workflow_uuid = ANY(%s)",
            ids,
        )
        assert len(runs) == 10
        began = [(start + TOLERANCE, +1) for start, _, _ in runs]
        ended = [(end, -1) for _, end, _ in runs]
        at_once = max(accumulate(change for _, change in sorted(began + ended)))
        assert at_once <= limit, runs
        executors |= {executor for _, _, executor in runs}
        if len(executors) == 2:
            return
    pytest.fail(f"only {executors} took from {queue}")


def test_a_conversation_between_them(enqueuer: harness.PeerClient, new_id: NewId) -> None:
    """Whoever runs which, events are seen and messages arrive."""
    ids = [enqueue(enqueuer, "ticketQueue", "gate", id=new_id("gate")) for _ in range(8)]
    for wid in ids:
        assert enqueuer.call("getEvent", id=wid, key="status", timeoutSeconds=20) == "waiting"
        enqueuer.call("send", id=wid, message=wid, topic="open", serializationType="portable")
    for wid in ids:
        assert enqueuer.call("getResult", id=wid) == {"before": 42, "message": wid}
