"""`durably schedule` on a database without workers."""

from __future__ import annotations

import pytest

from tests.cli.shell import Durably
from tests.engine.support import status


def test_a_schedule_from_its_creation_to_its_end(database_url: str) -> None:
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})
    assert durably("schedule", "list", "--json").json == []
    made = durably(
        *("schedule", "create", "nightly", "report", "30 2 * * *", "--timezone", "Europe/Berlin"),
        *("--context", '{"a": 1}', "--overlap", "skip", "--json"),
    ).json
    assert (made["schedule_name"], made["context"], made["overlap"]) == ("nightly", {"a": 1}, "skip")
    assert "nightly" in durably("schedule", "list").out
    assert len(durably("schedule", "preview", "nightly", "--count", "3").out.splitlines()) == 3
    assert durably("schedule", "pause", "nightly").out == "nightly is paused\n"
    assert durably("schedule", "list", "--status", "PAUSED", "--json").json[0]["next_fire_at"] is None
    assert durably("schedule", "resume", "nightly").out == "nightly goes on\n"
    run = durably("schedule", "trigger", "nightly").out.strip()
    assert status(database_url, run) == "ENQUEUED"
    filled = durably("schedule", "backfill", "nightly", "2026-11-01", "2026-11-03").out
    assert filled.splitlines() == [
        "sched-nightly-2026-11-01T02:30:00+01:00",
        "sched-nightly-2026-11-02T02:30:00+01:00",
    ]
    assert "ACTIVE" in durably("schedule", "show", "nightly").out
    assert durably("schedule", "delete", "nightly").out == "nightly is deleted\n"
    assert durably("schedule", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "s", "w", "nonsense"], "not a cron expression"),
        (["create", "s", "w", "* * * * *", "--context", "{"], "--context is not JSON"),
        (["backfill", "s", "today", "2026-11-03"], "START today: give an instant such as"),
        (["delete", "s"], "there is no schedule 's'"),
    ],
)
def test_what_cannot_be_done_is_told(database_url: str, arguments: list[str], message: str) -> None:
    durably = Durably({"DURABLY_SYSTEM_DATABASE_URL": database_url})
    done = durably("schedule", *arguments)
    assert done.code != 0 and message in done.err
