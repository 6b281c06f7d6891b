"""The examples in the documents and docstrings run as they are printed."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import durably
from tests.docs import examples

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(durably.__path__, "durably.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
@pytest.mark.timeout(120)
def test_a_document_runs(document: Path, tmp_path: Path, empty_database_url: str) -> None:
    found = examples.read(document)
    for name, code in found.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    script = tmp_path / "document.py"
    script.write_text(found.program)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path, capture_output=True, text=True, timeout=110,
        env={**os.environ, "DURABLY_DATABASE_URL": empty_database_url, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    said = done.stdout + done.stderr.replace(str(script), str(document))
    assert done.returncode == 0, said


@pytest.mark.parametrize("name", MODULES)
def test_a_docstring_runs(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def test_examples_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(
        "# t\n\n<!-- run: file=a.py -->\n```python\nA = 1\n```\n\n<!-- run -->\n\n```python\nimport a\n```\n"
    )
    found = examples.read(path)
    assert found.files == {"a.py": "A = 1\n"}
    assert found.program == "\n" * 10 + "import a\n"


def test_a_lonely_mark_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("<!-- run -->\n\nprose\n\n```python\n```\n")
    with pytest.raises(ValueError, match="without a fenced block"):
        examples.read(path)
