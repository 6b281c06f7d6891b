"""`durably doctor`: what it says, in which form, and with which exit code."""

from __future__ import annotations

import pytest

from tests.cli.shell import Durably
from tests.engine.support import rows


@pytest.fixture
def bare(system: Durably, database_url: str) -> Durably:
    """On a database that only DBOS has used."""
    rows(database_url, "DROP SCHEMA durably CASCADE")
    return system


def test_findings_are_a_table_for_a_pipe_and_a_document_for_a_program(system: Durably) -> None:
    found = system("doctor", "--json").json
    assert found[0]["check"] == "connection"
    assert set(found[0]) == {"check", "level", "seen", "advice", "examples"}
    table = [line.split("\t") for line in system("doctor").lines]
    assert table[0] == ["level", "check", "seen", "advice", "examples"]
    assert [row[1] for row in table[1:]] == [each["check"] for each in found]


def test_a_database_of_dbos_alone_can_be_diagnosed(bare: Durably) -> None:
    extension = next(each for each in bare("doctor", "--json").json if each["check"] == "extension")
    assert extension["level"] == "warning"


def test_something_wrong_is_exit_code_1(system: Durably, database_url: str) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name) "
        "VALUES ('w-1', 'ENQUEUED', 'w', 'no-such-queue')",
    )
    done = system("doctor")
    assert done.code == 1
    assert any(line.startswith("error\tqueues\t1 workflow nobody can start") for line in done.lines)


def test_a_server_that_is_gone_is_a_finding_and_no_crash(nowhere: Durably) -> None:
    url = "postgresql://127.0.0.1:1/shop"
    done = nowhere("doctor", "--json", "--system-database-url", url)
    assert done.code == 1
    assert [each["check"] for each in done.json] == ["connection"]
    assert done.json[0]["seen"].startswith("refused")
    assert done.err == ""


def test_no_database_at_all_says_how_to_name_one(nowhere: Durably) -> None:
    done = nowhere("doctor")
    assert (done.code, done.out) == (4, "")
    assert "--database-url" in done.err
