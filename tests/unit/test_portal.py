"""Portals: a call that meets the close ends with it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from durably.concurrency import portal as module
from durably.concurrency.portal import Portal
from durably.errors import NotRunning


def test_a_call_that_meets_the_close_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has passed the check when the loop stops, and comes between the stop and the end of the tasks."""
    portal = Portal.start("test-portal")
    refuse, end_tasks = portal._refuse, module._end_tasks
    stopped, over = threading.Event(), threading.Event()
    outcome: list[BaseException] = []

    def refuse_then_close(name: str) -> None:
        refuse(name)
        threading.Thread(target=portal.close, daemon=True).start()
        assert stopped.wait(10)
        threading.Timer(0.2, over.set).start()

    def end_later(loop: asyncio.AbstractEventLoop) -> None:
        stopped.set()
        assert over.wait(10)
        end_tasks(loop)

    async def nothing() -> None: ...

    def call() -> None:
        try:
            portal.call(nothing)
        except NotRunning as error:
            outcome.append(error)

    monkeypatch.setattr(portal, "_refuse", refuse_then_close)
    monkeypatch.setattr(module, "_end_tasks", end_later)
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert len(outcome) == 1
