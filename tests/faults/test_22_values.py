"""Rows 22 and 23: large values, and odd ones."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durably import EnqueueOptions
from durably.codec import Codecs
from durably.codec.size import LARGEST
from durably.errors import EncodeError
from tests.faults.fleet import Fleet
from tests.faults.table import Table

MB = 1_000_000


def test_a_value_over_the_limit_is_refused_at_the_door(fleet: Fleet, table: Table) -> None:
    options = EnqueueOptions(workflow_name="echo", queue_name="q")
    large = "x" * (LARGEST + 1)
    with fleet.client() as client:
        took = []
        for _ in range(3):
            began = time.process_time()
            with pytest.raises(EncodeError, match="64 million are the most: keep it elsewhere"):
                client.enqueue(options, large)
            took.append(time.process_time() - began)
    assert fleet.rows("SELECT 1 FROM dbos.workflow_status") == []
    table.add(
        22,
        f"arguments of more than {LARGEST / MB:g} MB",
        goal="refused at the door in < 0.1 s, nothing written",
        figures=f"refused after {min(took):.2f} s, 0 rows",
    )
    assert min(took) < 0.1


@pytest.mark.timeout(120)
def test_large_values_leave_nothing_behind(fleet: Fleet, table: Table) -> None:
    """Ten megabytes in and out, and again: connections that carried them are closed."""
    worker = fleet.launch()
    value = "x" * (10 * MB)

    def tidied(id_: str) -> int:
        fleet.ask("tidy", id=id_)
        fleet.see(id_)
        return resident(worker.pid)

    fleet.ask("echo", 1, id="warm")
    fleet.see("warm")
    before, most = tidied("before"), 0
    for number in range(5):
        fleet.ask("echo", value, id=f"large-{number}")
        (result,) = fleet.see(f"large-{number}", timeout=60)
        assert result == value
        most = max(most, resident(worker.pid))
    after = tidied("after")
    table.add(
        22,
        "values of 10 MB, in and out, 5 times",
        goal="worker's memory back within 20 %",
        figures=f"{before / MB:.0f} MB before, {most / MB:.0f} at most, {after / MB:.0f} after a collection: "
        f"{after / before - 1:+.0%}",
    )
    assert after <= 1.2 * before


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


ODD: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, 2**53 + 1, -0.0, 1e308, "", "\0", "\u2028", "\ud800", "\U0001d4b3",
    b"\xff", 10**400, {"": 1}, {1: 2}, {None: 1}, [[]], {"__proto__": 1}, {"toJSON": 1}, object(), set(),
    float("1e-320"),
)  # fmt: skip
TEXTS = st.characters(exclude_categories=["Cs"])
Values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(TEXTS),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(TEXTS), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def test_odd_values_are_equal_or_refused_at_once(table: Table) -> None:
    """By each format; what is written is JSON that PostgreSQL and JavaScript read too."""
    codecs = Codecs()
    outcomes = {"equal": 0, "refused": 0}
    for name in ("portable_json", "js_superjson"):
        for value in ODD:
            try:
                text = codecs.get(name).encode(value)
            except EncodeError:
                outcomes["refused"] += 1
                continue
            back = codecs.decode(text, name, type(value))
            assert back == value or value != value, value  # NaN, in superjson, is not itself
            outcomes["equal"] += 1
    table.add(
        23,
        f"{len(ODD)} odd values in both formats",
        goal="equal or refused at once",
        figures=f"{outcomes['equal']} come back, {outcomes['refused']} refused",
    )


def doubles(text: str) -> Any:
    """The value of a JSON text to a reader whose numbers are doubles."""
    return json.loads(text, parse_int=float)


def test_portable_texts_are_the_same_value_to_every_reader(fleet: Fleet, is_full: bool, table: Table) -> None:
    """Generated values, written here, read by PostgreSQL and JavaScript, and written by JavaScript back."""
    many = 10_000 if is_full else 1_000
    codec = Codecs().get("portable_json")
    texts: list[str] = []

    @settings(
        max_examples=many, database=None, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(Values)
    def write(value: Any) -> None:
        text = codec.encode(value)
        assert codec.decode(text) == value
        texts.append(text)

    write()
    script = "let t='';process.stdin.on('data',d=>t+=d).on('end',()=>"
    script += "console.log(JSON.stringify(JSON.parse(t).map(x=>JSON.stringify(JSON.parse(x))))))"
    node = shutil.which("node")
    assert node is not None, "node is what reads JSON as JavaScript does"
    done = subprocess.run(
        [node, "-e", script], input=json.dumps(texts), capture_output=True, text=True, check=True, timeout=60
    )
    theirs = json.loads(done.stdout)
    other = sum(doubles(ours) != doubles(back) for ours, back in zip(texts, theirs, strict=True))
    ((parsed,),) = fleet.rows("SELECT count(*) FROM unnest(%s::text[]) t WHERE t::json IS NOT NULL", texts)
    table.add(
        23,
        f"{len(texts):,} generated values as portable JSON",
        goal="equal in JavaScript, PostgreSQL and Python, both ways",
        figures=f"{other} differ after JavaScript, {len(texts) - parsed} unread by PostgreSQL",
    )
    assert (other, parsed) == (0, len(texts))
