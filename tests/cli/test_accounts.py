"""`durably account`, `durably token`, and whom `durably console` lets in."""

from __future__ import annotations

import re
import subprocess

import httpx
import pytest

from tests.cli.shell import COMMAND, Durably, background

PASSWORD = "correct horse battery"


def typed(durably: Durably, *arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess[str]:
    """A command with a password on its standard input."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=f"{password}\n",
        env=durably._environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_accounts_from_the_first_to_the_last(system: Durably) -> None:
    assert typed(system, "account", "add", "ada", "--role", "admin").returncode == 0
    again = typed(system, "account", "add", "ada")
    assert again.returncode == 2
    assert "there is an account 'ada' already" in again.stderr
    assert system("account", "set-role", "ada", "viewer", "--no-payloads").out == "ada is viewer\n"
    assert typed(system, "account", "password", "ada", password="another one").returncode == 0
    assert system("account", "disable", "ada").out == "ada may not log in any more\n"
    listed = system("account", "list", "--json").json
    assert [(a["name"], a["role"], a["sees_payloads"], a["is_disabled"]) for a in listed] == [
        ("ada", "viewer", False, True)
    ]
    assert system("account", "enable", "ada").code == 0
    assert system("account", "disable", "nobody").code == 3


def test_a_password_is_not_an_argument_nor_missing(system: Durably) -> None:
    nothing = system("account", "add", "ada")
    assert nothing.code == 2
    assert "first line of standard input" in nothing.err
    short = typed(system, "account", "add", "ada", password="short")
    assert short.returncode == 2
    assert "8 to 1000 characters" in short.stderr


def test_a_token_shows_its_secret_once(system: Durably) -> None:
    made = system("token", "create", "deploy", "--role", "operator", "--days", "90")
    secret = made.out.strip()
    assert secret.startswith("durably_")
    listed = system("token", "list", "--json")
    assert secret not in listed.out
    token_id = listed.json[0]["token_id"]
    assert token_id in made.err
    assert system("token", "revoke", token_id).out == f"{token_id} is revoked\n"
    assert system("token", "revoke", "none").code == 3


def test_a_console_for_other_machines_needs_accounts(system: Durably) -> None:
    refused = system("console", "--host", "0.0.0.0", "--port", "0")
    assert refused.code == 2
    assert "durably account add NAME --role admin" in refused.err


def test_a_console_with_accounts_lets_nobody_in_without(system: Durably) -> None:
    assert typed(system, "account", "add", "ada").returncode == 0
    assert system("account", "disable", "ada").code == 0
    with background(system.start("console", "--host", "0.0.0.0", "--port", "0")) as console:
        answer = httpx.get(address(console).replace("0.0.0.0", "127.0.0.1"))
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2F"


def test_a_console_without_accounts_answers_to_this_machine_alone(system: Durably) -> None:
    with background(system.start("console", "--port", "0", "--read-only")) as console:
        url = address(console)
        assert httpx.get(url).status_code == 200
        rebound = httpx.get(url, headers={"Host": "example.com"})
        assert rebound.status_code == 421
        assert "127.0.0.1" in rebound.text


def test_a_port_in_use_is_said(system: Durably) -> None:
    with background(system.start("console", "--port", "0")) as console:
        port = address(console).rpartition(":")[2].strip("/")
        refused = system("console", "--port", port)
    assert refused.code == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in refused.err


def address(console: subprocess.Popen[str]) -> str:
    assert console.stderr is not None
    found = re.search(r"http://\S+/", console.stderr.readline())
    assert found
    return found[0]


@pytest.mark.parametrize("role", ["owner", ""])
def test_an_unknown_role_is_refused(system: Durably, role: str) -> None:
    assert typed(system, "account", "add", "ada", "--role", role).returncode == 2
