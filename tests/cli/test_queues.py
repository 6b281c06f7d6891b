"""`durably queue` on a database without workers."""

from __future__ import annotations

import pytest

from tests.cli.shell import Durably
from tests.engine.support import enqueue, rows, status


def test_a_queue_from_its_registration_to_its_end(database_url: str) -> None:
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})
    assert durably("queue", "register", "q", "--concurrency", "3", "--rate", "10/60").out == (
        "q: concurrency 3, rate 10/60 s\n"
    )
    assert durably("queue", "set", "q", "--concurrency", "none", "--partition-concurrency", "2").out == (
        "q: rate 10/60 s, partition 2\n"
    )
    assert durably("queue", "pause", "q", "--reason", "night", DURABLY_ACTOR="ada").out.endswith(
        "; paused everywhere by ada (night)\n"
    )
    shown = durably("queue", "show", "q", "--json").json
    assert (shown["limiter"], shown["stats"]["is_paused"]) == ({"limit": 10, "period": 60.0}, True)
    assert "everywhere by ada (night)" in durably("queue", "list").out
    assert durably("queue", "resume", "q").out == "q goes on\n"
    assert durably("queue", "resume", "q").out == "q was not paused\n"
    assert durably("queue", "drain", "q").out == "nothing of q runs\n"
    assert durably("queue", "delete", "q").out == "q is deleted\n"
    assert durably("queue", "list", "--json").json == []


def test_it_is_explained_why_a_workflow_waits(database_url: str) -> None:
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})
    enqueue(database_url, "w", "job", queue="nowhere")
    assert durably("explain", "w").out.startswith("ENQUEUED, unregistered_queue: nobody has registered queue")
    assert durably("explain", "w", "--json").json["reason"] == "unregistered_queue"


def test_dead_letters_are_listed_and_go_on(database_url: str) -> None:
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})
    assert durably("dead-letter", "requeue").err == "no such workflows\n"
    enqueue(database_url, "w", "job")
    rows(database_url, "UPDATE dbos.workflow_status SET status = 'MAX_RECOVERY_ATTEMPTS_EXCEEDED'")
    assert [each["workflow_id"] for each in durably("dead-letter", "list", "--json").json] == ["w"]
    assert durably("dead-letter", "requeue", "--name", "other").err == "no such workflows\n"
    assert durably("dead-letter", "requeue", "--dry-run", "-o", "ids").out == "w\n"
    assert status(database_url, "w") == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    assert durably("dead-letter", "requeue", "w", "--on", "q").out == "w requeued\n"
    assert status(database_url, "w") == "ENQUEUED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set", "q"], "name a limit to change, such as --concurrency 5"),
        (["set", "q", "--concurrency", "some"], "--concurrency some: give a whole number, or none"),
        (["set", "q", "--rate", "5"], "--rate 5: give starts and seconds, such as 100/60, or none"),
        (["set", "q", "--concurrency", "5"], "no queue 'q' is registered"),
        (["delete", "q"], "no queue 'q' is registered"),
    ],
)
def test_what_cannot_be_done_is_told(database_url: str, arguments: list[str], message: str) -> None:
    refused = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})("queue", *arguments)
    assert refused.code != 0
    assert message in refused.err
