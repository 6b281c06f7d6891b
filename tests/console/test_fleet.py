"""Executors, versions, dead letters and storage at the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from durably import App, DBOSClient, EnqueueOptions, WorkflowFilter, aio
from durably.console import Console, Open, User
from tests.console.conftest import served
from tests.console.support import assert_accessible, post, settled
from tests.engine.support import rows

HOSTILE = '"><script>alert(1)</script>'
DEAD = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, "
    "recovery_attempts, created_at, completed_at, application_version) SELECT %s || n, "
    "'MAX_RECOVERY_ATTEMPTS_EXCEEDED', %s, 'emails', 'shop-1', 51, t, t + 9000, 'v1' FROM (SELECT n, "
    "(EXTRACT(epoch FROM now()) * 1000)::bigint - n * 60000 AS t FROM generate_series(1, %s) n) d"
)
EXECUTOR = (
    "INSERT INTO durably.executors (executor_id, application_name, application_version, host, pid, "
    "started_at, expires_at, lease_seconds, stopped_at) VALUES (%s, 'shop', %s, 'web-1', 4711, "
    "now() - interval '3 h', now() + %s::interval, 15, now() + %s::interval)"
)
RUNNING = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, "
    "application_version) SELECT %s || n, 'PENDING', 'send', 'emails', %s, %s FROM generate_series(1, %s) n"
)
STRANDED = (
    "WITH made AS (INSERT INTO dbos.workflow_status (workflow_uuid, status, name, application_name, "
    "application_version, delay_until_epoch_ms) VALUES (%s, 'DELAYED', 'checkout', 'shop', 'v1', "
    "253402128000000)) INSERT INTO durably.stranded_workflows (workflow_uuid, application_name, function_id, "
    "asked, recorded, difference, code, code_changed, met, executor_id) VALUES (%s, 'shop', 3, 'charge', "
    "'reserve', 'operation 3', 'c0de', true, ARRAY['c0de'], 'shop-1')"
)
VERSION = "INSERT INTO dbos.application_versions VALUES (%s, %s, %s, %s, 'shop')"


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        yield client


def test_executors_show_with_their_lease_and_what_they_run(
    console_url: str, database_url: str, page: Page
) -> None:
    page.goto(f"{console_url}/executors")
    page.get_by_text("No executor has been here").wait_for()
    app = App("shop", system_database_url=database_url)
    app.queue("emails")

    @app.workflow(name="send")
    async def send() -> None:
        await aio.recv("go", timeout=None)

    with app:
        app_id = app.executor_id
        row = page.locator("tr", has_text=app_id)
        expect(row).to_contain_text("Alive", timeout=15_000)  # it came by itself
        with DBOSClient.create(system_database_url=database_url) as client:
            client.enqueue(EnqueueOptions(workflow_name="send", queue_name="emails", workflow_id="w1"))
        expect(row).to_contain_text("1 of emails", timeout=15_000)
    expect(page.locator("tr", has_text=app_id)).to_contain_text("Ended", timeout=15_000)


def test_the_latest_version_is_set(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    for number, version in enumerate(("v1", "v2")):
        rows(database_url, VERSION, version, version, number + 1, number + 1)
    page.goto(f"{console_url}/versions")
    expect(page.locator("tr", has_text="v2")).to_contain_text("latest")
    page.get_by_role("button", name="Make latest").click()
    page.get_by_text("v1 is the latest").wait_for()
    latest = client.get_latest_application_version()
    assert latest is not None and latest.version_name == "v1"


def test_stranded_runs_are_moved_and_forked(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    rows(database_url, VERSION, "v2", "v2", 1, 1)
    for id_ in ("s1", "s2"):
        rows(database_url, STRANDED, id_, id_)
    rows(database_url, "INSERT INTO dbos.workflow_input VALUES ('s2', '{}')")
    for number in (1, 2, 3):
        rows(database_url, "INSERT INTO dbos.operation_outputs VALUES ('s2', %s, 'reserve', '1')", number)
    page.goto(f"{console_url}/versions")
    expect(page.locator("tr", has_text="s1")).to_contain_text("reserve")
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_text("nothing was moved: tick the runs to move").wait_for()
    page.goto(f"{console_url}/versions")
    page.get_by_label("Pick s1").check()
    page.get_by_label("Move what is ticked to").select_option("v2")
    page.get_by_role("button", name="Move", exact=True).click()
    page.get_by_text("Moved 1 of 1 to v2.").wait_for()
    assert client.get_workflow("s1").app_version == "v2"
    page.locator("tr", has_text="s2").get_by_role("button", name="Fork from 3").click()
    page.get_by_text("Forked s2 from operation 3 on").wait_for()
    (fork,) = client.list_workflows(WorkflowFilter(forked_from="s2"))
    assert fork.status == "ENQUEUED"


def test_dead_letters_are_requeued_one_and_all(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    rows(database_url, DEAD, "a", "send", 3)
    rows(database_url, DEAD, "b", "other", 2)
    page.goto(f"{console_url}/dead")
    expect(page.locator("tr", has_text="a1")).to_contain_text("51 times")
    page.get_by_label("Pick a1").check()
    page.get_by_label("Requeue on").fill("emails")
    page.get_by_role("button", name="Requeue what is ticked").click()
    page.get_by_text("Requeued 1 of 1.").wait_for()
    again = client.get_workflow("a1")
    assert (again.status, again.queue_name, again.recovery_attempts) == ("ENQUEUED", "emails", 0)
    page.get_by_label("Workflow name").fill("send")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/dead?workflow=send")
    page.get_by_role("button", name="Requeue all of send").click()
    page.get_by_text("This brings back 2 runs of send").wait_for()
    assert len(client.list_dead_letters()) == 4
    page.get_by_role("button", name="Requeue 2 runs").click()
    page.get_by_text("Requeued 2 of 2.").wait_for()
    assert {run.name for run in client.list_dead_letters()} == {"other"}


def test_dead_letters_are_paged(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, DEAD, "a", "send", 60)
    page.goto(f"{console_url}/dead")
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/dead?before=*")
    assert page.locator("tbody tr").count() == 10
    page.get_by_role("link", name="Newest").click()
    page.wait_for_url("**/dead")
    page.goto(f"{console_url}/dead?before=-1")
    page.get_by_text("before=-1: a whole number").wait_for()


def test_dead_letters_of_one_instant_are_all_paged(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, DEAD, "a", "send", 120)
    rows(database_url, "UPDATE dbos.workflow_status SET created_at = 1795000000000")
    seen: set[str] = set()
    page.goto(f"{console_url}/dead")
    for left in (70, 20, 0):
        page.wait_for_function("document.querySelectorAll('tbody tr').length > 0")
        seen |= set(page.locator("tbody a.id").all_inner_texts())
        assert len(seen) == 120 - left
        if left:
            with page.expect_navigation():
                page.get_by_role("link", name="Older").click()


def test_a_viewer_sees_no_buttons_and_is_refused(database_url: str, client: DBOSClient, page: Page) -> None:
    rows(database_url, DEAD, "a", "send", 1)
    rows(database_url, STRANDED, "s1", "s1")
    rows(database_url, VERSION, "v1", "v1", 1, 1)
    rows(database_url, VERSION, "v2", "v2", 2, 2)
    with served(
        Console(system_database_url=database_url, access=Open(User(name="vera", role="viewer")))
    ) as url:
        for path, seen in (("/dead", "a1"), ("/versions", "s1"), ("/executors", "Executors")):
            page.goto(url + path)
            page.get_by_text(seen).first.wait_for()
            assert page.locator("main button").filter(has_not_text="Filter").count() == 0
            assert page.locator("main input[type=checkbox]").count() == 0
        for path in ("/dead/requeue", "/version/latest", "/version/move", "/version/fork"):
            answer = post(url, path, {"id": "a1", "name": "v1", "step": "3", "version": "v2"})
            assert answer.status_code == 403, path
    assert client.get_workflow("a1").status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    latest = client.get_latest_application_version()
    assert latest is not None and latest.version_name == "v2"


def test_storage_tells_sizes_and_what_the_doctor_found(
    console_url: str, database_url: str, page: Page, shoot: Callable[[str], None]
) -> None:
    rows(database_url, DEAD, "a", "send", 1500)
    rows(database_url, "VACUUM ANALYZE dbos.workflow_status")
    page.goto(f"{console_url}/storage")
    expect(page.locator("tr", has_text="dbos.workflow_status")).to_contain_text("1,500")
    expect(page.locator("#growth")).to_contain_text("1,500 runs in 2 days")
    shoot("storage-growth")
    page.get_by_role("heading", name="Doctor").wait_for()
    page.get_by_text("checks found nothing wrong").click()  # it came behind the page
    expect(page.locator("main")).to_contain_text("connection")
    expect(page.get_by_text("durably workflow delete --status SUCCESS")).to_contain_text("--dry-run")


def test_hostile_names_are_text(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, DEAD, HOSTILE, HOSTILE, 2)
    rows(database_url, RUNNING, "r", HOSTILE, HOSTILE, 2)
    rows(database_url, EXECUTOR, HOSTILE, HOSTILE, "1 h", None)
    rows(database_url, VERSION, HOSTILE, HOSTILE, 1, 1)
    rows(database_url, STRANDED, "s" + HOSTILE, "s" + HOSTILE)
    for path in ("/executors", "/versions", "/dead", "/storage"):
        page.goto(console_url + path)
        page.locator("h1").wait_for()
        assert page.locator("main script").count() == 0
        assert path == "/storage" or HOSTILE in page.locator("main").inner_text()


def test_every_page_of_a_database_without_our_schema(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    rows(database_url, DEAD, "a", "send", 2)
    rows(database_url, RUNNING, "r", "dbos-1", "v1", 2)
    rows(database_url, VERSION, "v1", "v1", 1, 1)
    for path, seen in (
        ("/executors", "dbos-1"),
        ("/versions", "v1"),
        ("/dead", "a1"),
        ("/storage", "dbos.workflow_status"),
    ):
        page.goto(console_url + path)
        page.locator("main").get_by_text(seen).first.wait_for()


def test_the_pages_look_good(
    console_url: str, database_url: str, page: Page, shoot: Callable[[str], None]
) -> None:
    for path in ("executors", "versions", "dead"):
        page.goto(f"{console_url}/{path}")
        page.locator(".empty").wait_for()
        shoot(f"{path}-empty")
    for id_, version, lease, stopped in (
        ("shop-1", "v2", "10 s", None),
        ("shop-2", "v2", "12 s", None),
        ("shop-3", "v1", "-40 s", None),
        ("shop-4", "v1", "-3 h", "-3 h"),
    ):
        rows(database_url, EXECUTOR, id_, version, lease, stopped)
    rows(database_url, RUNNING, "r", "shop-1", "v2", 12)
    rows(database_url, RUNNING, "q", "shop-2", "v2", 4)
    rows(database_url, RUNNING, "d", "dbos-cloud-7f3a", "legacy", 2)
    for number, version in enumerate(("v1", "v2")):
        rows(database_url, VERSION, version, version, number + 1, 1_795_000_000_000 + number * 86_400_000)
    rows(database_url, STRANDED, "order-17", "order-17")
    rows(database_url, STRANDED, "order-18", "order-18")
    rows(database_url, DEAD, "order-", "checkout", 7)
    rows(database_url, "VACUUM ANALYZE")
    for path in ("executors", "versions", "dead", "storage"):
        page.goto(f"{console_url}/{path}")
        page.locator("main table").first.wait_for()
        shoot(path)
        assert_accessible(page)


def test_a_run_that_was_requeued_is_tried_again(
    database_url: str, client: DBOSClient, console_url: str, page: Page
) -> None:
    client.enqueue(EnqueueOptions(workflow_name="send", queue_name="emails", workflow_id="a1"))
    rows(
        database_url,
        "UPDATE dbos.workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', recovery_attempts = 51",
    )
    app = App("shop", system_database_url=database_url)
    app.queue("emails")

    @app.workflow(name="send")
    async def send() -> str:
        return "sent"

    with app:
        page.goto(f"{console_url}/dead")
        page.get_by_label("Pick a1").check()
        page.get_by_role("button", name="Requeue what is ticked").click()
        page.get_by_text("Requeued 1 of 1.").wait_for()
        settled(lambda: client.get_workflow("a1").status == "SUCCESS")
