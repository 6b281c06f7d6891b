"""Our superjson and the real one: it reads what we write, we read what it wrote.

`vectors.json` holds what the real package writes; where there is node, it is made again and compared.
To make it again: node superjson.cjs FOLDER_WITH_NODE_MODULES write > vectors.json
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durably.codec import SuperJSON
from durably.errors import EncodeError

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "superjson.cjs"
INSTALLED = HERE.parent / "apps" / "typescript"
VECTORS: dict[str, str] = json.loads((HERE / "vectors.json").read_text())

WHEN = datetime(2025, 6, 15, 15, 6, 40, 7000, tzinfo=UTC)
codec = SuperJSON()

EXPECTED: dict[str, Any] = {
    "arguments": [1, "a", {"x": [1]}],
    "none": [],
    "null": None,
    "undefined": None,
    "undefined_members": {"a": None, "b": [None, 1]},
    "date": WHEN,
    "date_early": datetime(33, 4, 3, tzinfo=UTC),
    "date_far": "+275760-09-13T00:00:00.000Z",
    "dates": {"list": [WHEN, {"at": WHEN}], "plain key": WHEN},
    "bigint": 10,
    "bigints": [2**64, -(2**64)],
    "nan": [math.nan, math.inf, -math.inf, -0.0],
    "set": {1, "a"},
    "set_of_dates": {"s": {WHEN}},
    "set_of_objects": [{"a": 1}],
    "map": {"a": 1, "b": WHEN},
    "map_of_odd_keys": {1: None, 2**60: "y"},  # True is 1 in Python
    "map_of_objects": [[{"a": 1}, 2]],
    "map_in_map": {1: {WHEN: {1}}},
    "regexp": "/a\\/g/gi",
    "url": "https://example.org/a?b=c",
    "bytes": b"\x00\x7f\xff",
    "clamped": b"\x01",
    "buffer": {"b": "hé".encode()},
    "floats": [1.5, -2],
    "dotted": {"a.b": {"at": WHEN, "c.d": {"e": 1}}},
    # superjson forgets to escape this path, and finds the wrong value itself
    "dotted_leaf": {"a.b": "2025-06-15T15:06:40.007Z", "a": {"b": "not a date"}},
    "numeric_keys": {"0": WHEN, "1": {"2": WHEN}},
    "empty_key": {"": {"": WHEN}},
    "shared": {"a": {"a": 1}, "b": [{"a": 1}]},
    "cycle": {"name": "c", "inner": {"list": [None]}},
    "error": {"e": {"name": "RangeError", "message": "m"}},
    "class": {"x": 1},
    "handle": {"h": {"wfid": "wf-1"}},
    "text": "\u0000\u2028é😀",
    "large": 2**53 - 1,
    "deep": [[[[[[[[WHEN]]]]]]]],
}
SAME_TEXT = "arguments none null date date_early set_of_dates bytes text large deep empty_key bigints".split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real package in its node_modules."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    if (INSTALLED / "node_modules" / "superjson").exists():
        return INSTALLED
    folder = tmp_path_factory.mktemp("superjson")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "superjson@1.13.3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    if done.returncode != 0:
        pytest.skip(f"superjson cannot be installed: {done.stderr}")
    return folder


def run(folder: Path, mode: str, given: str = "") -> Any:
    command = ["node", str(SCRIPT), str(folder), mode]
    done = subprocess.run(
        command, input=given, capture_output=True, encoding="utf-8", timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", VECTORS)
def test_what_superjson_wrote_is_read(name: str) -> None:
    back = codec.decode(VECTORS[name])
    assert repr(back) == repr(EXPECTED[name]) or back == EXPECTED[name]
    assert type(back) is type(EXPECTED[name])


@pytest.mark.parametrize("name", SAME_TEXT)
def test_what_we_write_is_what_superjson_writes(name: str) -> None:
    assert codec.encode(EXPECTED[name]) == VECTORS[name]


def test_the_vectors_are_what_superjson_writes(folder: Path) -> None:
    assert run(folder, "write") == VECTORS


WRITTEN: list[tuple[object, Any]] = [
    (None, None),
    ([1, 1.5, "a", True], [1, 1.5, "a", True]),
    (-0.0, {"$": "number", "v": "-0"}),
    ([math.nan, math.inf, -math.inf], [{"$": "number", "v": v} for v in ("NaN", "Infinity", "-Infinity")]),
    (WHEN, {"$": "Date", "v": "2025-06-15T15:06:40.007Z"}),
    (WHEN.replace(tzinfo=None), {"$": "Date", "v": "2025-06-15T15:06:40.007Z"}),
    (WHEN.astimezone(timezone(timedelta(hours=-3))), {"$": "Date", "v": "2025-06-15T15:06:40.007Z"}),
    (2**53 + 1, {"$": "bigint", "v": "9007199254740993"}),
    ({"a.b": {"c": WHEN}}, {"a.b": {"c": {"$": "Date", "v": "2025-06-15T15:06:40.007Z"}}}),
    ({"a.b": 2**60}, {"a.b": {"$": "bigint", "v": str(2**60)}}),
    ({"a\\": {"b": 2**60}}, {"a\\": {"b": {"$": "bigint", "v": str(2**60)}}}),
    ({"a\\.b\\": [{"": 2**60}]}, {"a\\.b\\": [{"": {"$": "bigint", "v": str(2**60)}}]}),
    ({3, 1}, {"$": "Set", "v": [1, 3]}),
    (
        [{"s": frozenset({WHEN})}],
        [{"s": {"$": "Set", "v": [{"$": "Date", "v": "2025-06-15T15:06:40.007Z"}]}}],
    ),
    (b"\x00\xff", {"$": "Uint8Array", "v": [0, 255]}),
    ({1: "a", "b": {2**60: WHEN}}, None),
    (date(2025, 6, 1), "2025-06-01"),
    (Decimal("1.50"), "1.50"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
]


def test_superjson_reads_what_we_write(folder: Path) -> None:
    read = run(folder, "read", json.dumps([codec.encode(value) for value, _ in WRITTEN]))
    for (value, expected), found in zip(WRITTEN, read, strict=True):
        if isinstance(value, dict) and 1 in value:
            assert found["$"] == "Map"
            assert found["v"][1][1]["v"][0][0] == {"$": "bigint", "v": str(2**60)}
        else:
            assert found == expected


keys = st.text(max_size=4).filter(lambda key: key not in ("__proto__", "prototype", "constructor"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(
        lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(st.integers(-(2**60), 2**60), max_size=3)
        | st.dictionaries(st.integers(2, 2**60), inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_any_value_comes_back(value: object) -> None:
    assert codec.decode(codec.encode(value)) == value


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(values, min_size=200, max_size=200))
def test_superjson_reads_any_value_that_we_write(folder: Path, many: list[object]) -> None:
    texts = [codec.encode(value) for value in many]
    assert len(run(folder, "read", json.dumps(texts))) == len(texts)


@pytest.mark.parametrize("key", ["__proto__", "constructor", "prototype"])
def test_a_key_that_superjson_refuses_is_refused_only_where_it_matters(key: str) -> None:
    codec.encode({key: 1})
    with pytest.raises(EncodeError, match="rename"):
        codec.encode({key: WHEN})
