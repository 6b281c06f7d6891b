"""When a step or a connection is tried again."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from durably.core.retry import CAP, pause, reconnect_delay, worth_retrying
from durably.errors import InvalidOption, RetryAfter
from durably.types import Retry

ERROR = OSError()


def test_waits_grow_by_the_factor_up_to_the_most() -> None:
    retry = Retry(interval=1.0, backoff=3.0, max_interval=10.0, jitter=0.0)
    assert [pause(retry, n, ERROR, Random(0)) for n in (1, 2, 3, 4, 5000)] == [1.0, 3.0, 9.0, 10.0, 10.0]


def test_intervals_may_be_timedeltas() -> None:
    retry = Retry(interval=timedelta(minutes=1), max_interval=timedelta(seconds=90), jitter=0)
    assert [pause(retry, n, ERROR, Random(0)) for n in (1, 2)] == [60.0, 90.0]


def test_jitter_spreads_around_the_wait_and_never_below_zero() -> None:
    random = Random(1)
    waits = [pause(Retry(interval=1.0, jitter=0.1), 1, ERROR, random) for _ in range(200)]
    assert 0.9 <= min(waits) < 0.95 < 1.05 < max(waits) <= 1.1
    assert min(pause(Retry(interval=1.0, jitter=1), 1, ERROR, random) for _ in range(200)) >= 0.0


def test_code_that_says_when_to_come_back_is_taken_at_its_word() -> None:
    retry = Retry(interval=1.0, max_interval=10.0, jitter=0.5, on=KeyError, give_up_on=Exception)
    error = RetryAfter(timedelta(minutes=2))
    assert worth_retrying(retry, error)
    assert pause(retry, 1, error, Random(0)) == 120.0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5", True])
def test_a_pause_that_cannot_be_is_refused(seconds: Any) -> None:
    with pytest.raises(InvalidOption, match=r"seconds=.*give seconds"):
        RetryAfter(seconds)


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("attempts", 0, "a whole number, 1"),
        ("attempts", 2.5, "a whole number, 1"),
        ("attempts", True, "a whole number, 1"),
        ("interval", -1, "give seconds"),
        ("interval", "1", "give seconds"),
        ("interval", float("nan"), "give seconds"),
        ("max_interval", timedelta(seconds=-1), "give seconds"),
        ("backoff", 0.5, "a factor, 1"),
        ("jitter", 1.5, "a share from 0 to 1"),
        ("jitter", -0.1, "a share from 0 to 1"),
        ("on", "ConnectionError", "exception classes, or a predicate"),
        ("on", int, "exception classes, or a predicate"),
        ("give_up_on", ValueError("x"), "exception classes"),
        ("give_up_on", (ValueError, "x"), "exception classes"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(option: str, value: Any, hint: str) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(InvalidOption, match=f"{option}=.*{hint}"):
        Retry(**options)


def test_some_errors_are_never_worth_it() -> None:
    retry = Retry(on=(OSError, ValueError), give_up_on=(FileNotFoundError, UnicodeError))
    assert worth_retrying(retry, OSError())
    assert not worth_retrying(retry, FileNotFoundError())
    assert not worth_retrying(retry, UnicodeDecodeError("utf-8", b"", 0, 1, ""))


@pytest.mark.parametrize(
    ("on", "error", "worth"),
    [
        (Exception, ValueError(), True),
        (KeyError, ValueError(), False),
        ((KeyError, ValueError), ValueError(), True),
        (lambda error: "again" in str(error), ValueError("again"), True),
        (lambda error: "again" in str(error), ValueError("never"), False),
    ],
)
def test_the_rule_says_which_errors_are_worth_it(on: object, error: Exception, worth: bool) -> None:
    assert worth_retrying(Retry(on=on), error) is worth  # type: ignore[arg-type]


def test_reconnecting_hurries_first_and_is_capped() -> None:
    random = Random(2)
    assert reconnect_delay(1, random) < 0.05
    assert max(reconnect_delay(n, random) for n in range(1, 10_000)) <= CAP * 1.5
