"""Queues: seen, paused, drained, limited, registered and deleted at the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from durably import App, DBOSClient, EnqueueOptions, RateLimit, aio
from durably.console import Console, Open, User
from tests.console.conftest import served
from tests.console.support import assert_accessible, post, settled
from tests.engine.support import rows

HOSTILE = '<script>alert("q")</script> ‮ /?&=%'
PENDING = "SELECT count(*) FROM dbos.workflow_status WHERE status = 'PENDING' AND queue_name = 'emails'"
FILL = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, executor_id, created_at, "
    "queue_partition_key) SELECT %s || n, %s, 'send', %s, %s, "
    "(EXTRACT(epoch FROM now()) * 1000)::bigint - n * 1000, %s FROM generate_series(1, %s) n"
)
DONE = (
    "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, started_at_epoch_ms, "
    "completed_at) SELECT 'd' || n, 'SUCCESS', 'send', %s, t - 90000 * random(), t FROM (SELECT n, "
    "(EXTRACT(epoch FROM now()) * 1000)::bigint - (n * n %% 3500) * 1000 AS t "
    "FROM generate_series(1, 900) n) d"
)


@pytest.fixture
def app(database_url: str) -> Iterator[App]:
    """A worker with a queue `emails`, whose runs wait for a message."""
    app = App("shop", system_database_url=database_url)
    app.queue("emails")

    @app.workflow(name="send")
    async def send() -> None:
        await aio.recv("go", timeout=None)

    with app:
        yield app


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        yield client


def enqueue(client: DBOSClient, workflow_id: str) -> None:
    client.enqueue(EnqueueOptions(workflow_name="send", queue_name="emails", workflow_id=workflow_id))


def running(url: str) -> int:
    return int(rows(url, PENDING)[0][0])


def menu(page: Page, word: str) -> None:
    page.locator("summary", has_text=word).click()


@pytest.mark.usefixtures("app")
def test_a_paused_queue_takes_nothing_until_it_is_resumed(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    enqueue(client, "w1")
    settled(lambda: running(database_url) == 1)
    page.goto(f"{console_url}/queue?name=emails")
    page.keyboard.press("p")
    page.get_by_label("Why").fill("the provider is down")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Paused emails everywhere.").wait_for()
    page.get_by_text("the provider is down").first.wait_for()
    page.get_by_text("1 still runs; nothing new starts.").wait_for()
    enqueue(client, "w2")
    page.locator(".tile", has_text="Waiting").get_by_text("1", exact=True).wait_for()  # it came by itself
    assert client.explain("w2").reason == "paused"
    assert running(database_url) == 1
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Resumed emails.").wait_for()
    settled(lambda: running(database_url) == 2)


def test_one_worker_is_drained_and_resumed(
    console_url: str, database_url: str, app: App, client: DBOSClient, page: Page
) -> None:
    enqueue(client, "w1")
    settled(lambda: running(database_url) == 1)
    page.goto(f"{console_url}/queue?name=emails")
    menu(page, "Pause")
    page.get_by_label("Where").select_option(app.executor_id)
    page.get_by_role("button", name="Drain").click()
    page.get_by_text(f"Draining emails on {app.executor_id}").wait_for()
    assert [pause.executor_id for pause in client.get_queue("emails").pauses] == [app.executor_id]
    client.send("w1", None, topic="go")
    row = page.locator("tr", has_text=app.executor_id)
    expect(row).to_contain_text("drained")
    row.get_by_role("button", name="Resume here").click()
    page.get_by_text(f"Resumed emails on {app.executor_id}.").wait_for()
    assert client.get_queue("emails").pauses == ()


@pytest.mark.usefixtures("app")
def test_a_limit_is_edited_and_holds(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    page.goto(f"{console_url}/queue?name=emails")
    page.keyboard.press("e")
    page.get_by_label("Running at once").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("concurrency='many': a whole number")
    expect(page.get_by_label("Running at once")).to_have_value("many")
    page.get_by_label("Running at once").fill("1")
    page.get_by_label("Running on one worker", exact=False).first.fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("it exceeds concurrency=1, so it would never be met")
    assert client.get_queue("emails").concurrency is None
    page.get_by_label("Running on one worker", exact=False).first.fill("1")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Changed emails: workers follow within a second.").wait_for()
    for n in range(3):
        enqueue(client, f"w{n}")
    settled(lambda: client.explain("w2").reason in ("concurrency", "behind"))
    page.locator(".meter", has_text="Running at once").get_by_text("1 of 1").wait_for()
    assert running(database_url) == 1


def test_what_another_changed_meanwhile_stays(console_url: str, client: DBOSClient, page: Page) -> None:
    client.register_queue("emails", concurrency=5, limiter=RateLimit(limit=10, period=60))
    page.goto(f"{console_url}/queue/edit?name=emails")
    client.update_queue("emails", concurrency=7)
    page.get_by_label("Rate limit: starts").fill("20")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Changed emails").wait_for()
    queue = client.get_queue("emails")
    assert (queue.concurrency, queue.limiter) == (7, RateLimit(limit=20, period=60.0))


def test_a_queue_is_registered_for_work_that_nobody_takes(
    console_url: str, database_url: str, client: DBOSClient, page: Page
) -> None:
    rows(database_url, FILL, "w", "ENQUEUED", "lost", None, None, 3)
    page.goto(f"{console_url}/queues")
    notice = page.locator(".notice", has_text="is not registered")
    expect(notice).to_contain_text("3 enqueued")
    notice.get_by_role("link", name="lost").click()
    page.get_by_role("link", name="Register this queue").click()
    page.get_by_label("Running at once").fill("4")
    page.get_by_role("button", name="Register").click()
    page.get_by_text("Registered lost.").wait_for()
    assert client.get_queue("lost").concurrency == 4
    menu(page, "Delete")
    page.get_by_text("3 runs wait on it").wait_for()
    page.get_by_role("button", name="Delete this queue").click()
    page.get_by_text("Deleted lost.").wait_for()
    assert client.list_queues() == []


def test_a_viewer_sees_no_buttons_and_is_refused(database_url: str, client: DBOSClient, page: Page) -> None:
    client.register_queue("emails", concurrency=3)
    with served(
        Console(system_database_url=database_url, access=Open(User(name="vera", role="viewer")))
    ) as url:
        for path in ("/queues", "/queue?name=emails"):
            page.goto(url + path)
            page.get_by_text("emails").first.wait_for()
            assert page.locator("main button, main summary, main form").count() == 0
        for path in ("/queue/pause", "/queue/resume", "/queue/edit", "/queue/delete"):
            answer = post(url, path, {"name": "emails"})
            assert (answer.status_code, "needs the role operator" in answer.text) == (403, True)
    assert client.get_queue("emails").pauses == ()


def test_a_hostile_name_is_text(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, "INSERT INTO dbos.queues (name) VALUES (%s)", HOSTILE)
    rows(database_url, FILL, HOSTILE, "PENDING", HOSTILE, HOSTILE, HOSTILE, 2)
    rows(database_url, FILL, "e" + HOSTILE, "ENQUEUED", HOSTILE, None, HOSTILE, 2)
    page.goto(f"{console_url}/queues")
    page.get_by_role("link", name="<script>").click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    assert page.locator("main script").count() == 0


def test_a_queue_that_is_not_there(console_url: str, page: Page) -> None:
    page.goto(f"{console_url}/queue?name=nowhere")
    page.get_by_text("no queue 'nowhere' is registered").wait_for()


def test_queues_of_a_database_without_our_schema(console_url: str, database_url: str, page: Page) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    rows(database_url, "INSERT INTO dbos.queues (name, concurrency) VALUES ('emails', 3)")
    rows(database_url, FILL, "p", "PENDING", "emails", "dbos-1", None, 2)
    page.goto(f"{console_url}/queues")
    page.get_by_role("link", name="emails").click()
    page.locator("tr", has_text="dbos-1").get_by_text("no lease").wait_for()
    menu(page, "Pause")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("durably db migrate").wait_for()


def test_queues_look_good(
    console_url: str, database_url: str, client: DBOSClient, page: Page, shoot: Callable[[str], None]
) -> None:
    page.goto(f"{console_url}/queues")
    page.get_by_text("No queue is registered").wait_for()
    shoot("queues-empty")
    client.register_queue(
        "emails", concurrency=20, worker_concurrency=5, limiter=RateLimit(limit=1000, period=60)
    )
    client.register_queue("reports", partition_concurrency=3, application_name="shop")
    client.register_queue("images", concurrency=4)
    rows(database_url, DONE, "emails")
    rows(database_url, FILL, "e", "ENQUEUED", "emails", None, None, 1234)
    rows(database_url, FILL, "p", "PENDING", "emails", "worker-a", None, 11)
    rows(database_url, FILL, "o", "PENDING", "emails", "worker-b", None, 6)
    rows(database_url, FILL, "i", "PENDING", "images", "worker-b", None, 4)
    rows(database_url, FILL, "l", "ENQUEUED", "repotrs", None, None, 12)
    for key, many in (("acme", 40), ("globex", 12), ("initech", 3)):
        rows(database_url, FILL, key, "ENQUEUED", "reports", None, key, many)
    client.pause_queue("images", reason="the model is being replaced")
    page.goto(f"{console_url}/queues")
    page.get_by_role("link", name="emails").wait_for()
    shoot("queues")
    assert_accessible(page)
    for name in ("emails", "reports", "images", "repotrs"):
        page.goto(f"{console_url}/queue?name={name}")
        page.get_by_role("heading", name="Last hour").wait_for()
        shoot(f"queue-{name}")
    page.goto(f"{console_url}/queue?name=emails")
    menu(page, "Pause")
    shoot("queue-menu")
    assert_accessible(page)
    page.goto(f"{console_url}/queue/edit?name=emails")
    page.get_by_label("Running at once").fill("zero")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()
    shoot("queue-edit")
    assert_accessible(page)
