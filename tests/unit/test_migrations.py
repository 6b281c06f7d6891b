"""The steps of the extension schema: one for each number, whoever else added one meanwhile."""

from __future__ import annotations

from pathlib import Path

import durably
from durably.store import migrate

DIRECTORY = Path(durably.__file__).parent / "store" / "migrations" / "durably"


def test_each_number_has_one_step_and_the_last_one_is_known() -> None:
    numbers = sorted(int(path.name.partition("_")[0]) for path in DIRECTORY.glob("*.sql"))
    assert numbers == list(range(1, migrate.KNOWN_EXTENSION + 1))
