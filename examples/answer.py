"""Streams: a model's answer, word by word, while it is being made.

    pip install 'durably[embedded]'
    python examples/answer.py

The reader may come late, leave, and go on from any offset. A step that is tried again says nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from durably import App, Retry, aio

app = App("answer")

ANSWER = "It survives crashes, deploys and restarts."


async def model(question: str) -> AsyncIterator[str]:
    """A model whose connection breaks once; put yours here."""
    for number, word in enumerate(ANSWER.split()):
        if number == 3 and not model_has_failed:
            model_has_failed.append(True)
            raise ConnectionError("the model hung up")
        yield word


model_has_failed: list[bool] = []


@app.step(retry=Retry(attempts=3, interval=0.01))
async def generate(question: str) -> str:
    """Stream the words as they come, and return them all."""
    words = []
    async for word in model(question):
        await aio.write_stream("words", word)
        words.append(word)
    return " ".join(words)


@app.workflow()
async def answer(question: str) -> str:
    """Answer a question, and let readers watch."""
    text = await generate(question)
    await aio.close_stream("words")
    return text


async def main() -> None:
    """Ask, and read along."""
    async with app:
        handle = await answer.start("What does a durable workflow do?")
        print(" ".join([word async for word in handle.read_stream("words")]))
        print(" ".join([word async for word in handle.read_stream("words", offset=4)]))


if __name__ == "__main__":
    asyncio.run(main())
