"""A process that uses the embedded server until it is told to leave: `python user.py HOME`.

It prints the server's URL, or the error, and leaves at the end of its input.
"""

from __future__ import annotations

import sys

from durably.embedded import start
from durably.errors import EmbeddedUnavailable


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
