"""An agent: a model decides, tools act, a person is asked; every call is recorded, so none is paid for twice.

    pip install 'durably[embedded]'
    python examples/agent.py

The model here is a script, so that the example runs anywhere; put a real one into `think`. Killed at any
point, the agent goes on behind its last recorded call, with the same conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from durably import App, Retry, aio

app = App("agent")


@dataclass(frozen=True)
class Thought:
    """What the model wants: a tool with arguments, a question to the person, or to answer."""

    tool: str | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    question: str | None = None
    answer: str | None = None


SCRIPT = [
    Thought(tool="weather", arguments={"city": "Lisbon"}),
    Thought(question="Would you rather have sun or museums?"),
    Thought(tool="trains", arguments={"to": "Sintra"}),
    Thought(answer="Take the 9:10 train to Sintra, it will be sunny."),
]


@app.step(retry=Retry(attempts=4, interval=1, on=(ConnectionError, TimeoutError)), timeout=120)
async def think(conversation: list[str]) -> Thought:
    """One call of the model. It is slow and costs money: recorded, it is not made again."""
    return SCRIPT[sum(text.startswith("model:") for text in conversation)]


@app.step()
async def weather(city: str) -> str:
    """A tool."""
    return f"sunny in {city}"


@app.step()
async def trains(to: str) -> str:
    """Another one."""
    return f"a train to {to} at 9:10"


TOOLS: dict[str, Callable[..., Awaitable[str]]] = {"weather": weather, "trains": trains}


@app.workflow()
async def travel_agent(wish: str) -> str:
    """Think, act, ask, until there is an answer."""
    conversation = [f"person: {wish}"]
    while True:
        thought = await think(conversation)
        conversation.append(f"model: {thought}")
        if thought.answer is not None:
            return thought.answer
        if thought.question is not None:
            await aio.set_event("question", thought.question)
            reply = await aio.recv("reply", timeout=86_400, type=str)
            conversation.append(f"person: {reply or 'no answer'}")
        if thought.tool is not None:
            conversation.append(f"tool: {await TOOLS[thought.tool](**thought.arguments)}")


async def main() -> None:
    """Wish for something, and answer what the agent asks."""
    async with app:
        handle = await travel_agent.options(workflow_id="trip-1").start("A day trip from Lisbon")
        print(await handle.get_event("question"))
        await handle.send("Sun, please", "reply", idempotency_key="reply-1")
        print(await handle.get_result())


if __name__ == "__main__":
    asyncio.run(main())
