"""Which database is meant, and `durably db`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import uri
from tests.cli.shell import Durably
from tests.support.server import Server


def test_migrate_makes_a_database_that_check_accepts(nowhere: Durably, empty_database_url: str) -> None:
    url = uri(empty_database_url)
    refused = nowhere("db", "check", "--system-database-url", url)
    assert (refused.code, refused.out) == (4, "")
    assert "holds no DBOS tables" in refused.err
    assert "durably db migrate" in refused.err
    made = nowhere("db", "migrate", "--system-database-url", url, "--json")
    assert made.code == 0
    assert (made.json["exists"], made.json["generation"], made.json["created"]) == (True, 125, False)
    again = nowhere("db", "migrate", "--system-database-url", url)
    assert again.code == 0
    assert "generation           125" in again.lines
    checked = nowhere("db", "check", "--system-database-url", url, "--json")
    assert {name: value for name, value in made.json.items() if name != "created"} == checked.json


@pytest.mark.parametrize("command", [["workflow", "list"], ["enqueue", "x", "--queue", "q"], ["db", "check"]])
def test_not_a_system_database_exits_with_4(
    nowhere: Durably, empty_database_url: str, command: list[str]
) -> None:
    done = nowhere(*command, "--system-database-url", uri(empty_database_url))
    assert (done.code, done.out) == (4, "")
    assert len(done.err.splitlines()) <= 2


@pytest.mark.parametrize("command", [["workflow", "list"], ["db", "check"], ["db", "migrate"]])
def test_a_server_that_is_down_exits_with_4(nowhere: Durably, command: list[str]) -> None:
    done = nowhere(*command, "--database-url", "postgresql://ada:secret@127.0.0.1:1/shop")
    assert (done.code, done.out) == (4, "")
    assert "shop_dbos_sys" in done.err
    assert "secret" not in done.err
    assert len(done.err.splitlines()) <= 2


def test_a_database_that_is_not_there_exits_with_4(nowhere: Durably, server: Server) -> None:
    done = nowhere("workflow", "list", "--database-url", uri(server.url("no_such_shop")))
    assert (done.code, done.out) == (4, "")
    assert "no_such_shop_dbos_sys" in done.err


def test_the_command_line_comes_before_the_environment(nowhere: Durably) -> None:
    def url(*options: str, **environment: str) -> str:
        return nowhere("db", "url", "--system", *options, **environment).out.strip()

    environment = {
        "DURABLY_DATABASE_URL": "postgresql://h/env",
        "DURABLY_SYSTEM_DATABASE_URL": "postgresql://h/env_system",
    }
    assert url("--database-url", "postgresql://h/shop", **environment) == "postgresql://h/shop_dbos_sys"
    assert url("--system-database-url", "postgresql://h/sys", **environment) == "postgresql://h/sys"
    assert url(**environment) == "postgresql://h/env_system"
    assert url(DURABLY_DATABASE_URL="postgresql://h/env") == "postgresql://h/env_dbos_sys"
    given = ("--database-url", "postgresql://h/shop", "--system-database", "other")
    assert url(*given) == "postgresql://h/other"


def test_the_url_is_printed_without_its_password_unless_asked(nowhere: Durably) -> None:
    given = ("db", "url", "--database-url", "postgresql://ada:secret@h/shop?sslmode=require")
    assert nowhere(*given).out == "postgresql://ada@h/shop?sslmode=require\n"
    assert nowhere(*given, "--json").json == {
        "database_url": "postgresql://ada@h/shop?sslmode=require",
        "system_database_url": "postgresql://ada@h/shop_dbos_sys?sslmode=require",
    }
    assert nowhere(*given, "--show-password").out == "postgresql://ada:secret@h/shop?sslmode=require\n"
    outright = nowhere("db", "url", "--system-database-url", "postgresql://h/sys")
    assert (outright.code, outright.out) == (2, "")
    assert "add --system" in outright.err


def test_shell_is_psql_with_the_tables_in_reach(system: Durably) -> None:
    system("enqueue", "echo", "--queue", "orders", "--id", "w")
    query = "SELECT workflow_uuid FROM workflow_status"
    done = system("db", "shell", "--", "-qAtc", query)
    assert (done.code, done.out) == (0, "w\n")
    assert system("db", "shell", "--", "-qAtc", "SELECT nonsense").code == 1


def test_shell_says_when_there_is_no_psql(tmp_path: Path) -> None:
    """Neither on the PATH nor in a wheel."""
    program = (
        "import sys\nfrom durably.embedded import binaries\nfrom durably.cli.main import main\n"
        "binaries.WHEELS = ()\nsys.exit(main(['db', 'shell', '--system-database-url', 'postgresql://h/none']))"
    )
    environment = {**os.environ, "PATH": str(tmp_path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no psql on the PATH: install" in done.stderr


def test_nothing_given_is_the_embedded_server_if_there_is_one(nowhere: Durably, tmp_path: Path) -> None:
    home = {"DURABLY_HOME": str(tmp_path / "home")}
    absent = nowhere("workflow", "list", **home)
    assert (absent.code, absent.out) == (4, "")
    assert "no database was named" in absent.err
    assert not (tmp_path / "home").exists()

    assert nowhere("db", "migrate", "--app", "shop", **home).code == 0
    assert nowhere("workflow", "list", **home).lines == ["workflow_id\tstatus\tname\tqueue_name\tcreated_at"]
    assert "/shop?" in nowhere("db", "url", **home).out

    assert nowhere("db", "migrate", "--app", "tickets", **home).code == 0
    undecided = nowhere("workflow", "list", **home)
    assert undecided.code == 2
    assert "--app NAME, one of: shop, tickets" in undecided.err
    assert nowhere("workflow", "list", "--app", "tickets", **home).code == 0
    unknown = nowhere("workflow", "list", "--app", "bakery", **home)
    assert unknown.code == 4
    assert "no database 'bakery_dbos_sys'; it has the applications shop, tickets" in unknown.err
