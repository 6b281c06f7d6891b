"""What the test suite relies on does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.databases import Databases

ROOT = Path(__file__).resolve().parents[2]

SKIPPING = """
import pytest

@pytest.mark.skip(reason="{reason}")
def test_something(): ...

def test_other(): ...
"""


@pytest.mark.parametrize(
    ("reason", "ci", "code"),
    [("no node here", "", 0), ("no node here", "true", 1), ("platform: needs Windows", "true", 0)],
)
def test_a_skip_fails_only_in_ci(tmp_path: Path, reason: str, ci: str, code: int) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING.format(reason=reason))
    (tmp_path / "conftest.py").write_text("from tests.conftest import *  # noqa: F403\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*command, str(tmp_path)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert ("skipped, which fails in CI" in done.stdout) == bool(code)


def test_databases_are_strangers_to_each_other(databases: Databases) -> None:
    urls = [databases.migrated(), databases.migrated(), databases.empty()]
    counts = []
    for url in urls:
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'dbos'").fetchone()
            counts.append(row and row[0])
            connection.execute("CREATE TABLE only_here ()")
    for url in urls:
        databases.drop(url)
    assert counts == [1, 1, 0]


def test_a_database_can_be_dropped_while_in_use(databases: Databases) -> None:
    url = databases.empty()
    with psycopg.connect(url) as connection:
        databases.drop(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
