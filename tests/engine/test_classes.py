"""Workflows that are methods: of instances with a name, of classes, of neither; and their rows."""

from __future__ import annotations

from typing import Any

import pytest

from durably import EnqueueOptions, sync
from durably.app import App
from durably.errors import ConfigurationError, WorkflowConflict
from tests.engine.support import enqueue, eventually, rows, status

ROW = "SELECT name, class_name, config_name FROM dbos.workflow_status WHERE workflow_uuid = %s"


def box_offices(app: App) -> Any:
    """A class with one workflow of each kind, in both colours, and a step."""

    class BoxOffice:
        def __init__(self, seats: int) -> None:
            self.seats = seats

        @app.workflow(name="sell")
        async def sell(self, count: int) -> int:
            return await self.left(count)

        @app.workflow(name="sell-blocking", class_name="Renamed")
        def sell_blocking(self, count: int) -> int:
            return self.left_blocking(count)

        @app.step(name="left")
        async def left(self, count: int) -> int:
            return self.seats - count

        @app.step(name="left-blocking")
        def left_blocking(self, count: int) -> int:
            return self.seats - count

        @app.workflow(name="open")
        @classmethod
        async def open(cls, hall: str) -> str:
            return f"{cls.__name__} of {hall}"

        @app.workflow(name="audit")
        @staticmethod
        async def audit(count: int) -> int:
            return count + 1

        @staticmethod
        @app.workflow(name="audit-blocking")
        def audit_blocking(count: int) -> int:
            return count + 1

        @app.workflow(name="parent")
        async def parent(self, count: int) -> list[Any]:
            handle = await self.sell.start(count)
            return [await self.sell(count), await handle.get_result(), await BoxOffice.audit(count)]

    return BoxOffice


async def test_methods_run_for_their_instance_and_their_class(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    kind = box_offices(app)
    hall, cellar = app.register_instance("hall", kind(400)), app.register_instance("cellar", kind(40))
    async with app:
        assert await hall.sell.options(workflow_id="h")(1) == 399
        assert await cellar.sell.options(workflow_id="c")(1) == 39
        assert await kind.open.options(workflow_id="o")("the hall") == "BoxOffice of the hall"
        assert await hall.open("the hall") == "BoxOffice of the hall"
        assert await kind.audit.options(workflow_id="a")(1) == await cellar.audit(1) == 2
        assert await hall.parent.options(workflow_id="p")(1) == [399, 399, 2]
    assert rows(database_url, ROW, "h") == [("sell", "BoxOffice", "hall")]
    assert rows(database_url, ROW, "c") == [("sell", "BoxOffice", "cellar")]
    assert rows(database_url, ROW, "o") == [("open", "BoxOffice", None)]
    assert rows(database_url, ROW, "a") == [("audit", None, None)]
    assert rows(database_url, ROW, "p-1") == [("sell", "BoxOffice", "hall")]


def test_blocking_methods(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    kind = box_offices(app)
    hall = app.register_instance("hall", kind(400))
    with app:
        assert hall.sell_blocking.options(workflow_id="h")(1) == 399
        assert kind.audit_blocking(1) == hall.audit_blocking(1) == 2
    assert rows(database_url, ROW, "h") == [("sell-blocking", "Renamed", "hall")]


async def test_an_instance_that_is_not_known_here_is_left_for_a_process_that_knows_it(
    database_url: str,
) -> None:
    """It does not block the queue either: what is enqueued behind it runs."""
    options = {"class_name": "BoxOffice", "application_name": "a"}
    enqueue(database_url, "cellar", "sell", 1, config_name="cellar", **options)
    enqueue(database_url, "hall", "sell", 1, config_name="hall", **options)
    app = App("a", system_database_url=database_url)
    app.queue("q")
    app.register_instance("hall", box_offices(app)(400))
    async with app:
        await eventually(lambda: status(database_url, "hall") == "SUCCESS")
        assert status(database_url, "cellar") == "ENQUEUED"
    another = App("a", system_database_url=database_url)
    another.queue("q")
    another.register_instance("cellar", box_offices(another)(40))
    async with another:
        assert await another.client.retrieve_workflow("cellar").get_result() == 39


async def test_a_method_continues_after_a_restart(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    app.queue("q")

    class Gate:
        @app.workflow(name="wait")
        def wait(self) -> Any:
            return sync.recv("go", timeout=None)

    app.register_instance("gate", Gate())
    options: EnqueueOptions[..., Any] = EnqueueOptions(
        workflow_name="wait", workflow_class_name="Gate", instance_name="gate", queue_name="q"
    )
    async with app:
        handle = await app.client.enqueue(options)
        await eventually(lambda: status(database_url, handle.workflow_id) == "PENDING")
    async with app:
        await app.client.send(handle.workflow_id, "gone", topic="go")
        assert await app.client.retrieve_workflow(handle.workflow_id).get_result() == "gone"


async def test_one_id_is_one_instances(database_url: str) -> None:
    app = App("a", system_database_url=database_url)
    kind = box_offices(app)
    hall, cellar = app.register_instance("hall", kind(400)), app.register_instance("cellar", kind(40))
    async with app:
        await hall.sell.options(workflow_id="w")(1)
        with pytest.raises(WorkflowConflict, match="the instance 'hall', not 'cellar'"):
            await cellar.sell.options(workflow_id="w")(1)


def test_what_is_wrong_is_said_where_it_is_written() -> None:
    app = App("a")
    kind = box_offices(app)
    with pytest.raises(ConfigurationError, match=r"this BoxOffice has no name.*app\.register_instance\("):
        _ = kind(1).sell
    app.register_instance("hall", kind(1))
    with pytest.raises(ConfigurationError, match="'sell' in class 'BoxOffice': its instance 'hall' is"):
        app.register_instance("hall", kind(2))
    with pytest.raises(ConfigurationError, match="object has no method that is a workflow"):
        app.register_instance("bare", object())
    with pytest.raises(TypeError, match=r"write @app\.workflow\(\) above @classmethod: .*Late\.made"):

        class Late:
            @classmethod
            @app.workflow()
            def made(cls) -> None: ...
