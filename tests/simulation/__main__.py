"""python -m tests.simulation --seeds 10000 [--from 0] [--jobs 2]     many seeds, and a table
python -m tests.simulation --seed 17                                one seed, with its trace
python -m tests.simulation --mutants                                how soon each planted bug is found
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import Verdict, simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--fingerprint", action="store_true", help="with --seed: print only the trace's hash")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mutants", action="store_true")
    options = parser.parse_args()
    if options.seed is not None:
        return _replay(options.seed, only_fingerprint=options.fingerprint)
    if options.mutants:
        return _hunt(options.seeds)
    return _sweep(range(options.first, options.first + options.seeds), options.jobs)


def _replay(seed: int, *, only_fingerprint: bool) -> int:
    verdict = simulate(seed, keep_trace=not only_fingerprint, fingerprint=True)
    print(*verdict.trace, sep="\n", end="\n" if verdict.trace else "")
    print(verdict.fingerprint if only_fingerprint else verdict if verdict.wrong else f"seed {seed} holds")
    return bool(verdict.wrong)


def _sweep(seeds: range, jobs: int) -> int:
    began, verdicts = time.monotonic(), []
    for verdict in _run(seeds, jobs):
        verdicts.append(verdict)
        if verdict.wrong:
            print(verdict, flush=True)
    broken = [verdict.seed for verdict in verdicts if verdict.wrong]
    took = time.monotonic() - began
    print(f"seeds       {len(verdicts):>10,}   ({seeds.start} to {seeds.stop - 1})")
    print(f"broken      {len(broken):>10,}   {broken[:20] or ''}")
    print(f"faults      {sum(v.faults for v in verdicts):>10,}")
    print(f"claims      {sum(v.claims for v in verdicts):>10,}")
    print(f"step bodies {sum(v.bodies for v in verdicts):>10,}")
    print(f"simulated   {sum(v.seconds for v in verdicts) / 3600:>10,.1f} h in {took:,.0f} s", end="")
    print(f", {len(verdicts) / took:.1f} seeds/s")
    return bool(broken)


def _run(seeds: range, jobs: int) -> Iterator[Verdict]:
    if jobs <= 1:
        yield from map(simulate, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(simulate, seeds, chunksize=10)


def _hunt(most: int) -> int:
    missed = 0
    for mutant in MUTANTS:
        verdict = next((v for v in (simulate(s, mutant=mutant) for s in range(most)) if v.wrong), None)
        missed += verdict is None
        found = f"seed {verdict.seed:>5}: {verdict.wrong[0][:90]}" if verdict else f"not within {most} seeds"
        print(f"{mutant.name:34} {found}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main())
