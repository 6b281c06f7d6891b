"""`durably worker`: it starts, says so, drains, and explains why it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import APPS, Durably, background

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "tickets.py"
SHOP = f"{APPS / 'shop.py'}:app"


def first_line(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()


def test_it_says_what_it_runs_and_stops_when_told(system: Durably) -> None:
    with background(system.start("worker", SHOP)) as worker:
        line = first_line(worker)
        assert line.startswith("ready: shop, version v1, executor ")
        assert "/test_" in line
        worker.send_signal(signal.SIGTERM)
        out, err = worker.communicate(timeout=20)
    assert (worker.returncode, out) == (0, "")
    assert "stopping shop" in err
    assert "stopped shop" in err


def test_json_is_one_line(system: Durably) -> None:
    with background(system.start("worker", SHOP, "--json")) as worker:
        facts = json.loads(first_line(worker))
        worker.send_signal(signal.SIGINT)
        out, _ = worker.communicate(timeout=20)
    assert list(facts) == ["application_name", "app_version", "executor_id", "database"]
    assert (worker.returncode, out) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_running_work_is_ended_before_it_stops(system: Durably, number: signal.Signals) -> None:
    with background(system.start("worker", SHOP)) as worker:
        first_line(worker)
        system("enqueue", "labour", "2", "--queue", "orders", "--id", "w")
        assert system("event", "w", "status").out == "labouring\n"
        worker.send_signal(number)
        worker.communicate(timeout=20)
    assert worker.returncode == 0
    assert system("workflow", "get", "w", "--json").json["status"] == "SUCCESS"


def test_a_second_signal_stops_at_once(system: Durably) -> None:
    with background(system.start("worker", SHOP)) as worker:
        first_line(worker)
        system("enqueue", "labour", "60", "--queue", "orders", "--id", "w")
        assert system("event", "w", "status").out == "labouring\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.stderr is not None
        while "stopping shop" not in worker.stderr.readline():
            pass
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=5)
    assert worker.returncode == 130
    assert system("workflow", "get", "w", "--json").json["status"] == "PENDING"


def test_a_module_is_found_in_the_working_directory(system: Durably) -> None:
    here = Durably(system.environment, cwd=APPS)
    with background(here.start("worker", "shop:app")) as worker:
        assert first_line(worker).startswith("ready: shop")


def test_the_quick_start(nowhere: Durably) -> None:
    """As the README has it: nothing is there, a URL of the embedded server, a worker, a client."""
    url = nowhere("db", "url", "--app", "shop").out.strip()
    here = Durably({"DURABLY_DATABASE_URL": url}, cwd=nowhere.cwd)
    with background(here.start("worker", SHOP)) as worker:
        assert first_line(worker).startswith("ready: shop")
        assert here("enqueue", "say", "hello", "--queue", "orders", "--wait").out == "hello\n"
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=20)
    assert worker.returncode == 0
    [listed] = here("workflow", "list", "--json").json
    assert listed["status"] == "SUCCESS"


def test_the_example(nowhere: Durably, tmp_path: Path) -> None:
    here = Durably({"DURABLY_HOME": str(tmp_path / "home")}, cwd=nowhere.cwd)
    with background(here.start("worker", f"{EXAMPLE}:app")) as worker:
        assert first_line(worker).startswith("ready: tickets")
        bought = subprocess.run(
            [sys.executable, str(EXAMPLE)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **here.environment},
        )
    assert (bought.returncode, bought.stderr) == (0, "")
    assert "{'stage': 'charged'}" in bought.stdout
    assert "'receipt': '50.00 from 4242" in bought.stdout


def test_the_quick_start_in_any_order(nowhere: Durably) -> None:
    """A client may come before the first worker, and after the last: it keeps the embedded server running."""
    url = nowhere("db", "url", "--app", "shop").out.strip()
    program = "import durably\nwith durably.DBOSClient.create() as client: print(client.count_workflows())"
    for cwd in (nowhere.cwd, Path("/")):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=cwd, env={**os.environ, "DURABLY_DATABASE_URL": url},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_the_database_of_the_command_line_comes_first(nowhere: Durably) -> None:
    url = "postgresql://ada:secret@127.0.0.1:1/shop"
    done = nowhere("worker", SHOP, "--database-url", url)
    assert (done.code, done.out) == (4, "")
    assert "shop_dbos_sys" in done.err
    assert "secret" not in done.err


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nonsense:app", "there is no module 'nonsense'"),
        ("missing.py:app", "there is no file missing.py"),
        ("json:app", "json has no attribute 'app'; make one there"),
        (f"{APPS / 'shop.py'}:shop", "did you mean"),
        (f"{APPS / 'shop.py'}:not_an_app", "is a str, not an App; did you mean"),
        ("broken:app", "broken.py:2: ZeroDivisionError: division by zero"),
        ("needs:app", "needs.py:1: ModuleNotFoundError: No module named 'nonsense'"),
        ("grammar.py:app", "SyntaxError"),
    ],
)
def test_what_cannot_be_imported(nowhere: Durably, tmp_path: Path, target: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("x = 0\n1 / x\n")
    (tmp_path / "needs.py").write_text("import nonsense\n")
    (tmp_path / "grammar.py").write_text("def (\n")
    done = nowhere("worker", target)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) <= 2
