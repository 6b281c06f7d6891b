"""The run page on what nobody should have written, and on more of it than anybody reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import psycopg
import pytest
from playwright.sync_api import Page

from durably import DBOSClient, EnqueueOptions
from durably.console import Console
from tests.console.conftest import served
from tests.support.databases import Databases

MARKUP = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
HOSTILE = f"a/../b?c=d&e#f'\"{MARKUP}\u202egnp.exe\x1b[31m\x9bé漢🎉"
TABS = ("timeline", "children", "messages", "events", "streams", "attempts", "raw")
TEN_MB = 10 * 1024 * 1024
STEPS = 10_000
LONG = "long"


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    with DBOSClient.create(system_database_url=url) as client:
        client.enqueue(
            EnqueueOptions(
                workflow_name=MARKUP,
                workflow_class_name=MARKUP[:200],
                queue_name="q",
                workflow_id="tame",
                attributes={MARKUP: MARKUP},
                authenticated_user=MARKUP,
            ),
            MARKUP + "x" * TEN_MB,
        )
        client.send("tame", MARKUP + "y" * TEN_MB, topic=MARKUP)
        client.enqueue(EnqueueOptions(workflow_name="long", queue_name="q", workflow_id=LONG), "\ud7ff")
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("workflow_status", "workflow_input"):  # the client makes no such id
            connection.execute(
                f"UPDATE dbos.{table} SET workflow_uuid = %s WHERE workflow_uuid = 'tame'".encode(),
                (HOSTILE,),
            )
        connection.execute(
            "UPDATE dbos.workflow_status SET queue_name = workflow_uuid, status = 'ERROR', "
            "completed_at = created_at + 1000, "
            "started_at_epoch_ms = created_at, executor_id = %s WHERE workflow_uuid = %s",
            (MARKUP, HOSTILE),
        )
        error = '{"name": "<b>E</b>", "message": %s, "stack": %s}'
        text = '"' + MARKUP.replace('"', '\\"') + "\\u001b[31m\\ud800" + "z" * 100_000 + '"'
        connection.execute(
            "INSERT INTO dbos.workflow_output (workflow_uuid, error) VALUES (%s, %s)",
            (HOSTILE, error % (text, text)),
        )
        connection.execute(
            "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, "
            "started_at_epoch_ms, completed_at_epoch_ms, child_workflow_id, serialization) "
            "SELECT %s, n, %s, %s, 1e12, -1e12, %s, 'no such format' FROM generate_series(1, 3) n",
            (HOSTILE, MARKUP, MARKUP + "w" * TEN_MB, HOSTILE),
        )
        for table in ("workflow_events_history", "streams"):
            number = "function_id" if table == "workflow_events_history" else '"offset"'
            into = f"INSERT INTO dbos.{table} (workflow_uuid, {number}, key, value)"
            connection.execute(
                f"{into} VALUES (%s, 0, %s, %s)".encode(),
                (HOSTILE, MARKUP, '"' + "v" * TEN_MB + '"'),
            )
        connection.execute(
            "INSERT INTO dbos.operation_outputs (workflow_uuid, function_id, function_name, output, error, "
            "started_at_epoch_ms, completed_at_epoch_ms, serialization) "
            "SELECT %s, n, 'step', CASE WHEN n %% 1000 <> 0 THEN to_json(repeat('x', 2000))::text END, "
            'CASE WHEN n %% 1000 = 0 THEN \'{"name": "ValueError", "message": "no"}\' END, '
            "1760000000000 + n * 100, 1760000000050 + n * 100, 'portable_json' "
            "FROM generate_series(1, %s) n",
            (LONG, STEPS),
        )
        connection.execute("ANALYZE dbos.operation_outputs")
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def console(url: str) -> Iterator[str]:
    with served(Console(system_database_url=url)) as console:
        yield console


def seconds(address: str) -> float:
    """The shortest of three answers: what the page takes, and not what else the machine does."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        assert httpx.get(address, timeout=30).status_code == 200
        took.append(time.perf_counter() - began)
    return min(took)


@pytest.mark.parametrize("tab", TABS)
def test_a_hostile_run_is_inert_and_quick(console: str, page: Page, tab: str) -> None:
    address = f"{console}/run?id={quote(HOSTILE, safe='')}&tab={tab}"
    assert seconds(address) < 1
    assert len(httpx.get(address).content) < 1_000_000
    page.goto(address)
    page.locator(".run-title").wait_for()
    page.wait_for_load_state()
    assert page.title() != "owned"
    assert page.locator("main script, main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@pytest.mark.parametrize("path", ["fork", "rewind", "attributes", "delete", "python"])
def test_a_form_about_a_hostile_run_is_inert(console: str, page: Page, path: str) -> None:
    page.goto(f"{console}/run/{path}?id={quote(HOSTILE, safe='')}")
    page.locator("h1").wait_for()
    assert page.title() != "owned"
    assert page.locator("main script, main img").count() == 0


def test_ten_megabytes_come_as_text_when_they_are_asked_for(console: str) -> None:
    answer = httpx.get(f"{console}/run/payload?id={quote(HOSTILE, safe='')}&of=input", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert len(answer.content) > TEN_MB
    step = httpx.get(f"{console}/run/payload?id={quote(HOSTILE, safe='')}&of=output&step=2", timeout=30)
    assert step.text.endswith("w" * 1000)


def test_a_run_of_ten_thousand_steps_is_paged(console: str, page: Page) -> None:
    page.goto(f"{console}/run?id={LONG}")
    assert page.locator("tr[id^=step-]").count() == 50
    page.locator("h2", has_text="10,000 operations, 10 failed").wait_for()
    page.keyboard.press("j")
    page.locator("#step-51").wait_for(state="attached")
    page.get_by_role("link", name="Last").click()
    page.locator(f"#step-{STEPS}").wait_for(state="attached")
    page.get_by_role("link", name="Previous").click()
    page.locator(f"#step-{STEPS - 99}").wait_for(state="attached")
    page.locator(".minimap a").nth(60).click()
    page.locator("#step-5001").wait_for(state="attached")
    page.get_by_role("link", name="Failed 10").click()
    page.locator("#step-9000").wait_for(state="attached")
    assert page.locator("tr[id^=step-]").count() == 10


@pytest.mark.parametrize("query", ["", "&after=5000", "&after=9899", "&failed=1"])
def test_a_page_of_ten_thousand_steps_is_quick(console: str, query: str) -> None:
    assert seconds(f"{console}/run?id={LONG}{query}") < 0.5


def test_what_is_not_there_is_told(console: str) -> None:
    for path, status, told in (
        ("run?id=nobody", 404, "no workflow has the id"),
        ("run", 400, "the address lacks ?id="),
        (f"run?id={LONG}&tab=nonsense", 404, "a run has no tab"),
        (f"run/payload?id={LONG}&of=soul", 400, "input, output or error"),
        (f"run/payload?id={LONG}&of=output&step=99999", 404, "nothing is stored there"),
    ):
        answer = httpx.get(f"{console}/{path}")
        assert (answer.status_code, told in answer.text) == (status, True), path
