"""The commands in docs/http-api.md run as they are printed, and answer what is printed below them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.console.api import served_api
from tests.docs import examples

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "http-api.md"
BLOCK = re.compile(r"^```sh\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


@contextmanager
def worker(folder: Path, database_url: str) -> Iterator[None]:
    """The document's application, as the document says that it is run."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("durably")), "worker", "shop:app"],
        cwd=folder,
        env={**os.environ, "DURABLY_SYSTEM_DATABASE_URL": database_url},
        stderr=subprocess.PIPE,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_the_commands_answer_what_the_document_says(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "shop.py").write_text(examples.read(DOCUMENT).files["shop.py"])
    blocks = [match["code"] for match in BLOCK.finditer(DOCUMENT.read_text())]
    assert len(blocks) >= 6
    with served_api(database_url) as api, worker(tmp_path, database_url):
        for block in blocks:
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", block],
                cwd=tmp_path, env={**os.environ, "API": api}, capture_output=True, text=True, timeout=50,
            )  # fmt: skip
            assert done.returncode == 0, block + done.stdout + done.stderr
            for line in re.findall(r"^# ?(.*)$", block, re.MULTILINE):
                assert line in done.stdout, f"{line!r} is not in {done.stdout!r}"
