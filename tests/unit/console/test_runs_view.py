"""Filters as they stand in the URL of the Runs page, and the counts beside the statuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durably.console.views.runs import asked, chips
from durably.errors import InvalidOption
from durably.types import SearchCounts

NOW = datetime(2026, 5, 1, 13, 7, 21, tzinfo=UTC)


def test_parameters_become_a_filter() -> None:
    wanted = asked({"status": "ERROR,CANCELLED", "name": " send ", "queue": "emails", "range": "24h"}, NOW)
    assert wanted.filter.status == ("ERROR", "CANCELLED")
    assert (wanted.filter.name, wanted.filter.queue_name) == ("send", "emails")
    assert wanted.filter.start_time == datetime(2026, 4, 30, 13, 7, tzinfo=UTC)
    assert not wanted.is_everything
    assert asked({"order": "completed", "after": "17.x", "unknown": "y"}, NOW).is_everything


def test_paused_ones_are_delayed_ones_of_a_kind() -> None:
    wanted = asked({"status": "PAUSED"}, NOW).filter
    assert (wanted.is_paused, wanted.status) == (True, ("DELAYED",))


@pytest.mark.parametrize(
    ("text", "attributes"),
    [("customer=c17", {"customer": "c17"}), ("tries=3", {"tries": 3}), ("vip=true", {"vip": True})],
)
def test_text_of_a_key_and_a_value_asks_for_an_attribute(text: str, attributes: dict[str, object]) -> None:
    wanted = asked({"q": text}, NOW)
    assert (wanted.text, wanted.filter.attributes) == (None, attributes)
    assert asked({"attribute": text}, NOW).filter.attributes == attributes


@pytest.mark.parametrize("text", ["order-17", "=", "a=", "=b", "<script>"])
def test_other_text_is_text(text: str) -> None:
    assert asked({"q": text}, NOW).text == text


@pytest.mark.parametrize(
    "query",
    [
        {"status": "LOST"},
        {"range": "2h"},
        {"from": "yesterday"},
        {"order": "name"},
        {"fork": "maybe"},
        {"attribute": "x"},
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(query: dict[str, str]) -> None:
    with pytest.raises(InvalidOption):
        asked(query, NOW)


def test_counts_say_how_far_they_were_counted() -> None:
    counts = SearchCounts(counts={"ERROR": 12, "SUCCESS": 10_001}, most=10_000, is_complete=True)
    shown = {chip.status: chip.count for chip in chips(asked({}, NOW), counts)}
    assert (shown["ERROR"], shown["SUCCESS"], shown["PENDING"]) == ("12", "10,000+", "0")
    partly = SearchCounts(counts={"ERROR": 12}, most=10_000, is_complete=False)
    shown = {chip.status: chip.count for chip in chips(asked({}, NOW), partly)}
    assert (shown["ERROR"], shown["PENDING"]) == ("12+", "")


def test_a_chip_adds_its_status_or_takes_it_away() -> None:
    counts = SearchCounts(counts={}, most=10_000, is_complete=True)
    toggled = {chip.status: chip.toggled for chip in chips(asked({"status": "ERROR"}, NOW), counts)}
    assert (toggled["ERROR"], toggled["CANCELLED"]) == (None, "ERROR,CANCELLED")
