"""`pytest tests/simulation --seed 17` replays one seed."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="run this simulation only, with its trace")
