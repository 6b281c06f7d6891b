"""A diagnosis of real databases: healthy, DBOS's alone, behind a pooler, of roles that may little, ill."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from durably import DBOSClient
from durably.client.diagnosing import diagnose_database
from durably.core.names import STRANDED_UNTIL_MS
from durably.store.sql import Schemas, statement
from durably.types import Finding
from tests.engine.support import rows

Found = dict[str, list[Finding]]
OF_THE_TEST_SERVER = {"durability"}  # it runs without fsync


def found_at(url: str) -> Found:
    found: Found = {}
    for finding in asyncio.run(diagnose_database(url)):
        found.setdefault(finding.check, []).append(finding)
    return found


def levels(found: Found) -> dict[str, str]:
    return {
        check: max((each.level for each in findings), key=["ok", "warning", "error"].index)
        for check, findings in found.items()
        if check not in OF_THE_TEST_SERVER
    }


def test_a_healthy_database_is_ok_in_every_respect(database_url: str) -> None:
    found = levels(found_at(database_url))
    assert set(found.values()) == {"ok"}, found
    assert {
        "connection",
        "clock",
        "notices",
        "schema",
        "extension",
        "privileges",
        "indexes",
        "vacuum",
    } <= set(found)
    assert {"executors", "queues", "stranded", "dead_letters", "schedules"} <= set(found)


def test_a_client_diagnoses_its_own_database(database_url: str) -> None:
    with DBOSClient.create(system_database_url=database_url) as client:
        assert {finding.check for finding in client.diagnose()} >= {"connection", "queues"}


def test_a_database_of_dbos_alone_lacks_only_the_extension(database_url: str) -> None:
    rows(database_url, "DROP SCHEMA durably CASCADE")
    found = found_at(database_url)
    assert {check for check, level in levels(found).items() if level != "ok"} == {"extension"}
    assert "durably db migrate" in str(found["extension"][0].advice)


def test_a_database_without_tables_is_looked_at_as_far_as_it_goes(empty_database_url: str) -> None:
    found = found_at(empty_database_url)
    assert found["schema"][0].level == "error"
    assert "durably db migrate" in str(found["schema"][0].advice)
    assert "connection" in found and "queues" not in found


@pytest.fixture
def role(database_url: str) -> Iterator[str]:
    """A role that may connect, and no more."""
    name = f"reader_{os.urandom(4).hex()}"
    rows(database_url, f"CREATE ROLE {name} LOGIN")
    yield name
    rows(database_url, f"DROP OWNED BY {name}")
    rows(database_url, f"DROP ROLE {name}")


def test_a_role_that_only_reads_is_told_what_it_may_not(database_url: str, role: str) -> None:
    for schema in ("dbos", "durably"):
        rows(database_url, f"GRANT USAGE ON SCHEMA {schema} TO {role}")
        rows(database_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    found = found_at(as_role(database_url, role))
    (privileges,) = found["privileges"]
    assert privileges.level == "warning"
    assert "may read" in privileges.seen
    assert any(example.startswith("enqueue: needs INSERT") for example in privileges.examples)
    assert {check for check, level in levels(found).items() if level == "error"} == set()
    assert {"queues", "executors"} <= set(found)


def test_a_role_without_any_right_is_told_so(database_url: str, role: str) -> None:
    found = found_at(as_role(database_url, role))
    assert found["privileges"][0].level == "error"
    assert "GRANT" in str(found["privileges"][0].advice)
    assert "permission denied" in found["unread"][0].seen


def as_role(url: str, role: str) -> str:
    return conninfo.make_conninfo(url, user=role)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("postgresql://app@127.0.0.1:{port}/shop", "refused"),
        ("postgresql://app@no-such-host.invalid/shop", "DNS"),
        ("postgresql:///shop?host=/no/such/directory", "refused"),
    ],
)
def test_a_server_that_cannot_be_reached_is_a_finding(url: str, kind: str) -> None:
    found = found_at(url.format(port=free_port()))
    (finding,) = found["connection"]
    assert list(found) == ["connection"]
    assert (finding.level, finding.seen.partition(":")[0]) == ("error", kind)


def test_a_database_that_is_not_there_is_a_finding(database_url: str) -> None:
    found = found_at(conninfo.make_conninfo(database_url, dbname="no_such_database"))
    assert found["connection"][0].seen.startswith("no database")


@pytest.fixture
def pooler(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The database behind a PgBouncer in transaction mode."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer: apt-get install pgbouncer")
    parts = conninfo.conninfo_to_dict(database_url)
    port, settings = free_port(), tmp_path / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={parts['host']} port={parts.get('port', 5432)} "
        f"user={parts.get('user', 'postgres')}\n"
        f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=any\n"
        "pool_mode=transaction\nignore_startup_parameters=extra_float_digits\n"
    )
    options = ["-u", pwd.getpwuid(os.stat(str(parts["host"])).st_uid).pw_name] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, "-q", *options, str(settings)], stdin=subprocess.DEVNULL)
    url = f"postgresql://anybody@127.0.0.1:{port}/{parts['dbname']}"
    wait_until_up(url)
    yield url
    process.terminate()
    process.wait(10)


def wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            return psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline


def test_a_pooler_in_transaction_mode_is_found_out(pooler: str) -> None:
    found = found_at(pooler)
    (notices,) = found["notices"]
    assert notices.level == "warning"
    assert "transaction" in notices.seen
    assert {check for check, level in levels(found).items() if level != "ok"} == {"notices"}


def test_indexes_that_are_gone_or_broken_are_named(database_url: str) -> None:
    rows(database_url, "DROP INDEX dbos.idx_workflow_status_delayed")
    (finding,) = found_at(database_url)["indexes"]
    assert finding.examples == ("idx_workflow_status_delayed on workflow_status",)
    rows(
        database_url,
        "UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'dbos.idx_workflow_status_pending'::regclass",
    )
    (finding,) = found_at(database_url)["indexes"]
    assert finding.examples == ("dbos.idx_workflow_status_pending on workflow_status",)


def test_an_old_transaction_is_seen(database_url: str) -> None:
    query = statement("doctor/transactions", Schemas())
    with psycopg.connect(database_url) as holding, psycopg.connect(database_url) as looking:
        holding.execute("SELECT txid_current()")
        answer = looking.execute(query, {"seconds": 0}).fetchall()
        assert [row[1] for row in answer] == [str(holding.info.backend_pid)]


def test_trouble_with_the_work_is_found(database_url: str) -> None:
    rows(
        database_url,
        "INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, application_name, "
        "executor_id, delay_until_epoch_ms) VALUES "
        "('lost', 'ENQUEUED', 'w', 'no-such-queue', 'shop', NULL, NULL), "
        "('orphan', 'PENDING', 'w', 'q', 'shop', 'gone', NULL), "
        "('dead', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', 'w', 'q', 'shop', NULL, NULL), "
        "('stranded', 'DELAYED', 'w', 'q', 'shop', NULL, %s)",
        STRANDED_UNTIL_MS,
    )
    rows(
        database_url,
        "INSERT INTO durably.executors (executor_id, application_name, application_version, host, "
        "expires_at, lease_seconds) VALUES ('gone', 'shop', 'v1', 'h', now() - interval '1 hour', 15)",
    )
    rows(
        database_url,
        "INSERT INTO dbos.workflow_schedules (schedule_id, schedule_name, workflow_name, schedule, context, "
        "last_fired_at) VALUES ('s', 'nightly', 'w', '* * * * *', 'null', '2026-01-01T00:00:00+00:00')",
    )
    found = found_at(database_url)
    assert {check: found[check][0].level for check in ("executors", "queues", "stranded", "schedules")} == {
        "executors": "error",
        "queues": "error",
        "stranded": "error",
        "schedules": "error",
    }
    assert found["dead_letters"][0].examples == ("dead",)
    assert "lost" in found["queues"][0].examples[0]
    assert "orphan" in found["executors"][0].examples[0]
    assert "nightly" in found["schedules"][0].examples[0]
