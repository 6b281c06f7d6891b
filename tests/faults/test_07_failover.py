"""Row 7: the primary dies, and a standby is promoted that has all that was acknowledged, or not the last."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from psycopg import conninfo

from tests.faults import history
from tests.faults.cluster import Cluster
from tests.faults.fleet import Fleet
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.table import Table
from tests.support.databases import Databases
from tests.support.server import Server


@pytest.mark.parametrize("synchronous", [True, False], ids=["synchronous", "asynchronous"])
def test_a_standby_is_promoted(synchronous: bool, tmp_path: Path, is_full: bool, table: Table) -> None:
    """Every workflow that the new primary knows ends; with a synchronous standby it knows all."""
    times = 10 if is_full else 1
    told = lost = bad = 0
    slowest = 0.0
    for number in range(times):
        ledger = Ledger(tmp_path / f"ledger-{number}")
        report, seconds = fail_over(ledger, synchronous=synchronous)
        told += ledger.count("told")
        lost += len(report.lost)
        bad += len(report.bad) + len(report.wrong)
        slowest = max(slowest, seconds)
        ledger.close()
        assert report.unended == []
        assert report.early == []
        if synchronous:
            assert report.problems == []
    table.add(
        7,
        f"failover to {'a synchronous' if synchronous else 'an asynchronous'} standby",
        goal="0 rows never ended; synchronous: 0 acknowledged lost",
        figures=f"{times} times: {told} acknowledged, {lost} of them lost, 0 never ended, {bad} results or "
        f"checkpoints differ; all ended {slowest:.1f} s after the promotion",
    )
    assert synchronous or lost > 0, "the tail was not lost: this tested nothing"


def fail_over(ledger: Ledger, *, synchronous: bool) -> tuple[history.Report, float]:
    """Kill the primary under load, promote its standby; the report, and when all had ended."""
    with Cluster() as primary:
        url = Databases(Server(primary.url, is_embedded=False)).migrated()
        standby = primary.standby()
        try:
            standby.start()
            if synchronous:
                primary.configure(synchronous_standby_names="*", synchronous_commit="on")
                await_sync(primary)
            fleet = Fleet(both(url, primary, standby), ledger)
            try:
                for _ in range(2):
                    fleet.launch()
                with Load(fleet, "climb", 4, 0.1, pace=0.03):
                    fleet.until(lambda: ledger.count("end") > 40, 20)
                    if not synchronous:  # from now on the standby hears nothing: this is the tail
                        standby.configure(primary_conninfo="")
                        done = ledger.count("end")
                        fleet.until(lambda: ledger.count("end") > done + 60, 20)
                    primary.stop("immediate")
                    standby.promote()
                    promoted = time.monotonic()
                    begun = ledger.count("begin")
                    fleet.until(lambda: ledger.count("begin") > begun + 20, 20)
                fleet.wait_until_idle(30)
                return history.check(history.read(fleet.url, ledger.events())), time.monotonic() - promoted
            finally:
                fleet.stop()
        finally:
            standby.__exit__()


def both(url: str, primary: Cluster, standby: Cluster) -> str:
    """One URL of both servers: libpq takes the one that can be written to."""
    database = conninfo.conninfo_to_dict(url)["dbname"]
    return (
        f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{database}"
        "?target_session_attrs=read-write&sslmode=disable&gssencmode=disable"
    )


def await_sync(primary: Cluster) -> None:
    pause, end = threading.Event(), time.monotonic() + 20
    while primary.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
        assert time.monotonic() < end, "the standby does not become synchronous"
        pause.wait(0.05)
