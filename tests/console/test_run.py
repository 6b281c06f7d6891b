"""The run page in a real browser, on the runs of a real application."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from durably import DBOSClient, EnqueueOptions
from durably.console import Console, Open, User
from tests.console.conftest import served
from tests.console.runs import application
from tests.support.databases import Databases

TABS = ("timeline", "children", "messages", "events", "streams", "attempts", "raw")


@dataclass(frozen=True)
class Office:
    """The application that runs, a client, and a console."""

    client: DBOSClient
    url: str
    console: str

    def begin(self, workflow: str, workflow_id: str, *args: Any, **options: Any) -> None:
        self.client.enqueue(
            EnqueueOptions(workflow_name=workflow, queue_name="tickets", workflow_id=workflow_id, **options),
            *args,
        )

    def ended(self, workflow: str, workflow_id: str, *args: Any, **options: Any) -> None:
        self.begin(workflow, workflow_id, *args, **options)
        self.client.wait_first([self.client.retrieve_workflow(workflow_id)], timeout=30)

    def run(self, workflow_id: str, **more: str) -> str:
        query = "".join(f"&{name}={quote(value)}" for name, value in more.items())
        return f"{self.console}/run?id={quote(workflow_id)}{query}"


@pytest.fixture(scope="module")
def office(databases: Databases) -> Iterator[Office]:
    url = databases.migrated()
    with (
        application(url),
        DBOSClient.create(system_database_url=url) as client,
        served(Console(system_database_url=url)) as console,
    ):
        yield Office(client, url, console)
    databases.drop(url)


def state_of(page: Page, word: str) -> None:
    expect(page.locator(".run-title .state")).to_have_text(word)


def press(page: Page, key: str) -> None:
    page.wait_for_load_state()  # then its script listens
    page.keyboard.press(key)


def test_why_a_run_failed_and_a_fork_with_an_edited_input(office: Office, page: Page) -> None:
    office.ended("purchase", "sold-out", "Stonebraker", ["a1", "gone"], attributes={"customer": 17})
    page.goto(office.run("sold-out"))
    state_of(page, "Failed")
    failure = page.locator("main > #live > .failure")
    expect(failure).to_contain_text("SoldOut")
    expect(failure).to_contain_text("sold out: a1, gone")
    expect(page.locator("tr#step-3")).to_contain_text("Failed")

    press(page, "f")
    page.get_by_label("Input").fill('["Stonebraker", ["a1", "a2"]]')
    page.get_by_label("From operation").fill("1")
    page.get_by_role("button", name="Fork").click()
    page.get_by_text("Forked: this is the fork.").wait_for()
    expect(page.locator(".facts")).to_contain_text("sold-out")
    state_of(page, "Succeeded")  # without a reload
    expect(page.locator(".pair")).to_contain_text("shipped a2")


def test_a_fork_from_a_step_with_an_edited_outcome(office: Office, page: Page) -> None:
    office.ended("purchase", "dear", "Stonebraker", ["b1"])
    page.goto(office.run("dear"))
    page.get_by_role("link", name="Fork from operation 3").click()
    page.locator("details.kept", has_text="charge").locator("summary").click()
    page.get_by_label("Outcome of operation 1").fill("1000")
    page.get_by_role("button", name="Fork").click()
    state_of(page, "Succeeded")
    expect(page.locator("tr#step-1")).to_contain_text("edited")
    expect(page.locator("tr#step-1")).to_contain_text("1000")
    expect(page.locator(".pair")).to_contain_text('"total": 1000')


def test_what_was_typed_stays_when_a_fork_is_refused(office: Office, page: Page) -> None:
    office.ended("purchase", "kept", "Stonebraker", ["c1"])
    page.goto(f"{office.console}/run/fork?id=kept&step=99")
    page.get_by_label("Input").fill('["Stonebraker", ')
    page.get_by_role("button", name="Fork").click()
    expect(page.locator(".field-error")).to_contain_text("Not JSON")
    assert page.get_by_label("Input").input_value() == '["Stonebraker", '
    page.get_by_label("Input").fill('["Stonebraker", []]')
    page.get_by_role("button", name="Fork").click()
    expect(page.locator(".failure")).to_contain_text("has no operation 99 to begin from")
    assert page.get_by_label("Input").input_value() == '["Stonebraker", []]'


def test_a_message_lets_a_waiting_run_go_on(office: Office, page: Page) -> None:
    office.begin("approval", "waiting", "order-1")
    assert office.client.get_event("waiting", "status", 20)["stage"] == "waiting"
    page.goto(office.run("waiting", tab="messages"))
    state_of(page, "Running")
    page.get_by_label("Topic").fill("approval")
    page.locator("textarea[name=message]").fill('{"ok": tru')
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".field-error")).to_contain_text("Not JSON")
    assert page.get_by_label("Topic").input_value() == "approval"
    page.locator("textarea[name=message]").fill('{"ok": true}')
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Sent on topic approval.").wait_for()
    state_of(page, "Succeeded")
    expect(page.locator("tbody tr")).to_contain_text("operation 3")
    page.get_by_role("link", name="Events").click()
    expect(page.locator("tbody")).to_contain_text("waiting")


def test_a_running_run_is_paused_goes_on_and_is_cancelled(office: Office, page: Page) -> None:
    office.begin("approval", "held", "order-2")
    assert office.client.get_event("held", "status", 20)["stage"] == "waiting"
    page.goto(office.run("held"))
    expect(page.locator(".notice")).to_contain_text("It runs")
    page.locator(".lanes .span.now").wait_for(state="attached")
    press(page, "p")
    page.get_by_label("Reason").fill("the bank is closed")
    page.get_by_role("button", name="Pause").click()
    state_of(page, "Paused")
    expect(page.locator(".notice")).to_contain_text("by local")
    expect(page.locator(".notice")).to_contain_text("the bank is closed")
    press(page, "p")
    page.get_by_role("button", name="Let it go on").click()
    state_of(page, "Running")
    press(page, "c")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled.").wait_for()
    state_of(page, "Cancelled")
    assert office.client.get_workflow("held").status == "CANCELLED"


def test_rewind_says_what_is_lost(office: Office, page: Page) -> None:
    office.ended("purchase", "again", "Stonebraker", ["d1"])
    page.goto(f"{office.console}/run/rewind?id=again&step=3")
    last = office.client.summarize_steps("again").last_id
    expect(page.locator(".notice")).to_contain_text(f"operations 3 to {last} is lost")
    page.get_by_role("button", name="Rewind").click()
    expect(page.locator(".field-error")).to_contain_text("you know what is lost")
    page.get_by_label("I know what is lost").check()
    page.get_by_role("button", name="Rewind").click()
    page.get_by_text("Rewound.").wait_for()
    state_of(page, "Succeeded")


def test_a_run_is_deleted_by_who_types_its_id(office: Office, page: Page) -> None:
    office.ended("purchase", "old one", "Stonebraker", [])
    page.goto(f"{office.console}/run/delete?id=old%20one")
    page.get_by_label("Type its id").fill("another")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".field-error")).to_contain_text("nothing was deleted")
    page.get_by_label("Type its id").fill("old one")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/runs")
    page.goto(office.run("old one"))
    expect(page.locator("main")).to_contain_text("no workflow has the id 'old one'")


def test_a_viewer_sees_no_buttons_and_no_payloads(office: Office, page: Page) -> None:
    office.ended("purchase", "private", "Stonebraker", ["secret-seat"])
    viewer = Open(User(name="vera", role="viewer", sees_payloads=False))
    with served(Console(system_database_url=office.url, access=viewer)) as console:
        for tab in TABS:
            page.goto(f"{console}/run?id=private&tab={tab}")
            state_of(page, "Succeeded")
            assert "secret-seat" not in page.content(), tab
            assert page.locator("main form, main button:not([data-copy])").count() == 0, tab
        page.goto(f"{console}/run?id=private")
        expect(page.locator(".pair")).to_contain_text("hidden for your role")
        for path in ("cancel", "fork", "delete", "payload"):
            assert httpx.get(f"{console}/run/{path}?id=private").status_code == 403, path
        page.goto(f"{console}/run/python?id=private")
        assert "secret-seat" not in page.content()


def test_copied_programs_run(office: Office, page: Page) -> None:
    office.ended("purchase", "model", "Stonebraker", ["e1"], attributes={"customer": 17})
    page.goto(f"{office.console}/run/python?id=model&step=3")
    programs = page.locator("pre.payload").all_text_contents()
    assert len(programs) == 3
    environment = {**os.environ, "DBOS_SYSTEM_DATABASE_URL": office.url}
    said = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        for program in programs
    ]
    assert "shipped e1" in said[0]
    again, fork = office.client.get_workflow(said[1]), office.client.get_workflow(said[2])
    assert again.input == office.client.get_workflow("model").input
    assert again.attributes == {"customer": 17}
    assert fork.forked_from == "model"


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_looks_right(office: Office, page: Page, shoot: Callable[[str], None], tab: str) -> None:
    if office.client.list_step_records("shown") == []:
        office.ended("purchase", "shown", "Stonebraker", ["f1", "f2"], attributes={"customer": 17})
        office.client.send("shown", {"note": "late"}, topic="notes")
    page.goto(office.run("shown", tab=tab))
    state_of(page, "Succeeded")
    page.locator("#live table, #live .timeline, #live .family, #live .pair").first.wait_for()
    shoot(f"run-{tab}")
    found = Axe().run(page)
    grave = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert grave == [], [(each["id"], [node["target"] for node in each["nodes"]]) for each in grave]


def test_the_forms_look_right(office: Office, page: Page, shoot: Callable[[str], None]) -> None:
    office.ended("purchase", "formed", "Stonebraker", ["gone"])
    office.begin("approval", "forming", "order-3")
    assert office.client.get_event("forming", "status", 20)["stage"] == "waiting"
    shots = {
        "fork": "run/fork?id=formed&step=3", "rewind": "run/rewind?id=formed&step=3",
        "python": "run/python?id=formed", "failed": "run?id=formed", "running": "run?id=forming",
        "pause": "run/pause?id=forming", "send": "run/send?id=forming",
    }  # fmt: skip
    for name, path in shots.items():
        page.goto(f"{office.console}/{path}")
        page.locator("h1").wait_for()
        shoot(f"run-{name}")
        found = Axe().run(page)
        grave = [each for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
        assert grave == [], [(each["id"], [node["target"] for node in each["nodes"]]) for each in grave]
    office.client.cancel_workflow("forming")
