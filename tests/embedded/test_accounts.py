"""Root and ordinary users, and whose files are whose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from durably.embedded import account, binaries, start
from durably.errors import EmbeddedUnavailable
from tests.embedded.conftest import NOBODY, copy
from tests.embedded.house import House
from tests.embedded.test_sharing import ask

pytestmark = pytest.mark.usefixtures("as_root")


@pytest.fixture
def closed(pattern: Path) -> Iterator[House]:
    """A home that only root can enter."""
    place = Path(tempfile.mkdtemp(prefix="durably-test-", dir="/root"))
    house = House(place / "home")
    yield house
    house.close()
    shutil.rmtree(place)


def python_for_everybody() -> str:
    """A Python of our version that an ordinary user can run; pyenv under /root is not."""
    for one in (sys.executable, "/usr/bin/python3"):
        if version_as_nobody(one) == str(sys.version_info[:2]):
            return one
    pytest.skip("no Python that an ordinary user can run")


def version_as_nobody(python: str) -> str:
    command = [python, "-c", "import sys; print(sys.version_info[:2])"]
    try:
        return subprocess.check_output(command, user=NOBODY, group=NOBODY, extra_groups=[], text=True).strip()
    except OSError:
        return ""


def path_of_ours() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"}


def enter_as_nobody(house: House) -> None:
    house.enter(python=python_for_everybody(), uid=NOBODY, env=path_of_ours())


def test_as_root_the_server_runs_without_privileges(house: House) -> None:
    with start(house.home, durable=False) as server:
        status = Path(f"/proc/{house.postmaster}/status").read_text()
        assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}\n" in status
        assert "Groups:\t \n" in status
        assert "CapEff:\t0000000000000000\n" in status
        assert server.data_directory.stat().st_mode & 0o777 == 0o700


def test_an_ordinary_user(empty: House) -> None:
    os.chown(empty.home.parent, NOBODY, NOBODY)
    enter_as_nobody(empty)
    assert ask(empty.users[0].url, "select 1") == "1"
    assert empty.is_kept()
    assert empty.root.stat().st_uid == NOBODY
    assert empty.root.stat().st_mode & 0o777 == 0o700
    empty.users[0].leave()
    assert not empty.runs()


def test_root_shares_the_server_of_an_ordinary_user(empty: House) -> None:
    os.chown(empty.home.parent, NOBODY, NOBODY)
    enter_as_nobody(empty)
    assert ask(empty.users[0].url, "select 1") == "1"
    root = empty.enter()
    assert root.url == empty.users[0].url
    empty.users[0].leave()
    assert ask(root.url, "select 1") == "1"
    root.leave()
    assert not empty.runs()
    enter_as_nobody(empty)
    assert ask(empty.users[-1].url, "select 1") == "1"


def test_the_home_of_another_user_is_refused(house: House) -> None:
    enter_as_nobody(house)
    assert "belongs to another user (uid 0): set DURABLY_HOME" in house.users[0].said


def test_a_home_that_the_account_cannot_enter_has_its_data_elsewhere(closed: House) -> None:
    with start(closed.home, durable=False) as server:
        with psycopg.connect(server.url()) as connection:
            connection.execute("create table kept as select 42 as answer")
        elsewhere = closed.base
        assert elsewhere.parent == account.ELSEWHERE
    with start(closed.home, durable=False) as server:
        assert ask(server.url(), "select answer from kept") == "42"
    assert Path("/root").stat().st_mode & 0o777 == 0o700


def test_a_test_cluster_elsewhere_is_deleted_after_its_home(closed: House) -> None:
    start(closed.home, durable=False).stop()
    abandoned = closed.base
    shutil.rmtree(closed.home)
    start(closed.home, durable=False).stop()
    assert closed.base != abandoned
    assert not abandoned.exists()


def test_data_that_was_elsewhere_and_is_gone_is_not_begun_anew(closed: House) -> None:
    start(closed.home, durable=False).stop()
    shutil.rmtree(closed.base)
    with pytest.raises(EmbeddedUnavailable, match="which is gone: restore it"):
        start(closed.home, durable=False)
    shutil.rmtree(closed.home)


def test_programs_that_the_account_cannot_reach_are_copied(
    house: House, closed: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    package = found.directory.parent.parent
    site = closed.home.parent / "site-packages"
    site.mkdir()
    for part in (found.directory.parent, package.with_name(f"{package.name}.libs")):
        copy(part, site / part.name)
    (site / package.name).mkdir()
    (site / found.directory.parent.name).rename(site / package.name / found.directory.parent.name)
    monkeypatch.setattr(binaries, "ELSEWHERE", house.home.parent / "elsewhere")
    hidden = binaries.Binaries(site / found.directory.relative_to(package.parent), found.major)

    server = account.choose(house.base / "data")
    copied = binaries.within_reach(hidden, server)
    assert copied.directory.is_relative_to(house.home.parent / "elsewhere")
    assert "initdb (PostgreSQL)" in server.run(copied.program("initdb"), "--version", cwd=Path("/")).stdout
    assert "PostgreSQL" in server.run(copied.program("psql"), "--version", cwd=Path("/")).stdout
    assert binaries.within_reach(hidden, server) == copied
    assert binaries.within_reach(found, server) == found


def test_a_strict_umask_does_not_shut_the_account_out(empty: House) -> None:
    before = os.umask(0o077)
    try:
        with start(empty.home, durable=False) as server:
            assert ask(server.url(), "select 1") == "1"
            assert empty.base == empty.root
    finally:
        os.umask(before)
