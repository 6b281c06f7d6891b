"""Who may call the API: programs by token, browsers by session; and the audit has what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest

from durably import DBOSClient
from durably.console import Accounts, Api, Console, ReadOnly, User
from durably.console.access import Open
from tests.console.api import served_api
from tests.console.conftest import served
from tests.console.test_access import PASSWORD, login
from tests.console.test_api import WORK, enqueued, problem
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def system_url(databases: Databases) -> Iterator[str]:
    url = databases.migrated()
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def client(system_url: str) -> Iterator[DBOSClient]:
    with DBOSClient.create(system_database_url=system_url) as client:
        client.create_account("ada", password=PASSWORD, role="operator")
        yield client


@pytest.fixture(scope="module")
def url(system_url: str, client: DBOSClient) -> Iterator[str]:
    """A console with accounts."""
    with served(Console(system_database_url=system_url, access=Accounts())) as url:
        yield url


@pytest.fixture
def as_user(system_url: str) -> Iterator[Callable[..., httpx.Client]]:
    """A client for whom everybody is this user."""
    with ExitStack() as stack:

        def client(**user: Any) -> httpx.Client:
            url = stack.enter_context(served_api(system_url, access=Open(User(name="ada", **user))))
            return stack.enter_context(httpx.Client(base_url=url, timeout=30))

        yield client


def by(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url + "/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Bearer durably_wrong", "Basic YTpi", "bearer durably_\u00e9".encode()],
)
def test_whoever_has_no_valid_token_is_refused(url: str, authorization: str | bytes | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("GET", "/workflows"), ("POST", "/workflow"), ("GET", "/doctor")):
        answer = httpx.request(method, f"{url}/api/v1{path}", headers=headers)  # type: ignore[arg-type]
        assert problem(answer, 401) and answer.headers["www-authenticate"] == "Bearer"


def test_a_token_may_what_its_role_may_until_it_is_revoked(url: str, client: DBOSClient) -> None:
    viewer = client.create_token("dashboard", role="viewer", sees_payloads=False)
    operator = client.create_token("deploy", role="operator")
    with by(url, viewer.secret) as looks, by(url, operator.secret) as acts:
        assert acts.post("/workflow", json={**WORK, "workflow_id": "by-token", "args": ["s3cret"]}).is_success
        assert looks.get("/workflow", params={"id": "by-token"}).json()["input"] is None
        assert problem(looks.post("/workflow/cancel", params={"id": "by-token"}), 403)
        assert problem(acts.get("/tokens"), 403)
        client.revoke_token(operator.token.token_id)
        assert problem(acts.get("/workflows"), 401)


def test_an_admin_makes_and_revokes_tokens(url: str, client: DBOSClient) -> None:
    with by(url, client.create_token("root", role="admin").secret) as admin:
        made = admin.post("/token", json={"name": "made", "role": "viewer"}).json()
        assert made["secret"] not in admin.get("/tokens").text
        with by(url, made["secret"]) as viewer:
            assert viewer.get("/workflows").status_code == 200
            revoked = admin.delete("/token", params={"id": made["token"]["token_id"]})
            assert revoked.json()["changed"] is True
            assert problem(viewer.get("/workflows"), 401)
        assert problem(admin.delete("/token", params={"id": "nothing"}), 404)
        entries = admin.get("/audit", params={"kind": "token"})
        assert made["secret"] not in entries.text
        assert [entry["verb"] for entry in entries.json()["entries"]] == ["revoke", "revoke", "create"]


def test_the_audit_has_what_was_done_and_what_failed(url: str, client: DBOSClient) -> None:
    with by(url, client.create_token("robot", role="operator").secret) as robot:
        robot.put("/queue", params={"name": "audited"}, json={"concurrency": 2})
        robot.post("/queue/pause", params={"name": "nothing"}, json={"reason": "because"})
        body = {"message": "s3cret", "topic": "t"}
        robot.post("/workflow/message", params={"id": "nobody"}, json=body)
    sent, paused, registered = client.list_audit(who="robot")
    assert (registered.verb, registered.targets, registered.outcome) == ("register", ("audited",), "done")
    assert (paused.verb, paused.outcome, paused.detail["reason"]) == ("pause", "failed", "because")
    assert (sent.verb, sent.kind, sent.outcome) == ("send", "workflow", "failed")
    assert {entry.source for entry in (sent, paused, registered)} == {"api"}
    assert "s3cret" not in str(client.list_audit())


def test_a_browser_that_is_logged_in_needs_its_token(url: str) -> None:
    with httpx.Client(base_url=url) as browser:
        assert login(browser).status_code == 303
        assert browser.get("/api/v1/workflows").status_code == 200
        assert problem(browser.post("/api/v1/workflow", json=WORK), 403)
        token = {"X-CSRF-Token": browser.cookies["durably_csrf"]}
        assert browser.post("/api/v1/workflow", json=WORK, headers=token).is_success


def test_a_console_that_only_shows_only_shows(system_url: str, client: DBOSClient) -> None:
    secret = client.create_token("chief", role="admin").secret
    with served(Api(system_database_url=system_url, access=ReadOnly(Accounts()))) as url:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}) as admin:
            assert admin.get("/workflows").status_code == 200
            assert problem(admin.post("/workflow", json=WORK), 403)


def test_the_document_says_whether_a_token_is_needed(url: str, system_url: str) -> None:
    assert httpx.get(f"{url}/api/v1/openapi.json").json()["security"] == [{"bearer": []}]
    with served_api(system_url) as open_:
        assert httpx.get(f"{open_}/openapi.json").json()["security"] == []


def test_a_viewer_looks_and_does_nothing(as_user: Callable[..., httpx.Client]) -> None:
    enqueued(as_user(role="operator"), "seen")
    viewer = as_user(role="viewer")
    assert viewer.get("/workflow", params={"id": "seen"}).status_code == 200
    for refused in (
        viewer.post("/workflow", json=WORK),
        viewer.delete("/workflow", params={"id": "seen"}),
        viewer.post("/workflow/cancel", params={"id": "seen"}),
    ):
        assert "viewer" in problem(refused, 403)["detail"]
    assert problem(as_user(role="operator").delete("/queue", params={"name": "x"}), 403)


def test_payloads_are_hidden_from_who_may_not_see_them(
    system_url: str, as_user: Callable[..., httpx.Client]
) -> None:
    api = as_user(role="operator")
    enqueued(api, "secret", args=["s3cret"], attributes={"team": "a"})
    api.post("/workflow/message", params={"id": "secret"}, json={"message": "s3cret"})
    with psycopg.connect(system_url, autocommit=True) as connection:
        for row in ("workflow_events (workflow_uuid, key, value) VALUES ('secret', 'k', '\"s3cret\"')",):
            connection.execute(f"INSERT INTO dbos.{row}".encode())
    hidden = as_user(role="viewer", sees_payloads=False)
    shown = ("", "/result", "/events", "/events/history", "/messages", "/steps", "/streams", "/payloads")
    paths = (*shown, "/events/records", "/messages/records", "/steps/records", "/attempts")
    for path in paths:
        answer = hidden.get(f"/workflow{path}", params={"id": "secret"})
        assert answer.status_code in (200, 202) and "s3cret" not in answer.text, path
    listed = hidden.get("/workflows", params={"load_input": "true", "workflow_ids": "secret"})
    assert listed.status_code == 200 and "s3cret" not in listed.text
    assert "s3cret" in api.get("/workflow", params={"id": "secret"}).text
