"""Worker processes that tests start, kill, freeze and stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from durably import DBOSClient, EnqueueOptions
from tests.faults.history import TERMINAL
from tests.faults.ledger import Ledger

__all__ = ["Fleet", "Worker", "eventually"]

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0


class Worker:
    """One process of `tests.faults.worker`; what it printed is in `log`."""

    def __init__(self, url: str, ledger: Ledger, options: dict[str, Any], prefix: Sequence[str] = ()) -> None:
        command = [
            *prefix,
            sys.executable,
            "-m",
            "tests.faults.worker",
            url,
            str(ledger.path),
            json.dumps(options),
        ]
        self.options = options
        self.log: list[str] = []
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def is_frozen(self) -> bool:
        """Whether SIGSTOP has reached it, whoever sent it."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def wait_ready(self) -> None:
        """Wait until it runs workflows."""
        if not self._ready.wait(START_SECONDS) or not self.lives:
            raise AssertionError(f"worker {self.pid} did not start:\n" + "\n".join(self.log))

    def kill(self) -> None:
        """SIGKILL; a second time it does nothing."""
        self._process.kill()
        self._process.wait(10)
        self._close()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM, and its exit code."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(30)
        self._close()
        return code

    def _close(self) -> None:
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append(line.rstrip())
            if line.startswith("ready"):
                self._ready.set()
        self._ready.set()


class Fleet:
    """The workers of one test, and its client, which notes what it asked and saw."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self.url = url
        self.ledger = ledger
        self.workers: list[Worker] = []

    def launch(
        self, *, url: str | None = None, ready: bool = True, prefix: Sequence[str] = (), **options: Any
    ) -> Worker:
        """Start a worker; behind a proxy where `url` is the proxy's."""
        worker = Worker(url or self.url, self.ledger, {"lease": 3.0, **options}, prefix)
        self.workers.append(worker)
        if ready:
            worker.wait_ready()
        return worker

    def kill(self, worker: Worker) -> float:
        """Kill a worker, note that, and return the instant."""
        worker.kill()
        self.ledger.note("fault", value=worker.pid)
        return time.monotonic()

    def ask(self, name: str, *arguments: Any, id: str, queue: str = "q", **options: Any) -> None:
        """Enqueue a workflow."""
        with self.client() as client:
            self.ask_with(client, name, *arguments, id=id, queue=queue, **options)

    def ask_with(
        self, client: DBOSClient, name: str, *arguments: Any, id: str, queue: str = "q", **options: Any
    ) -> None:
        """Enqueue a workflow with a client that is open."""
        self.ledger.note("ask", id)
        asked = EnqueueOptions(workflow_name=name, queue_name=queue, workflow_id=id, **options)
        client.enqueue(asked, *arguments)
        self.ledger.note("told", id)

    def begun(self, id: str, step: int = 1, times: int = 1) -> None:
        """Wait until a step's body has begun so often."""
        self.until(lambda: self.ledger.count("begin", id, step) >= times, 20)

    def see(self, *ids: str, timeout: float = 30.0) -> list[Any]:
        """Wait for results as a client does."""
        with self.client() as client:
            values = []
            for id_ in ids:
                values.append(client.retrieve_workflow(id_).get_result(timeout))
                self.ledger.note("see", id_, value=values[-1])
            return values

    @contextmanager
    def client(self, url: str | None = None, **options: Any) -> Iterator[DBOSClient]:
        """A client on the server itself, or behind the proxy of that URL."""
        made = DBOSClient.create(system_database_url=url or self.url, application_name="faults", **options)
        with made as client:
            yield client

    def rows(self, query: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query, on a connection of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def active(self) -> list[str]:
        """The workflows that have not ended."""
        found = self.rows("SELECT workflow_uuid, status FROM dbos.workflow_status")
        return [id_ for id_, status in found if status not in TERMINAL]

    def wait_until_idle(self, seconds: float) -> float:
        """Wait until every workflow has ended; how long it took."""
        return eventually(lambda: not self.active(), seconds, lambda: f"not ended: {self.active()[:10]}")

    def until(self, check: Callable[[], object], seconds: float) -> float:
        """Ask again until it is true; the seconds that it took."""
        return eventually(check, seconds, lambda: "\n".join(self.workers[-1].log[-40:]))

    def stop(self) -> None:
        """Kill what is left."""
        for worker in self.workers:
            worker.kill()


def eventually(check: Callable[[], object], seconds: float, explain: Callable[[], str] = lambda: "") -> float:
    """Ask again until it is true; the seconds that it took, or a failure once they are over."""
    began = time.monotonic()
    pause = threading.Event()
    while not check():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds:g} s; {explain()}")
        pause.wait(0.02)
    return time.monotonic() - began
