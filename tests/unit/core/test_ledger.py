"""Replay: numbers in call order, answers from the record, a refusal where code and record differ."""

from __future__ import annotations

import pytest

from durably.core.ledger import Ledger
from durably.core.ports import HistoryRow
from durably.errors import NonDeterminism


def row(number: int, name: str) -> HistoryRow:
    return HistoryRow("w", number, name, "1", None, None, "portable_json")


def test_numbers_begin_at_one_in_call_order() -> None:
    ledger = Ledger("w")
    assert [ledger.draw(), ledger.draw(), ledger.draw()] == [1, 2, 3]


def test_an_operation_may_use_two_numbers() -> None:
    ledger = Ledger("w")
    assert [ledger.draw(2), ledger.draw()] == [1, 3]
    assert ledger.last == 3


def test_what_is_recorded_is_answered_and_the_rest_is_not() -> None:
    ledger = Ledger("w", [row(2, "b"), row(1, "a")])
    assert ledger.recorded(1, "a") == row(1, "a")
    assert ledger.recorded(2, "b") == row(2, "b")
    assert ledger.recorded(3, "c") is None


def test_a_gap_is_performed() -> None:
    """Of concurrent operations the later one may be recorded and the earlier one not."""
    assert Ledger("w", [row(2, "b")]).recorded(1, "a") is None


def test_another_name_is_refused_with_both() -> None:
    with pytest.raises(NonDeterminism) as caught:
        Ledger("w", [row(1, "charge")]).recorded(1, "refund")
    message = str(caught.value)
    assert "charge" in message
    assert "refund" in message
    assert "'w'" in message
