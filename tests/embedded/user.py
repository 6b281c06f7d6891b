"""A process that uses the embedded server until it is told to leave: `python user.py HOME`.

It prints the server's URL, or the error, and leaves at the end of its input. Like the keeper it makes
`durably` known as a bare directory: dozens of these start, and each would spend half a second
on the rest of durably.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

found = importlib.util.find_spec("durably")
assert found is not None
sys.modules["durably"] = ModuleType("durably")
sys.modules["durably"].__path__ = list(found.submodule_search_locations or ())

from durably.embedded import start  # noqa: E402 - see above
from durably.errors import EmbeddedUnavailable  # noqa: E402


def main() -> None:
    try:
        server = start(sys.argv[1], durable=False)
    except EmbeddedUnavailable as error:
        print("error:", error, flush=True)
        return
    print(server.url(), server.bin("psql"), flush=True)
    sys.stdin.read()
    server.stop()


main()
