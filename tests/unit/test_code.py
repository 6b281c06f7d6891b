"""The fingerprint of an application's code: what changes it, and what does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from durably.engine.code import fingerprint

BASE = """
def helper(x):
    return x in {"a", "b", "c", 1, None}
def make():
    word = lambda: "captured"
    def step():
        return word()
    return step
class C:
    def __call__(self): ...
obj = C()
def workflow(x):
    obj
    return [helper(y) for y in x]
functions = [workflow, make()]
"""


def of(source: str) -> str:
    names: dict[str, Any] = {"__name__": "shop.orders"}
    exec(compile(source, "orders.py", "exec"), names)
    return fingerprint(names["functions"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return [helper", "return list(x) or [helper"),  # the function's own code
        ('"b", "c"', '"b", "d"'),  # a constant of one that it calls
        ('"captured"', '"caught"'),  # a closure's
        ("[workflow, make()]", "[workflow]"),  # another function
        ("helper(y)", "len(y)"),  # a name
    ],
)
def test_a_change_changes_it(old: str, new: str) -> None:
    assert old in BASE
    assert of(BASE.replace(old, new)) != of(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def workflow", "# a comment\n\ndef workflow"),
        ("[workflow, make()]", "[make(), workflow, workflow]"),
        ("obj = C()", "obj = C()\nunused = lambda: 7"),
    ],
)
def test_what_does_not_run_does_not(old: str, new: str) -> None:
    assert old in BASE
    assert of(BASE.replace(old, new)) == of(BASE)


def test_names_count() -> None:
    assert fingerprint([of], ["a"]) != fingerprint([of], ["b"])
    assert fingerprint([of], ["a", "b"]) == fingerprint([of], ["b", "a"])


def test_it_is_the_same_in_every_process() -> None:
    program = "import tests.unit.test_code as t; print(t.of(t.BASE))"
    made = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1


def test_what_wraps_itself_or_calls_itself_ends() -> None:
    def recursive() -> Callable[..., Any]:
        return recursive

    recursive.__wrapped__ = recursive  # type: ignore[attr-defined]
    assert len(fingerprint([recursive])) == 16
