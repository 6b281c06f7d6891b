"""How much an executor may take, and identifiers."""

from __future__ import annotations

from random import Random
from uuid import UUID

import pytest

from durably.core.admission import places
from durably.core.ids import child_id, new_id
from durably.core.ports import QueueRow


@pytest.mark.parametrize(
    ("limit", "free", "running", "most"),
    [
        (None, 10, 99, 10),
        (5, 10, 0, 5),
        (5, 10, 3, 2),
        (5, 1, 3, 1),
        (5, 10, 5, 0),
        (5, 10, 7, 0),
        (5, -2, 0, 0),
    ],
)
def test_places_are_what_is_free_within_the_workers_limit(
    limit: int | None, free: int, running: int, most: int
) -> None:
    assert places(QueueRow(name="q", worker_concurrency=limit), free=free, running=running) == most


def test_a_limit_that_executors_share_is_counted_in_the_database() -> None:
    assert places(QueueRow(name="q", concurrency=1), free=10, running=5) == 10
    assert QueueRow(name="q", concurrency=1).limited
    assert QueueRow(name="q", rate_limit_max=1).limited
    assert not QueueRow(name="q", worker_concurrency=1).limited


def test_ids_are_uuids_from_the_chance_that_is_given() -> None:
    assert new_id(Random(1)) == new_id(Random(1)) != new_id(Random(2))
    assert UUID(new_id(Random(1))).version == 4


def test_a_child_is_named_after_its_parents_operation() -> None:
    assert child_id("order-17", 3) == "order-17-3"


def test_an_id_is_the_text_of_a_version_4_uuid() -> None:
    for seed in range(200):
        number = Random(seed).getrandbits(128)
        assert new_id(Random(seed)) == str(UUID(int=number, version=4))
