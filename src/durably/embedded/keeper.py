"""The keeper: a small process that lives beside the server and covers what kill -9 leaves undone.

Once a second it asks two questions, under the change lock: does the server have users (if none, it stops the
server and ends), and does a server that has users live (if not, it starts it again). Users who leave in good
order stop the server themselves, so nothing but the kill -9 cases depends on it.

It runs as a script, `python -I -S keeper.py`, and sees of durably only this package and the errors: importing
`durably` would load the driver and everything else into a process that waits.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from durably.embedded.binaries import Binaries
    from durably.embedded.place import Place

__all__ = ["ensure_running"]


def ensure_running(place: Place, binaries: Binaries) -> None:
    """Start a keeper for this place if none lives; called with the change lock held."""
