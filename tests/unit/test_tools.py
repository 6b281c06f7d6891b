"""The small tools of CI."""

from __future__ import annotations

from pathlib import Path

from tools import longest, stages

SOURCE = '''
class A:
    def short(self) -> int:
        """One sentence.

        Which does not count.
        """
        return 1

    async def long(self) -> int:
        def inner() -> int:
            return 2

        return inner()
'''


def test_a_function_is_as_long_as_its_code(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SOURCE)
    assert {found.name: found.lines for found in longest.functions_of(path)} == {
        "short": 2,
        "long": 5,
        "inner": 2,
    }


def test_the_summary_counts_the_long_ones() -> None:
    assert longest.summary([2, 4, 6, 51]) == "median 5, p90 38, over 50 lines: 25.0 %"


def test_tests_are_the_last_stage() -> None:
    assert stages.stages()[-1] == "test"
