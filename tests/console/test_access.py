"""Who gets into the console, and what it refuses, by plain requests."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount

from durably import DBOSClient
from durably.console import Accounts, Console, Open, ReadOnly
from durably.console.accounts import MOST_OF_PAIR
from durably.console.pages import PAGES
from durably.console.visit import Visit, action
from tests.console.conftest import served
from tests.engine.support import rows

PASSWORD = "correct horse battery"


@action("/shout")
async def shout(visit: Visit) -> Response:
    """An action that does something, or fails at it."""
    word = str((await visit.form()).get("word", ""))

    async def call() -> str:
        if word == "bad":
            raise ValueError("no such word")
        return word.upper()

    await visit.act("shout", "word", word, call, detail={"loud": True}, did=lambda said: f"said {said}")
    return visit.go("/", say=word)


@pytest.fixture(autouse=True)
def with_shout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durably.console.app.PAGES", (*PAGES, shout))


@pytest.fixture
def client(database_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=database_url) as client:
        client.create_account("ada", password=PASSWORD, role="operator")
        client.create_account("vic", password=PASSWORD, sees_payloads=False)
        yield client


@pytest.fixture
def url(database_url: str, client: DBOSClient) -> Iterator[str]:
    """A console where people log in."""
    with served(Console(system_database_url=database_url, access=Accounts())) as url:
        yield url


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def login(
    browser: httpx.Client, name: str = "ada", password: str = PASSWORD, to: str = "/"
) -> httpx.Response:
    form = browser.get("/login")
    fields = {"name": name, "password": password, "next": to, "csrf_token": token_of(form.text)}
    return browser.post("/login", data=fields)


def test_whoever_is_not_logged_in_goes_to_the_login_page(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        asked = browser.get("/run?id=a%26b")
        assert asked.status_code == 303
        assert asked.headers["location"] == "/login?next=%2Frun%3Fid%3Da%2526b"
        assert browser.get(asked.headers["location"]).status_code == 200
        assert 'value="/run?id=a%26b"' in browser.get(asked.headers["location"]).text
        assert browser.post("/shout").status_code == 403


def test_a_login_leads_to_where_one_wanted_to_be(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        answer = login(browser, to="/runs?status=ERROR")
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs?status=ERROR")
        cookie = answer.headers["set-cookie"]
        assert "durably_session=" in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie
        assert "Path=/;" in cookie
        assert browser.get("/").status_code == 200
        assert login(browser, to="https://example.com/").headers["location"] == "/"


def test_a_session_is_secure_where_the_connection_is(database_url: str, client: DBOSClient) -> None:
    console = Console(system_database_url=database_url, access=Accounts())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await console.aclose()

    application = Starlette(routes=[Mount("/ops", console)], lifespan=lifespan)
    with served(application) as url, httpx.Client(base_url=f"{url}/ops/") as browser:
        form = browser.get("login")
        fields = {"name": "ada", "password": PASSWORD, "csrf_token": token_of(form.text)}
        behind = browser.post("login", data=fields, headers={"X-Forwarded-Proto": "https"})
        assert behind.headers["location"] == "/ops/"
        assert "Secure" in behind.headers["set-cookie"] and "Path=/ops;" in behind.headers["set-cookie"]


def test_a_wrong_password_tells_nothing(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        wrong, nobody = login(browser, password="wrong"), login(browser, name="nobody")
        assert wrong.status_code == nobody.status_code == 401
        assert "Name or password are wrong" in wrong.text and "Name or password are wrong" in nobody.text
        assert "durably_session" not in wrong.headers.get("set-cookie", "")


def test_guessing_is_stopped(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        codes = [login(browser, password=f"guess {n}").status_code for n in range(MOST_OF_PAIR)]
        assert codes == [401] * MOST_OF_PAIR
        stopped = login(browser)  # the right one, and still
        assert stopped.status_code == 429
        assert int(stopped.headers["retry-after"]) > 60
        assert "Too many attempts" in stopped.text
        assert login(browser, name="vic").status_code == 303


def test_logging_out_ends_the_session(url: str, database_url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        login(browser)
        session = browser.cookies["durably_session"]
        page = browser.get("/")
        assert browser.post("/logout", data={"csrf_token": token_of(page.text)}).status_code == 303
        browser.cookies.set("durably_session", session)
        assert browser.get("/").status_code == 303
    assert rows(database_url, "SELECT count(*) FROM durably.console_sessions") == [(0,)]


def test_a_session_that_is_over_is_nobodys(url: str, database_url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        login(browser)
        assert browser.get("/").status_code == 200
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE durably.console_sessions SET expires_at = now()")
        assert browser.get("/").status_code == 303
        with browser.stream("GET", "/live?of=/") as events:
            assert "event: leave" in next(events.iter_text())


def test_a_role_that_was_taken_away_is_gone_at_once(url: str, client: DBOSClient) -> None:
    with httpx.Client(base_url=url) as browser:
        login(browser)
        token = token_of(browser.get("/").text)
        assert browser.post("/shout", data={"csrf_token": token, "word": "hi"}).status_code == 303
        client.update_account("ada", role="viewer")
        refused = browser.post("/shout", data={"csrf_token": token, "word": "hi"})
        assert refused.status_code == 403
        assert "ada is a viewer; this needs the role operator" in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": "made up"},
    ],
)
def test_a_forged_post_does_nothing(url: str, database_url: str, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=url) as browser:
        login(browser)
        token = token_of(browser.get("/").text)
        answer = browser.post("/shout", data={"csrf_token": token, "word": "hi"}, headers=headers)
        assert answer.status_code == 403
        assert "nothing was done" in answer.text
    assert rows(database_url, "SELECT count(*) FROM durably.audit WHERE verb = 'shout'") == [(0,)]


def test_what_is_done_is_in_the_audit(url: str, client: DBOSClient) -> None:
    with httpx.Client(base_url=url) as browser:
        login(browser)
        token = token_of(browser.get("/").text)
        browser.post("/shout", data={"csrf_token": token, "word": "hi"})
        assert browser.post("/shout", data={"csrf_token": token, "word": "bad"}).status_code == 500
    failed, done = client.list_audit(verb="shout")
    assert (done.who, done.kind, done.targets, done.outcome) == ("ada", "word", ("hi",), "done")
    assert (done.did, done.detail, done.source) == ("said HI", {"loud": True}, "console")
    assert (failed.outcome, failed.did) == ("failed", "ValueError: no such word")


def test_actions_work_where_no_audit_is_kept(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA durably CASCADE")
    with served(Console(system_database_url=database_url)) as url, httpx.Client(base_url=url) as browser:
        token = "any"
        browser.cookies.set("durably_csrf", token)
        assert browser.post("/shout", data={"csrf_token": token, "word": "hi"}).status_code == 303


def test_nobody_changes_anything_read_only(database_url: str) -> None:
    access = ReadOnly(Open())
    with served(Console(system_database_url=database_url, access=access)) as url:
        with httpx.Client(base_url=url, cookies={"durably_csrf": "t"}) as browser:
            refused = browser.post("/shout", data={"csrf_token": "t", "word": "hi"})
    assert refused.status_code == 403


def test_no_secret_is_in_an_address_or_a_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with httpx.Client(base_url=url) as browser:
        answer = login(browser)
        session = browser.cookies["durably_session"]
        assert session not in answer.headers["location"] and session not in browser.get("/").text
    said = [
        record.getMessage() for record in caplog.records if record.name.startswith(("durably", "uvicorn"))
    ]
    assert not any(PASSWORD in text or session in text for text in said)


def test_where_nobody_logs_in_there_is_no_login(console_url: str) -> None:
    assert httpx.get(f"{console_url}/login").status_code == 404


def test_a_console_of_this_machine_answers_to_no_other_name(database_url: str) -> None:
    hosts = ["localhost", "127.0.0.1", "::1"]
    with served(Console(system_database_url=database_url, hosts=hosts)) as url:
        assert httpx.get(url).status_code == 200
        for host in ("example.com", "127.0.0.1.example.com", "", "[::1", "localhost@example.com"):
            assert httpx.get(url, headers={"Host": host}).status_code == 421, host
        assert httpx.get(url, headers={"Host": "[::1]:80"}).status_code == 200
