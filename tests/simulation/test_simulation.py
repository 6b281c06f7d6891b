"""The engine survives what a seed can think of, and the simulation would notice if it did not.

A failure prints its seed. More seeds: `python -m tests.simulation --seeds 10000`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import Mutant, simulate

SEEDS, GROUPS = 300, 10
ENOUGH = 1000  # seeds within which every planted bug must be found


def seeds_of(group: int) -> range:
    return range(group * SEEDS // GROUPS, (group + 1) * SEEDS // GROUPS)


@pytest.mark.parametrize("group", range(GROUPS))
def test_nothing_breaks(group: int, request: pytest.FixtureRequest) -> None:
    """300 simulations; with `--seed` that one alone."""
    chosen = request.config.getoption("--seed", default=None)
    if chosen is not None and group > 0:
        return
    for seed in seeds_of(group) if chosen is None else [chosen]:
        verdict = simulate(seed, keep_trace=chosen is not None)
        assert not verdict.wrong, "\n".join([*verdict.trace, str(verdict)])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant: Mutant) -> None:
    assert any(simulate(seed, mutant=mutant).wrong for seed in range(ENOUGH)), (
        f"{mutant.name}: not found within {ENOUGH} seeds"
    )


def test_a_verdict_says_how_to_replay_it() -> None:
    without_fence = MUTANTS[0]
    verdict = next(v for v in (simulate(s, mutant=without_fence) for s in range(ENOUGH)) if v.wrong)
    assert f"python -m tests.simulation --seed {verdict.seed}" in str(verdict)


@pytest.mark.parametrize("seed", [1, 7, 190])
def test_a_seed_is_always_the_same_run(seed: int) -> None:
    first, second = simulate(seed, keep_trace=True), simulate(seed, keep_trace=True)
    assert first.trace == second.trace
    assert first.fingerprint == second.fingerprint
    assert len(first.trace) > 30


def test_a_seed_is_the_same_run_in_another_process() -> None:
    """Nothing depends on addresses or on the hashes of strings, which differ between processes."""
    fingerprints = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "190", "--fingerprint"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2", "3")
    }
    assert fingerprints == {simulate(190, fingerprint=True).fingerprint + "\n"}


def test_seeds_differ() -> None:
    assert len({simulate(seed, fingerprint=True).fingerprint for seed in range(5)}) == 5
