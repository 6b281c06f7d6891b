"""`durably workflow cancel|resume|pause|unpause|delete|set-...`: by id, from a pipe, by conditions."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli.shell import COMMAND, Durably


@pytest.fixture
def three(system: Durably) -> Durably:
    """Three workflows that wait: a and b of one name, c of another."""
    for wid, name in (("a", "buy"), ("b", "buy"), ("c", "sell")):
        assert system("enqueue", name, "--queue", "orders", "--id", wid).code == 0
    return system


def statuses(system: Durably) -> dict[str, str]:
    listed = system("workflow", "list", "--oldest-first", "--json").json
    return {each["workflow_id"]: each["status"] for each in listed}


def test_one_is_paused_explained_and_unpaused(three: Durably) -> None:
    paused = three("workflow", "pause", "a", "--reason", "the bank is closed", "--by", "ada")
    assert (paused.code, paused.out) == (0, "a paused\n")
    explained = three("explain", "a")
    assert explained.out.count("it is paused by ada since 20") == 1
    assert "the bank is closed; unpause_workflow lets it go on" in explained.out
    assert "paused by ada since" in three("workflow", "get", "a").out
    [listed] = three("workflow", "list", "--paused", "--json").json
    assert listed["workflow_id"] == "a"
    assert "paused by ada" in listed["explanation"]
    again = three("workflow", "pause", "a")
    assert (again.code, again.out) == (1, "")
    assert "already paused by ada since" in again.err
    assert three("workflow", "unpause", "a").out == "a unpaused\n"
    assert three("workflow", "unpause", "a").out == "a not unpaused: it is not paused, or does not exist\n"
    assert statuses(three) == dict.fromkeys("abc", "ENQUEUED")


def test_conditions_choose_and_a_dry_run_changes_nothing(three: Durably) -> None:
    would = three("workflow", "pause", "--name", "buy", "--dry-run")
    assert (would.code, sorted(would.lines)) == (0, ["a would be paused", "b would be paused"])
    assert set(statuses(three).values()) == {"ENQUEUED"}
    done = three("workflow", "pause", "--name", "buy", "--json").json
    assert (sorted(done["paused"]), done["dry_run"]) == (["a", "b"], False)
    assert statuses(three) == {"a": "DELAYED", "b": "DELAYED", "c": "ENQUEUED"}
    assert sorted(three("workflow", "unpause", "--paused").lines) == ["a unpaused", "b unpaused"]
    assert len(three("workflow", "cancel", "--name", "buy", "--limit", "1").lines) == 1
    assert sorted(statuses(three).values()) == ["CANCELLED", "ENQUEUED", "ENQUEUED"]
    assert len(three("workflow", "resume", "--status", "cancelled", "--on", "later").lines) == 1
    nothing = three("workflow", "resume", "--name", "buy")
    assert (nothing.code, nothing.out) == (0, "")
    assert "no such workflows" in nothing.err


def test_several_ids_tell_what_was_not_done(three: Durably) -> None:
    done = three("workflow", "cancel", "a", "b", "nobody")
    assert (done.code, done.lines) == (
        0,
        ["a cancelled", "b cancelled", "nobody not cancelled: it has ended, or does not exist"],
    )
    assert three("workflow", "resume", "a", "b").lines == ["a resumed", "b resumed"]
    missing = three("workflow", "resume", "a", "nobody")
    assert missing.code == 3
    assert "'nobody'" in missing.err


def test_ids_come_from_standard_input(three: Durably) -> None:
    done = subprocess.run(
        [*COMMAND, "workflow", "pause", "-", "c"],
        input="a\n\n  b\n",
        capture_output=True,
        text=True,
        timeout=40,
        env={**os.environ, **three.environment, "NO_COLOR": "1"},
        check=True,
    )
    assert sorted(done.stdout.splitlines()) == ["a paused", "b paused", "c paused"]
    assert statuses(three) == dict.fromkeys("abc", "DELAYED")


def test_workflows_are_deleted(three: Durably) -> None:
    assert three("workflow", "delete", "a").out == "a deleted\n"
    assert three("workflow", "delete", "a").code == 3
    nothing = three("workflow", "delete", "--name", "buy")  # it has not ended
    assert (nothing.out, three("workflow", "get", "b").code) == ("", 0)
    deleted = three("workflow", "delete", "--name", "buy", "--status", "active", "--children", "--json").json
    assert deleted == {"deleted": ["b"], "count": 1, "dry_run": False}
    assert list(statuses(three)) == ["c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "which workflows? give ids, `-` to read them from standard input, or conditions"),
        (("a", "--name", "buy"), "give ids or conditions, not both"),
        (("--status", "nonsense"), "there is no such status"),
    ],
)
@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_what_chooses_nothing_is_misuse(
    system: Durably, verb: str, arguments: tuple[str, ...], message: str
) -> None:
    done = system("workflow", verb, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_delay_priority_and_attributes_are_set(three: Durably) -> None:
    assert three("workflow", "set-priority", "a", "7").out == "a changed\n"
    assert three("workflow", "get", "a", "--json").json["priority"] == 7
    assert three("workflow", "set-attributes", "a", '{"by": "ada"}').out == "a ENQUEUED\n"
    merged = three("workflow", "set-attributes", "a", '{"on": 1}', "--merge", "--json").json
    assert merged["attributes"] == {"by": "ada", "on": 1}
    assert three("workflow", "set-delay", "a", "--for", "60").out == "a not changed: it is not delayed\n"
    three("enqueue", "buy", "--queue", "orders", "--id", "d", "--delay", "60")
    delayed = three("workflow", "set-delay", "d", "--until", "2999-01-01T00:00:00+00:00", "--json").json
    assert delayed["delay_until_epoch_ms"] == 32_472_144_000_000
    assert "until when? give --for SECONDS, or --until TIME" in three("workflow", "set-delay", "d").err
    assert "is not JSON" in three("workflow", "set-attributes", "a", "{by").err
    for verb, value in (("set-priority", "1"), ("set-attributes", "{}")):
        assert three("workflow", verb, "nobody", value).code == 3
