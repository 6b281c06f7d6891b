"""When a step or a connection is tried again."""

from __future__ import annotations

from random import Random

import pytest

from durably.core.retry import CAP, reconnect_delay, step_delay, worth_retrying
from durably.types import Retry


def test_waits_grow_by_the_factor_up_to_the_most() -> None:
    retry = Retry(interval=1.0, backoff=3.0, max_interval=10.0, jitter=0.0)
    assert [step_delay(retry, n, Random(0)) for n in (1, 2, 3, 4)] == [1.0, 3.0, 9.0, 10.0]


def test_jitter_spreads_around_the_wait_and_never_below_zero() -> None:
    random = Random(1)
    waits = [step_delay(Retry(interval=1.0, jitter=0.1), 1, random) for _ in range(200)]
    assert 0.9 <= min(waits) < 0.95 < 1.05 < max(waits) <= 1.1
    assert min(step_delay(Retry(interval=1.0, jitter=5.0), 1, random) for _ in range(200)) == 0.0


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
