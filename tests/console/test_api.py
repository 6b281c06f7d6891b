"""The HTTP API: strict, honest about errors, safe; waits cost nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from durably import DBOSClient, EnqueueOptions
from durably.console import Api, Console
from tests.console.api import served_api
from tests.console.conftest import served
from tests.support.databases import Databases

ARGS = b'{"workflow_name": "echo", "queue_name": "nobody", "args": ['
WORK = {"workflow_name": "echo", "queue_name": "nobody"}


@pytest.fixture(scope="module")
def system_url(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def api(system_url: str) -> Iterator[httpx.Client]:
    with served_api(system_url) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status and told["type"].startswith("urn:durably:problem:") and told["detail"]
    return told


def enqueued(api: httpx.Client, workflow_id: str, **more: Any) -> None:
    answer = api.post("/workflow", json={**WORK, "workflow_id": workflow_id, **more})
    assert answer.status_code == 201, answer.text


# --- what is asked -----------------------------------------------------------------------------------------


def test_a_page_of_workflows_leads_to_the_next_one(api: httpx.Client) -> None:
    items = [{**WORK, "workflow_name": "paged", "workflow_id": f"page-{n:02}"} for n in range(11)]
    assert api.post("/workflows", json=items).status_code == 201  # in one millisecond, or few
    for direction in ("false", "true"):
        seen: list[str] = []
        query: dict[str, Any] = {"name": "paged", "limit": 3, "sort_desc": direction}
        while True:
            page = api.get("/workflows", params=query).json()
            seen += [each["workflow_id"] for each in page["workflows"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert sorted(seen) == [f"page-{n:02}" for n in range(11)]


def test_a_cursor_that_is_not_ours_is_refused(api: httpx.Client) -> None:
    assert problem(api.get("/workflows", params={"cursor": "x"}), 422)["option"] == "cursor"


@pytest.mark.parametrize("workflow_id", ["a/b", "../..", "a b+c%2F", "<script>", "ünï\u2603", "?id=x&y", "."])
def test_an_id_is_any_text(api: httpx.Client, workflow_id: str) -> None:
    enqueued(api, workflow_id)
    answer = api.post("/workflow", json={**WORK, "workflow_id": workflow_id})
    assert api.get(answer.headers["location"]).json()["workflow_id"] == workflow_id


def test_the_last_look_of_a_result_says_that_it_goes_on(api: httpx.Client) -> None:
    enqueued(api, "going-on")
    answer = api.get("/workflow/result", params={"id": "going-on", "wait": 0.05})
    assert (answer.status_code, answer.json()["ended"]) == (202, False)


def test_a_queue_is_registered_changed_paused_and_deleted(api: httpx.Client) -> None:
    limits = {"concurrency": 4, "limiter": {"limit": 10, "period": 60}}
    assert api.put("/queue", params={"name": "printing"}, json=limits).json()["concurrency"] == 4
    only_new = {"If-None-Match": "*"}
    assert problem(api.put("/queue", params={"name": "printing"}, json={}, headers=only_new), 412)
    changed = api.post("/queue/limits", params={"name": "printing"}, json={"limiter": None}).json()
    assert (changed["concurrency"], changed["limiter"]) == (4, None)
    paused = api.post("/queue/pause", params={"name": "printing"}, json={"reason": "no paper"}).json()
    assert paused["pauses"][0]["reason"] == "no paper"
    assert api.post("/queue/drain", params={"name": "printing"}).json()["drained"] is True
    assert api.post("/queue/resume", params={"name": "printing"}).json()["changed"] is True
    (stats,) = api.get("/queues/stats", params={"name": "printing"}).json()["queues"]
    assert (stats["enqueued"], stats["is_paused"]) == (0, False)
    assert api.delete("/queue", params={"name": "printing"}).status_code == 200
    assert problem(api.get("/queue", params={"name": "printing"}), 404)


def test_a_schedule_is_put_previewed_triggered_and_deleted(api: httpx.Client) -> None:
    name = {"name": "nightly"}
    body = {"workflow_name": "report", "schedule": "0 3 * * *", "cron_timezone": "Europe/Berlin"}
    assert api.put("/schedule", params=name, json=body).json()["next_fire_at"]
    assert problem(api.put("/schedule", params=name, json=body, headers={"If-None-Match": "*"}), 412)
    preview = api.get("/schedule/preview", params={**name, "count": 2, "after": "2026-03-28T12:00:00Z"})
    assert preview.json()["times"] == ["2026-03-29T03:00:00+02:00", "2026-03-30T03:00:00+02:00"]
    assert api.post("/schedule/pause", params=name).json()["changed"] is True
    assert api.get("/schedule", params=name).json()["status"] == "PAUSED"
    assert api.post("/schedule/trigger", params=name).status_code == 201
    range_ = {"start": "2026-11-01T00:00:00Z", "end": 1794096000000}
    filled = api.post("/schedule/backfill", params=name, json=range_).json()["workflow_ids"]
    listed = api.get("/workflows", params={"workflow_ids": filled}).json()["workflows"]
    assert {each["workflow_id"] for each in listed} == set(filled) != set()
    wide = api.post("/schedule/backfill", params=name, json={"start": 0, "end": 1794096000000})
    assert "500 times" in problem(wide, 422)["hint"]
    assert problem(api.put("/schedule", params=name, json={**body, "schedule": "every day"}), 422)
    assert api.delete("/schedule", params=name).status_code == 200
    assert problem(api.delete("/schedule", params=name), 404)


def test_many_are_cancelled_by_filter_once_it_was_seen_which(api: httpx.Client) -> None:
    for n in range(3):
        enqueued(api, f"bulk-{n}", workflow_name="bulk")
    body: dict[str, Any] = {"filter": {"name": ["bulk"]}}
    dry = api.post("/workflows/cancel", json={**body, "dry_run": True}).json()
    assert dry == {"workflow_ids": ["bulk-0", "bulk-1", "bulk-2"], "dry_run": True}
    assert api.get("/workflows/count", params={"name": "bulk", "status": "ENQUEUED"}).json()["count"] == 3
    assert api.post("/workflows/cancel", json=body).json()["workflow_ids"] == dry["workflow_ids"]
    assert problem(api.post("/workflows/cancel", json={}), 422)["option"] == "filter"
    assert (
        problem(api.post("/workflows/cancel", json={"filter": {"nme": "x"}}), 400)["option"] == "filter.nme"
    )


# --- what cannot be ----------------------------------------------------------------------------------------


def test_conflicts_are_told_apart(api: httpx.Client) -> None:
    enqueued(api, "conflict", deduplication_id="one")
    other = api.post("/workflow", json={**WORK, "workflow_name": "other", "workflow_id": "conflict"})
    assert problem(other, 409)["type"].endswith(":in-use")
    again = api.post(
        "/workflow", json={**WORK, "workflow_id": "conflict", "workflow_id_reuse_policy": "reject"}
    )
    assert problem(again, 409)["workflow_id"] == "conflict"
    held = api.post("/workflow", json={**WORK, "deduplication_id": "one"})
    assert problem(held, 409)["type"].endswith(":deduplicated")
    rewound = api.post("/workflow/rewind", params={"id": "conflict"}, json={})
    assert "cancel it first" in problem(rewound, 409)["hint"]
    differs = api.post("/workflow", json={**WORK, "workflow_id": "a"}, headers={"Idempotency-Key": "b"})
    assert problem(differs, 422)["option"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"x" * (16 * 1024 * 1024 + 1), 413),
        (json.dumps({**WORK, "args": ["x" * 10_000_000], "workflow_id": "ten-megabytes"}).encode(), 201),
        (json.dumps({**WORK, "args": ["a\0b"], "workflow_id": "nul"}).encode(), 201),
        (json.dumps({**WORK, "workflow_id": "a\0b"}).encode(), 422),
        (json.dumps({**WORK, "attributes": {"a": "b\0"}}).encode(), 422),
        (ARGS + b'"\\ud800"]}', 400),
        (ARGS + b"NaN]}", 400),
        (ARGS + b"1e999]}", 400),
        (ARGS + b"[" * 100_000, 400),
        (
            ARGS + b"[" * 300 + b"]" * 300 + b"]}",
            422,
        ),
        (ARGS + b"123456789012345678901234567890]}", 422),
        (ARGS + b"9" * 5000 + b"]}", 400),
        (b"", 400),
        (b"[]", 400),
    ],
    ids=lambda value: str(value[:60]) if isinstance(value, bytes) else str(value),
)
def test_a_hostile_body_is_refused_or_comes_back_as_it_was(
    api: httpx.Client, content: bytes, status: int
) -> None:
    before = api.get("/workflows/count").json()
    answer = api.post("/workflow", content=content, headers={"Content-Type": "application/json"})
    if status == 201:
        run = api.get("/workflow", params={"id": answer.json()["workflow_id"]}).json()
        assert run["input"]["args"] == json.loads(content)["args"]
    else:
        told = problem(answer, status)
        assert len(told["detail"]) < 5000
        assert api.get("/workflows/count").json() == before


def test_a_body_that_declares_no_length_is_bounded_too(api: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 1024 * 1024

    answer = api.post("/workflow", content=chunks(), headers={"Content-Type": "application/json"})
    assert problem(answer, 413)


def test_paths_methods_and_media_types_are_told(api: httpx.Client) -> None:
    assert "openapi.json" in problem(api.get("/workflow/nothing"), 404)["hint"]
    refused = api.patch("/queue")
    assert problem(refused, 405) and refused.headers["allow"] == "GET, PUT, DELETE, HEAD"
    form = api.post("/workflow", data={"workflow_name": "x"})
    assert "application/json" in problem(form, 415)["hint"]
    assert api.head("/workflows").status_code == 200


def test_a_database_that_is_away_is_told_with_when_to_come_again() -> None:
    away = "postgresql://localhost:1/nowhere"
    with served(Api(system_database_url=away, retry_for=0.2)) as url:
        answer = httpx.get(url + "/workflows", timeout=20)
    assert problem(answer, 503)["type"].endswith("database-unavailable")
    assert answer.headers["retry-after"] == "5"


# --- who may -----------------------------------------------------------------------------------------------


def test_a_page_of_somebody_else_does_nothing(database_url: str) -> None:
    with served(Console(system_database_url=database_url)) as base:

        def post(**headers: str) -> httpx.Response:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return httpx.post(base + "/api/v1/workflow", json=WORK, headers=sent)

        assert problem(post(Origin="https://evil.example"), 403)
        assert problem(post(Sec_Fetch_Site="cross-site"), 403)
        assert problem(post(Sec_Fetch_Site="cross-site", Authorization="Basic YTpi"), 403)
        assert "X-CSRF-Token" in problem(post(Cookie="durably_csrf=abc"), 403)["detail"]
        assert problem(post(Cookie="durably_csrf=abc", X_CSRF_Token="other"), 403)
        assert post(Cookie="durably_csrf=abc", X_CSRF_Token="abc").status_code == 201
        assert post(Origin=base).status_code == 201
        assert post().status_code == 201
        large = httpx.post(base + "/api/v1/workflow", content=b"x" * 17 * 1024 * 1024)
        assert problem(large, 413)


# --- what waits --------------------------------------------------------------------------------------------


def enqueue_one(url: str) -> None:
    """A workflow `w` that nobody runs."""
    with DBOSClient.create(system_database_url=url) as client:
        client.enqueue(EnqueueOptions(workflow_name="echo", queue_name="nobody", workflow_id="w"))


def connections(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row is not None
    return int(row[0])


async def test_fifty_that_wait_share_a_connection(database_url: str) -> None:
    with served_api(database_url) as base, DBOSClient.create(system_database_url=database_url) as client:
        options = EnqueueOptions(workflow_name="echo", queue_name="nobody", workflow_id="awaited")
        client.enqueue(options)
        async with httpx.AsyncClient(base_url=base, timeout=60) as http:
            path = "/workflow/result?id=awaited&wait=50"
            waits = [asyncio.create_task(http.get(path)) for _ in range(50)]
            await http.get("/workflows")
            assert connections(database_url) <= 4 + 1 + 5  # the API's pool, its LISTEN, and the client here
            client.cancel_workflow("awaited")
            answers = await asyncio.gather(*waits)
        assert {answer.json()["status"] for answer in answers} == {"CANCELLED"}


async def test_who_comes_when_too_many_wait_is_told_to_come_again(database_url: str) -> None:
    watch = ("GET", "/workflow/watch?id=w")
    with served_api(database_url, most_at_once=2) as base:
        enqueue_one(database_url)
        async with httpx.AsyncClient(base_url=base, timeout=60) as http:
            async with http.stream(*watch) as one, http.stream(*watch) as two:
                assert (one.status_code, two.status_code) == (200, 200)
                refused = await http.get("/workflows")
                assert problem(refused, 429) and refused.headers["retry-after"] == "1"
            async with asyncio.timeout(20):  # they are gone, and that is noticed
                while (await http.get("/workflows")).status_code == 429:
                    await asyncio.sleep(0.02)


async def test_a_stream_that_nobody_reads_any_more_is_let_go(database_url: str) -> None:
    api = Api(system_database_url=database_url)
    with served(api) as base:
        enqueue_one(database_url)
        async with httpx.AsyncClient(base_url=base, timeout=60) as http:
            async with http.stream("GET", "/workflow/stream?id=w&key=k") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = answer.aiter_lines()
                assert await anext(lines) == ": hello"
                assert api._answering == 1
            async with asyncio.timeout(20):
                while api._answering:
                    await asyncio.sleep(0.02)


async def test_a_workflow_that_is_deleted_ends_its_stream_with_a_problem(database_url: str) -> None:
    with served_api(database_url) as base, DBOSClient.create(system_database_url=database_url) as client:
        client.enqueue(EnqueueOptions(workflow_name="echo", queue_name="nobody", workflow_id="w"))
        async with httpx.AsyncClient(base_url=base, timeout=60) as http:
            async with http.stream("GET", "/workflow/watch", params={"id": "w"}) as answer:
                lines = answer.aiter_lines()
                while await anext(lines) != "event: status":
                    pass
                client.delete_workflow("w")
                while (line := await anext(lines)) != "event: problem":
                    assert not line.startswith("event:")
                assert json.loads((await anext(lines)).removeprefix("data: "))["status"] == 404
            assert problem(await http.get("/workflow/watch", params={"id": "w"}), 404)
