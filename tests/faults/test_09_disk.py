"""Row 9: the disk is full."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import history
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server

GOAL = "all right, <= 5 s after room"


@pytest.fixture
def disk() -> Iterator[Path | None]:
    """A file system of 48 MB, where the machine lets us mount one."""
    path = Path(tempfile.mkdtemp(prefix="durably-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        path.rmdir()
        yield None
        return
    yield path
    subprocess.run(["umount", str(path)], check=True)
    path.rmdir()


def test_the_disk_is_full_for_a_while(disk: Path | None, ledger: Ledger, is_full: bool, table: Table) -> None:
    """The database's tables cannot grow; the server stays up, and everything goes on once there is room."""
    if disk is None:
        return table.add(9, "disk full", goal=GOAL, figures="not run: this machine lets nobody mount a disk")
    seconds = 15.0 if is_full else 3.0
    with Cluster() as cluster:
        space = disk / "space"
        space.mkdir()
        os.chown(space, cluster.account.uid, cluster.account.gid)
        disk.chmod(0o755)
        url = Databases(Server(cluster.url, is_embedded=False)).migrated()
        database = url.rpartition("/")[2].partition("?")[0]
        cluster.execute(
            f"CREATE TABLESPACE small LOCATION '{space}'", f'ALTER DATABASE "{database}" SET TABLESPACE small'
        )
        fleet = Fleet(url, ledger)
        try:
            workers = [fleet.launch() for _ in range(2)]
            with Load(fleet, "climb", 5, 0.05, pace=0.005) as load:
                fleet.until(lambda: ledger.count("end") > 20, 20)
                filler = fill(disk)
                fleet.until(lambda: any("No space" in line for one in workers for line in one.log), 20)
                threading.Event().wait(seconds)
                filler.unlink()
                ended = ledger.count("end")
                on_again = fleet.until(lambda: ledger.count("end") > ended + 5, 20)
            fleet.wait_until_idle(30)
            report = history.check(history.read(url, ledger.events()))
        finally:
            fleet.stop()
    table.add(
        9,
        f"disk full for {seconds:g} s",
        goal=GOAL,
        figures=f"{len(load.ids)} workflows, {len(report.problems)} problems, on after {on_again:.1f} s",
    )
    assert report.problems == []
    assert load.errors == []
    assert on_again <= 5.0


def fill(disk: Path) -> Path:
    """Take what room there is."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65536)
        except OSError:
            return filler
