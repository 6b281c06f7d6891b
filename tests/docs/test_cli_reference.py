"""docs/cli.md is what the commands say."""

from __future__ import annotations

from durably.cli.failures import EXIT_CODES
from tools.generate_cli_docs import TARGET, generate


def test_the_reference_is_as_generated() -> None:
    assert TARGET.read_text("utf-8") == generate(), "run python -m tools.generate_cli_docs"


def test_every_exit_code_is_in_it() -> None:
    assert [code for code in EXIT_CODES if f"| {code} |" not in generate()] == []
