"""`durably version`, and the verbs of `durably workflow` for what is between two versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.cli.conftest import uri
from tests.cli.shell import Durably
from tests.support.databases import Databases

URL = "DURABLY_SYSTEM_DATABASE_URL"
FOR_EVER = 253402128000000


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[Durably]:
    """A database with two versions of an application, and a workflow that is stranded."""
    url = databases.migrated()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO dbos.application_versions (version_id, version_name, version_timestamp, created_at, "
            "application_name) VALUES ('1', 'blue', 1000, 1000, 'shop'), ('2', 'green', 2000, 2000, 'shop')"
        )
        connection.execute(
            "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, application_name, "
            "application_version, delay_until_epoch_ms) "
            f"VALUES ('w-1', 'DELAYED', 'buy', 'q', 'shop', 'blue', {FOR_EVER})"
        )
        connection.execute(
            "INSERT INTO durably.stranded_workflows (workflow_uuid, application_name, function_id, asked, "
            "recorded, difference, code, code_changed, met, executor_id) VALUES ('w-1', 'shop', 3, 'refund', "
            "'charge', 'they differ', 'c0de', true, '{c0de}', 'e')"
        )
    yield Durably({URL: uri(url)})
    databases.drop(url)


def test_versions_are_listed_and_one_is_made_the_latest(house: Durably) -> None:
    listed = house("version", "list")
    assert listed.lines[0].split("\t") == [
        "version_name",
        "application_name",
        "latest_since",
        "created_at",
        "executors",
    ]
    assert [line.split("\t")[:2] for line in listed.lines[1:]] == [["green", "shop"], ["blue", "shop"]]
    assert house("version", "latest", "--json").json["version_name"] == "green"
    done = house("version", "set-latest", "blue")
    assert (done.code, done.out) == (0, "blue is the latest\n")
    assert house("version", "latest").lines[1].startswith("blue\tshop\t")
    assert house("version", "set-latest", "green", "--json").json["version_name"] == "green"
    assert [v["version_name"] for v in house("version", "list", "--json").json] == ["green", "blue"]


def test_a_version_that_is_not_there_is_3(house: Durably) -> None:
    done = house("version", "set-latest", "red")
    assert done.code == 3
    assert "no application has registered the version 'red' here" in done.err
    assert house("workflow", "move", "w-1", "--to", "red").code == 3


def test_a_stranded_workflow_is_listed_shown_and_moved(house: Durably, new_id: Callable[[], str]) -> None:
    listed = house("workflow", "stranded")
    header = ["workflow_id", "name", "function_id", "recorded", "asked", "stranded_at"]
    assert listed.lines[0].split("\t") == header
    assert [line.split("\t")[:5] for line in listed.lines[1:]] == [["w-1", "buy", "3", "charge", "refund"]]
    [shown] = house("workflow", "stranded", "--json", "--name", "buy").json
    assert shown["explanation"].startswith("stranded: they differ")
    assert "stranded: they differ" in house("workflow", "get", "w-1").out
    assert house("workflow", "stranded", "--name", "other", "--json").json == []
    missing = new_id()
    moved = house("workflow", "move", "w-1", missing, "--to", "green")
    assert moved.lines == ["w-1 moved", f"{missing} not moved: it runs, has ended, or does not exist"]
    found: dict[str, Any] = house("workflow", "get", "w-1", "--json").json
    assert (found["status"], found["app_version"]) == ("ENQUEUED", "green")
    assert house("workflow", "move", "w-1", "--to-latest", "-o", "ids").out == "w-1\n"
    assert house("workflow", "get", "w-1", "--json").json["app_version"] is None


def test_where_to_is_asked(house: Durably) -> None:
    for options in ([], ["--to", "green", "--to-latest"]):
        done = house("workflow", "move", "w-1", *options)
        assert (done.code, done.err) == (2, "durably: where to? give --to VERSION, or --to-latest\n")
