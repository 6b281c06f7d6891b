"""Turns among partitions: everyone is served before anyone is served again, and a search ends."""

from __future__ import annotations

from durably.core.rota import PATIENCE, Rota


def circle(keys: str, at: str) -> list[str]:
    return [key for key in keys if key > at] + [key for key in keys if key <= at]


def test_each_key_has_its_turn_where_one_is_served_at_a_time() -> None:
    rota, turns = Rota(), ""
    for _ in range(7):
        chosen = rota.choose([(key, True) for key in circle("abc", rota.at)], most=5, is_circle=True)
        turns += chosen[0]
        assert rota.served([chosen[0]])
    assert turns == "abcabca"


def test_a_new_key_waits_for_one_circle_at_most() -> None:
    rota = Rota()
    rota.choose([("b", True), ("y", True)], most=5, is_circle=True)
    rota.served(["b"])
    assert rota.choose([(key, True) for key in circle("bny", rota.at)], most=1, is_circle=True) == ["n"]


def test_keys_without_room_are_passed_over() -> None:
    rota = Rota()
    assert rota.choose([("a", False), ("b", True), ("c", True)], most=1, is_circle=True) == ["b"]


def test_a_whole_circle_without_work_ends_the_search_where_it_stood() -> None:
    rota = Rota()
    rota.choose([("a", True), ("b", True)], most=5, is_circle=True)
    rota.served(["a"])
    rota.choose([("b", False), ("a", False)], most=5, is_circle=True)
    assert not rota.served([])
    assert rota.at == "a"


def test_a_long_circle_is_searched_part_by_part_and_not_for_ever() -> None:
    rota = Rota()
    for part in range(1, PATIENCE):
        rota.choose([(f"{part}", True)], most=5, is_circle=False)
        assert rota.served([])
        assert rota.at == f"{part}"
    rota.choose([("last", True)], most=5, is_circle=False)
    assert not rota.served([])
