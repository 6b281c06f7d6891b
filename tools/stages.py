"""Runs what CI runs, stage by stage, and says how long each took: `make ci`.

Needs nothing but Python: the first stage makes the environment. The tests are the last stage, so that their
closing line is at the end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAKE = ("make", "--no-print-directory", "--keep-going", f"--jobs={os.cpu_count()}")


def main() -> int:
    """Run the stages in order; stop at the first that fails."""
    durations: dict[str, float] = {}
    for target in stages():
        print(f"\n=== make {target}", flush=True)
        began = time.monotonic()
        code = subprocess.run([*MAKE, *target.split()], cwd=ROOT, check=False).returncode
        durations[target] = time.monotonic() - began
        if code != 0:
            print(f"\nmake {target} failed after {durations[target]:.0f} s", flush=True)
            return code
    print("\n" + "\n".join(f"{seconds:6.0f} s  make {target}" for target, seconds in durations.items()))
    return 0


def stages() -> list[str]:
    """Return the make targets of CI, in order; those of one stage run side by side."""
    bench = ["bench-smoke"] if (ROOT / "bench" / "__main__.py").exists() else []
    return ["install", "lint longest peers", *bench, "simulate", "test"]


if __name__ == "__main__":
    sys.exit(main())
