"""The examples run as their first lines say, and print what they promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTS = {
    "account": "3800 3800",
    "agent": "Would you rather have sun or museums?\nTake the 9:10 train to Sintra, it will be sunny.",
    "answer": "It survives crashes, deploys and restarts.\nand restarts.",
    "approval": "order-1: 9.00 paid back\nwaiting for a decision\norder-2: 900.00 paid back",
    "copying": "3 pages",
    "digest": "2027-03-27 07:30:00+01:00\n2027-03-28 07:30:00+02:00\n07:30 for Ada, Bob\nhome: a page",
    "haggling": "Answer(leads=True, highest=5000)\nAnswer(leads=False, highest=5000)\nclock: Ada pays 50.00",
    "indexing": "16",
    "orders": "paid 1275.00\npacked 2 x coffee\npacked 100 x filter",
    "poller": "3\nshop/1 SUCCESS\nshop/2 SUCCESS\nshop SUCCESS",
    "transfer": "Ada has 30.00 left\nAda does not have 90.00",
    "progress": "True\n600\n{'page': 3, 'of': 3}",
}


@pytest.mark.parametrize("example", PRINTS)
def test_an_example_runs(example: str, empty_database_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{example}.py")],
        capture_output=True, text=True, timeout=50,
        env={**os.environ, "DURABLY_DATABASE_URL": empty_database_url},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, PRINTS[example]), done.stderr
