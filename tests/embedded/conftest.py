from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from durably.embedded import start
from tests.embedded.house import House

NOBODY = 65534


@pytest.fixture(scope="session")
def ground() -> Iterator[Path]:
    """A directory that everybody may enter: pytest's own is closed to the account of root's server."""
    memory = Path("/dev/shm")  # where there is one: dozens of clusters are copied
    ground = Path(tempfile.mkdtemp(prefix="durably-test-", dir=memory if memory.is_dir() else "/tmp"))
    ground.chmod(0o755)
    yield ground
    shutil.rmtree(ground)


@pytest.fixture(scope="session")
def pattern(ground: Path) -> Path:
    """A home with a cluster that was started once and stopped; tests copy it, which is faster than initdb."""
    home = ground / "pattern"
    start(home, durable=False).stop()
    return home


@pytest.fixture
def empty(ground: Path) -> Iterator[House]:
    """A home that does not exist yet."""
    place = Path(tempfile.mkdtemp(dir=ground))
    place.chmod(0o755)
    house = House(place / "home")
    yield house
    house.close()
    shutil.rmtree(place)


@pytest.fixture
def house(empty: House, pattern: Path) -> House:
    """A home with an empty cluster that does not run."""
    copy(pattern, empty.home)
    return empty


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root hands the server to another account")


def copy(home: Path, to: Path) -> None:
    """With owners and modes, but without the locks' contents mattering."""
    subprocess.run(["cp", "-a", home, to], check=True)
