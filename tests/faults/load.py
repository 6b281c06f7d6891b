"""Load for the faults to meet: a thread that keeps enqueuing, as a web tier does."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from durably.errors import DatabaseError
from tests.faults.fleet import Fleet

__all__ = ["Load"]


class Load:
    """Enqueues a workflow every `pace` seconds while it is entered; an ask that fails is asked again.

    with Load(fleet, "ladder", 5) as load:
        ...
    assert load.ids
    """

    def __init__(
        self,
        fleet: Fleet,
        name: str,
        *arguments: Any,
        pace: float = 0.02,
        url: str | None = None,
        queues: Sequence[str] = ("q",),
        prefix: str = "load",
    ) -> None:
        self._fleet = fleet
        self._call = (name, *arguments)
        self._pace = pace
        self._url = url
        self._queues = queues
        self._prefix = prefix
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self.ids: list[str] = []  # acknowledged
        self.errors: list[str] = []  # what a caller was told meanwhile

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(90)
        assert not self._thread.is_alive(), "an enqueue hangs"

    def _run(self) -> None:
        with self._fleet.client(self._url) as client:
            while not self._over.wait(self._pace):
                number = len(self.ids)
                id_, queue = f"{self._prefix}-{number}", self._queues[number % len(self._queues)]
                try:
                    self._fleet.ask_with(client, *self._call, id=id_, queue=queue)
                except DatabaseError as error:
                    self.errors.append(str(error))
                else:
                    self.ids.append(id_)
