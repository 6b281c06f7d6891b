"""Questions to workflows that run, from clients and from workflows; messages in their order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from durably import Message, aio, sync
from durably.app import App
from durably.errors import DecodeError, InvalidOption, NoReply, NoSuchWorkflow, WrongContext
from tests.engine.support import eventually, rows

RECORDED = "SELECT function_id, function_name FROM dbos.operation_outputs WHERE workflow_uuid = %s ORDER BY 1"


@dataclass(frozen=True)
class Question:
    item: str
    count: int


@dataclass(frozen=True)
class Answer:
    cents: int


@pytest.fixture
def app(database_url: str) -> App:
    app = App("questions", system_database_url=database_url, threads=4)
    app.queue("q")
    return app


def define_shop(app: App) -> Any:
    @app.workflow(name="shop")
    async def shop(questions: int) -> int:
        for _ in range(questions):
            request = await aio.recv_request("prices", timeout=30, type=Question)
            assert request is not None
            await request.reply(Answer(100 * request.question.count))
        return questions

    return shop


async def replay(app: App, url: str, workflow_id: str) -> Any:
    rows(url, "DELETE FROM dbos.workflow_output WHERE workflow_uuid = %s", workflow_id)
    rows(
        url,
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED', queue_name = '_dbos_internal_queue'"
        " WHERE workflow_uuid = %s",
        workflow_id,
    )
    return await app.client.retrieve_workflow(workflow_id).get_result(timeout=20)


async def test_a_client_asks_and_is_answered(app: App, database_url: str) -> None:
    shop = define_shop(app)
    async with app:
        handle = await shop.options(workflow_id="shop").start(2)
        first = await handle.ask(Question("tea", 3), "prices", type_=Answer)
        assert first == Answer(300)
        assert await app.client.ask("shop", Question("tea", 1), "prices") == {"cents": 100}
        assert await handle.get_result() == 2
    [(message,), _] = rows(
        database_url, "SELECT message FROM dbos.notifications ORDER BY created_at_epoch_ms"
    )
    [(key, value), _] = rows(
        database_url, "SELECT key, value FROM dbos.workflow_events_history ORDER BY function_id"
    )
    assert message.startswith('{"ask":"') and message.endswith('","question":{"item":"tea","count":3}}')
    assert key.startswith("reply:") and value == '{"reply":{"cents":300}}'


async def test_the_same_question_has_the_same_reply(app: App) -> None:
    shop = define_shop(app)
    async with app:
        await shop.options(workflow_id="shop").start(1)
        for _ in range(2):  # the second time the workflow has ended
            reply = await app.client.ask("shop", Question("tea", 2), "prices", idempotency_key="tea-2")
            assert reply == {"cents": 200}
        assert len(await app.client.list_workflow_messages("shop")) == 1


async def test_a_workflow_asks_and_its_replay_does_not(app: App, database_url: str) -> None:
    shop = define_shop(app)

    @app.workflow(name="buyer")
    async def buyer() -> list[Any]:
        asking = [aio.ask("shop", Question("tea", n), "prices", type=Answer) for n in (1, 2)]
        return [answer.cents for answer in await asyncio.gather(*asking)]

    async with app:
        await shop.options(workflow_id="shop").start(2)
        assert await buyer.options(workflow_id="b")() == [100, 200]
        assert await replay(app, database_url, "b") == [100, 200]
    assert [name for _, name in rows(database_url, RECORDED, "b")] == [
        "DBOS.send",
        "DBOS.getEvent",
        "DBOS.sleep",
        "DBOS.send",
        "DBOS.getEvent",
        "DBOS.sleep",
    ]


async def test_a_step_asks(app: App) -> None:
    shop = define_shop(app)

    @app.step(name="price")
    async def price() -> int:
        answer: Answer = await aio.ask("shop", Question("tea", 5), "prices", type=Answer)
        return answer.cents

    @app.workflow(name="buyer")
    async def buyer() -> int:
        return await price()

    async with app:
        await shop.options(workflow_id="shop").start(1)
        assert await buyer() == 500


async def test_blocking_workflows_ask_and_answer(app: App) -> None:
    @app.workflow(name="shop")
    def shop() -> None:
        request = sync.recv_request("prices", timeout=30, type=Question)
        assert request is not None
        request.reply(request.question.count)

    @app.workflow(name="buyer")
    def buyer() -> Any:
        return sync.ask("shop", Question("tea", 7), "prices")

    async with app:
        await asyncio.to_thread(shop.options(workflow_id="shop").start)
        assert await asyncio.to_thread(buyer) == 7


async def test_nobody_answers_in_time(app: App, database_url: str) -> None:
    @app.workflow(name="deaf")
    async def deaf() -> None:
        await aio.recv("end", timeout=30)

    @app.workflow(name="buyer")
    async def buyer() -> str:
        try:
            await aio.ask("deaf", "hello?", timeout=0.05)
        except NoReply as error:
            return str(error)
        return ""

    async with app:
        handle = await deaf.options(workflow_id="deaf").start()
        with pytest.raises(
            NoReply, match=r"workflow 'deaf' was asked and did not answer within 0\.05 s"
        ) as told:
            await app.client.ask("deaf", "hello?", timeout=0.05)
        assert (told.value.workflow_id, told.value.ended) == ("deaf", False)
        said = "workflow 'deaf' was asked and did not answer within 0.05 s"
        assert await buyer.options(workflow_id="b")() == said
        assert await replay(app, database_url, "b") == said
        await handle.send(None, "end")


async def test_a_workflow_that_ended_does_not_keep_who_asks_waiting(app: App) -> None:
    @app.workflow(name="short")
    async def short() -> None: ...

    async with app:
        await short.options(workflow_id="short")()
        async with asyncio.timeout(10):
            with pytest.raises(NoReply, match="'short' was asked and ended without answering"):
                await app.client.ask("short", "hello?", timeout=3600)
            with pytest.raises(NoSuchWorkflow, match="no workflow has the id 'nobody'"):
                await app.client.ask("nobody", "hello?")


async def test_no_question_in_time_is_none(app: App) -> None:
    @app.workflow(name="shop")
    async def shop() -> bool:
        return await aio.recv_request("prices", timeout=0.01) is None

    async with app:
        assert await shop() is True


async def test_what_is_no_question_is_consumed_and_told(app: App) -> None:
    @app.workflow(name="shop")
    async def shop() -> list[str]:
        said = []
        for _ in range(2):
            try:
                await aio.recv_request("prices", timeout=30, type=Question)
            except DecodeError as error:
                said.append(str(error))
        request = await aio.recv_request("prices", timeout=30, type=Question)
        assert request is not None
        await request.reply("at last")
        return said

    async with app:
        handle = await shop.options(workflow_id="shop").start()
        await handle.send("a plain message", "prices")
        await handle.send({"ask": "1", "question": 7}, "prices")
        assert await handle.ask(Question("tea", 1), "prices") == "at last"
        plain, unfit = await handle.get_result()
        assert "a message on topic 'prices' is not a question: ask with client.ask" in plain
        assert "Question" in unfit or "object" in unfit


async def test_questions_outside_a_workflow_and_bad_options(app: App) -> None:
    with pytest.raises(WrongContext, match="works inside a workflow only"):
        await aio.ask("w", 1)
    with pytest.raises(WrongContext, match="works inside a workflow only"):
        await aio.recv_request()
    with pytest.raises(InvalidOption, match="timeout=0: it must be more than 0"):
        await aio.ask("w", 1, timeout=0)
    async with app:
        with pytest.raises(InvalidOption, match="timeout=-1: it must be more than 0"):
            await app.client.ask("w", 1, timeout=-1)


# --- messages ---------------------------------------------------------------------------------------------


def define_reader(app: App) -> Any:
    @app.workflow(name="reader")
    async def reader(count: int) -> list[Any]:
        return [await aio.recv("t", timeout=30) for _ in range(count)]

    return reader


async def test_messages_of_one_moment_are_received_in_their_order(app: App) -> None:
    reader = define_reader(app)
    async with app:
        handle = await reader.options(workflow_id="r").start(220)
        await app.client.send_many([Message(destination_id="r", message=n, topic="t") for n in range(200)])
        for n in range(200, 220):
            await handle.send(n, "t")
        assert await handle.get_result() == list(range(220))


async def test_a_workflow_sends_many_at_once_and_once(app: App, database_url: str) -> None:
    reader = define_reader(app)

    @app.workflow(name="sender")
    async def sender() -> None:
        await aio.send_many([Message(destination_id="r", message=n, topic="t") for n in range(12)])

    async with app:
        handle = await reader.options(workflow_id="r").start(12)
        await sender.options(workflow_id="s")()
        assert await handle.get_result() == list(range(12))
        await replay(app, database_url, "s")
        rows(database_url, "DELETE FROM dbos.operation_outputs WHERE workflow_uuid = 's'")
        await replay(app, database_url, "s")  # the record was lost, not the effect
    assert rows(database_url, "SELECT count(*) FROM dbos.notifications") == [(12,)]
    assert rows(database_url, RECORDED, "s") == [(1, "DBOS.send_bulk")]


async def test_one_message_to_nobody_and_none_is_sent(app: App, database_url: str) -> None:
    reader = define_reader(app)
    async with app:
        await reader.options(workflow_id="r").start(1)
        with pytest.raises(NoSuchWorkflow, match="'nobody'"):
            await app.client.send_many(
                [Message(destination_id=id_, message=1, topic="t") for id_ in ("r", "nobody")]
            )
        assert rows(database_url, "SELECT * FROM dbos.notifications") == []
        await app.client.send("r", 1, "t")


async def test_a_message_that_does_not_fit_is_set_aside_and_the_topic_goes_on(
    app: App, database_url: str
) -> None:
    @app.workflow(name="reader")
    async def reader() -> list[Any]:
        got: list[Any] = []
        while len(got) < 2:
            try:
                got.append((await aio.recv("t", timeout=30, type=Question)).item)  # type: ignore[union-attr]
            except DecodeError:
                got.append("unfit")
        return got

    async with app:
        handle = await reader.options(workflow_id="r").start()
        rows(
            database_url,
            "INSERT INTO dbos.notifications (destination_uuid, topic, message, serialization)"
            " VALUES ('r', 't', 'gASVnot pickle', 'py_pickle')",
        )
        await eventually(lambda: rows(database_url, "SELECT 1 FROM dbos.notifications WHERE consumed"))
        await handle.send(Question("tea", 1), "t")
        assert await handle.get_result() == ["unfit", "tea"]
        listed = await app.client.list_workflow_messages("r")
        assert [(m.consumed_by_function_id, m.consumed, m.topic) for m in listed] == [
            (1, True, "t"),
            (3, True, "t"),
        ]
        assert listed[0].message == "gASVnot pickle"
        assert await replay(app, database_url, "r") == ["unfit", "tea"]
