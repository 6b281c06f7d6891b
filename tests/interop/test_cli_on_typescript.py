"""Every command that looks, on a database that the real TypeScript application made and filled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest

from durably import DBOSClient, errors
from tests.cli.shell import Durably
from tests.interop import harness
from tests.interop.application_suite import DATE, authority, interop, ticket
from tests.interop.conftest import Place

READING = """
workflow list
workflow list --status SUCCESS --queue ticketQueue --name purchaseTicket
workflow list --status ERROR -o ids
workflow list --payloads -o jsonl
workflow count
workflow get {ticket}
workflow get {failed} -o json
workflow steps {ticket}
workflow messages {ticket}
workflow events {ticket}
workflow events {ticket} --latest
workflow streams {ticket}
workflow generations {ticket}
workflow tree {parent}
workflow stranded
workflow result {ticket}
workflow wait {ticket} {parent}
event {ticket} status
queue list
queue stats
queue get ticketQueue
queue activity
queue backlog ticketQueue
schedule list
dead-letter list
executor list
version list
version latest
db check
db url --system
db storage
doctor
top --once
workflow cancel --status active --dry-run
workflow delete --status SUCCESS --dry-run
dead-letter requeue --dry-run
""".strip().splitlines()
FORMS = ("table", "json", "jsonl", "ids")


@pytest.fixture(scope="module")
def peer(place: Place, start: Callable[[Callable[[], harness.Process]], harness.Process]) -> harness.Process:
    return start(
        lambda: harness.typescript_app(place.system_url, APP_NAME="tickets-ts", EXECUTOR_ID="peer-1")
    )


@pytest.fixture(scope="module")
def ids(place: Place, peer: harness.Process) -> Iterator[dict[str, str]]:
    """What the application has done."""
    with DBOSClient.create(place.database_url) as client:
        bought = client.enqueue(ticket("bought"), "Stonebraker", ["a1"], DATE)
        assert client.get_event("bought", "status", timeout_seconds=20) is not None
        client.send("bought", {"ok": True}, topic="approval")
        bought.get_result(timeout=20)
        client.enqueue(interop("parent", workflow_id="parent"), 3).get_result(timeout=20)
        failed = client.enqueue(authority("failPlain", workflow_id="failed"), "so it goes")
        with pytest.raises(errors.WorkflowFailed, match="so it goes"):
            failed.get_result(timeout=20)
    yield {"ticket": "bought", "parent": "parent", "failed": "failed"}


@pytest.fixture(scope="module")
def durably(place: Place) -> Durably:
    return Durably({"DURABLY_DATABASE_URL": place.database_url})


@pytest.mark.usefixtures("show_log")
@pytest.mark.parametrize("line", READING)
def test_a_command_that_looks(durably: Durably, ids: dict[str, str], line: str) -> None:
    done = durably(*line.format(**ids).split())
    expected = (0, 1) if line == "doctor" else (0,)
    assert done.code in expected, done.err
    assert done.out or done.err


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_its_workflows(durably: Durably, ids: dict[str, str], form: str) -> None:
    out = durably("workflow", "list", "--name", "purchaseTicket", "-o", form).out
    assert "bought" in out
    if form == "jsonl":
        assert [json.loads(line)["workflow_id"] for line in out.splitlines()] == ["bought"]


def test_children_are_found_and_the_doctor_names_what_is_missing(
    durably: Durably, ids: dict[str, str]
) -> None:
    assert len(durably("workflow", "tree", "parent").lines) > 1
    found = {each["check"]: each for each in durably("doctor", "-o", "json").json}
    assert found["extension"]["level"] == "warning"
    assert found["indexes"]["level"] == "ok", found["indexes"]
    assert found["schema"]["level"] in ("ok", "warning"), found["schema"]  # as old as its SDK makes it


def test_what_needs_more_says_what_to_do(durably: Durably, ids: dict[str, str]) -> None:
    assert durably("explain", "bought").out == "SUCCESS, ended: it has ended: SUCCESS\n"
    done = durably("queue", "pause", "ticketQueue")
    assert (done.code, done.out) == (4, "")
    assert "run `durably db migrate`" in done.err


def test_looking_has_made_nothing(durably: Durably, ids: dict[str, str], place: Place) -> None:
    with psycopg.connect(place.system_url) as connection:
        answer = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'durably'").fetchone()
    assert answer == (0,)
