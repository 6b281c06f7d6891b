"""Wrong passwords are counted by account and address, and forgotten in time."""

from __future__ import annotations

import pytest

from durably.console.accounts import (
    MOST_KEYS,
    MOST_OF_ACCOUNT,
    MOST_OF_ADDRESS,
    MOST_OF_PAIR,
    WINDOW,
    Attempts,
)
from durably.console.pages.login import inside


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_account_from_one_address() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(MOST_OF_PAIR):
        assert attempts.seconds_left("ada", "10.0.0.1") == 0
        attempts.count("ada", "10.0.0.1")
    assert attempts.seconds_left("ada", "10.0.0.1") == WINDOW
    assert attempts.seconds_left("ada", "10.0.0.2") == 0
    assert attempts.seconds_left("bob", "10.0.0.1") == 0
    clock.now += WINDOW
    assert attempts.seconds_left("ada", "10.0.0.1") == 0


def test_many_accounts_from_one_address() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST_OF_ADDRESS):
        attempts.count(f"name-{number}", "10.0.0.1")
    assert attempts.seconds_left("another", "10.0.0.1") > 0


def test_one_account_from_many_addresses() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST_OF_ACCOUNT):
        attempts.count("ada", f"10.0.0.{number}")
    assert attempts.seconds_left("ada", "10.9.9.9") > 0


def test_the_right_password_forgets_the_wrong_ones() -> None:
    attempts = Attempts(Clock())
    for _ in range(MOST_OF_PAIR):
        attempts.count("ada", "10.0.0.1")
    attempts.succeeded("ada", "10.0.0.1")
    assert attempts.seconds_left("ada", "10.0.0.1") == 0


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST_KEYS):
        attempts.count(f"name-{number}", f"address-{number}")
    assert len(attempts._wrong) == MOST_KEYS


@pytest.mark.parametrize("path", ["/", "/runs?status=ERROR", "/run?id=https%3A//example.com"])
def test_a_path_of_the_console_is_where_a_login_leads(path: str) -> None:
    assert inside(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "https://example.com", "//example.com", "/\\example.com", "/\t/example.com", "javascript:alert(1)"],
)
def test_a_login_leads_nowhere_else(path: str) -> None:
    assert inside(path) == "/"
