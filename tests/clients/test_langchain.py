from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from frameworks import ASKED, DEGREES, HELLO, ROME, Weather, call_then_answer, needs, temperature

pytestmark = needs("langchain_openai", "langchain_ollama")


@contextmanager
def openai_chat(loop: asyncio.Runner) -> Iterator[Any]:
    langchain_openai = pytest.importorskip("langchain_openai")
    with openai.DefaultHttpxClient() as http:
        later = openai.DefaultAsyncHttpxClient()
        yield langchain_openai.ChatOpenAI(model="m", max_retries=0, http_client=http, http_async_client=later)
    loop.run(later.aclose())


@contextmanager
def responses_chat(loop: asyncio.Runner) -> Iterator[Any]:
    with openai_chat(loop) as chat:
        yield chat.model_copy(update={"use_responses_api": True})


@contextmanager
def ollama_chat(loop: asyncio.Runner) -> Iterator[Any]:
    chat = pytest.importorskip("langchain_ollama").ChatOllama(model="m")
    yield chat
    chat._client._client.close()
    loop.run(chat._async_client._client.aclose())


@pytest.fixture(params=[openai_chat, responses_chat, ollama_chat])
def chat(request: pytest.FixtureRequest, answered: Any, loop: asyncio.Runner) -> Iterator[Any]:
    with request.param(loop) as model:
        yield model


def test_plain_streamed_and_async(answered, chat, loop):
    answered.reply(HELLO, usage={"input": 3, "output": 4})
    plain = chat.invoke(ASKED)
    assert (plain.text, plain.usage_metadata["total_tokens"]) == (HELLO, 7)
    pieces = [piece.text for piece in chat.stream(ASKED)]
    assert ("".join(pieces), len(pieces) > 2) == (HELLO, True)

    async def later() -> tuple[str, str]:
        pieces = [piece.text async for piece in chat.astream(ASKED)]
        return (await chat.ainvoke(ASKED)).text, "".join(pieces)

    assert loop.run(later()) == (HELLO, HELLO)


def test_tools_are_called_and_their_results_read(answered, chat):
    call_then_answer(answered)
    with_tool = chat.bind_tools([temperature])
    first = with_tool.invoke(ASKED)
    (call,) = first.tool_calls
    assert (call["name"], call["args"]) == ("temperature", {"city": "Rome"})
    result = {"role": "tool", "content": temperature(**call["args"]), "tool_call_id": call["id"]}
    assert with_tool.invoke([("user", ASKED), first, result]).text == HELLO
    assert DEGREES in answered.requests.last.messages[-1].text


def test_a_streamed_call_comes_together_again(answered, chat):
    call_then_answer(answered)
    first, *rest = chat.bind_tools([temperature]).stream(ASKED)
    for piece in rest:
        first += piece
    assert [call["args"] for call in first.tool_calls] == [{"city": "Rome"}]


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_is_given_or_made_up(answered, chat, loop, method):
    answered.reply(json=True) if method == "json_schema" else answered.reply(tool_calls=("Weather", ROME.model_dump()))
    structured = chat.with_structured_output(Weather, method=method)
    assert isinstance(structured.invoke(ASKED), Weather)

    async def later() -> object:
        return await structured.ainvoke(ASKED)

    assert isinstance(loop.run(later()), Weather)
