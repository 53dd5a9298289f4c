"""Replies that are written by hand, as the SDKs read them: in process and over HTTP."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import ollama
import openai
import pytest
from pydantic import BaseModel

from pytest_llmmock import LLMMock, LLMServer, UnmatchedError, use_cassette

USER: Any = [{"role": "user", "content": "the weather in Rome?"}]
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
HELLO = "Hello, wide world."


@pytest.fixture(params=["in process", "over HTTP"])
def mock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMMock]:
    """Both ways in."""
    if request.param == "over HTTP":
        with LLMServer(tmp_path / "none.yaml") as server:
            yield server
        return
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)
    with use_cassette(tmp_path / "none.yaml") as opened:
        yield opened


@pytest.fixture
def client(mock: LLMMock) -> Iterator[openai.OpenAI]:
    with openai.OpenAI() as client:
        yield client


# --- OpenAI ---------------------------------------------------------------------------------------------


def test_chat_plain_and_streamed(mock, client):
    mock.reply(HELLO, usage={"input": 3, "output": 4})
    plain = client.chat.completions.create(model="m", messages=USER)
    assert (plain.choices[0].message.content, plain.usage.total_tokens) == (HELLO, 7)
    with client.chat.completions.stream(model="m", messages=USER, stream_options={"include_usage": True}) as stream:
        streamed = stream.get_final_completion()
    assert (streamed.choices[0].message.content, streamed.usage.total_tokens) == (HELLO, 7)
    assert [entry.source for entry in mock.requests] == ["script", "script"]


def test_responses_plain_and_streamed(mock, client):
    mock.reply(HELLO, reasoning="Hm")
    assert client.responses.create(model="m", input="hi").output_text == HELLO
    with client.responses.stream(model="m", input="hi") as stream:
        final = stream.get_final_response()
    assert final.output_text == HELLO
    assert [item.type for item in final.output] == ["reasoning", "message"]


def test_completions_plain_and_streamed(mock, client):
    mock.reply(HELLO)
    assert client.completions.create(model="m", prompt="hi").choices[0].text == HELLO
    chunks = client.completions.create(model="m", prompt="hi", stream=True)
    assert "".join(chunk.choices[0].text for chunk in chunks) == HELLO


def test_an_agent_calls_tools_and_then_answers(mock, client):
    mock.when(tool="weather", contains="Rome").reply(
        tool_calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Bern"})]
    ).reply("Sunny in both.")
    first = client.chat.completions.create(model="m", messages=USER, tools=[TOOL]).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Rome", "Bern"]
    results = [{"role": "tool", "tool_call_id": call.id, "content": "22"} for call in calls]
    messages = [*USER, first.message.model_dump(exclude_none=True), *results]
    second = client.chat.completions.create(model="m", messages=messages, tools=[TOOL])
    assert second.choices[0].message.content == "Sunny in both."


def test_a_custom_tool_is_called_with_text(mock, client):
    mock.reply(tool_calls=[("shell", "ls -l")])
    nested: Any = {"type": "custom", "custom": {"name": "shell"}}
    plain = client.chat.completions.create(model="m", messages=USER, tools=[nested])
    assert plain.choices[0].message.tool_calls[0].custom.input == "ls -l"
    flat: Any = {"type": "custom", "name": "shell"}
    with client.responses.stream(model="m", input="list", tools=[flat]) as stream:
        item = stream.get_final_response().output[0]
    assert (item.type, item.name, item.input) == ("custom_tool_call", "shell", "ls -l")
    assert [call.kind for entry in mock.requests for call in entry.tool_calls] == ["custom", "custom"]


def test_calls_are_streamed_piece_by_piece(mock, client):
    mock.reply(tool_calls=[("weather", {"city": "Rome is large"}), ("weather", "{broken")])
    with client.chat.completions.stream(model="m", messages=USER, tools=[TOOL]) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert [call.function.arguments for call in calls] == ['{"city":"Rome is large"}', "{broken"]
    with client.responses.stream(model="m", input="hi") as events:
        output = events.get_final_response().output
    assert [item.arguments for item in output] == ['{"city":"Rome is large"}', "{broken"]


class Inner(BaseModel):
    name: str
    score: float


class Weather(BaseModel):
    city: str
    days: list[Inner]
    wind: int | None


def test_parse_gets_a_value_that_fits_the_model_of_the_application(mock, client):
    mock.reply(json=True)
    plain = client.chat.completions.parse(model="m", messages=USER, response_format=Weather)
    assert isinstance(plain.choices[0].message.parsed, Weather)
    with client.chat.completions.stream(model="m", messages=USER, response_format=Weather) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Weather)
    response = client.responses.parse(model="m", input="hi", text_format=Weather)
    assert response.output_parsed == plain.choices[0].message.parsed


def test_parse_gets_the_value_that_was_given(mock, client):
    mock.reply(json={"city": "Rome", "days": [], "wind": None})
    parsed = client.chat.completions.parse(model="m", messages=USER, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(city="Rome", days=[], wind=None)


def test_a_refusal_is_one_for_the_sdk(mock, client):
    mock.reply(refusal="I cannot.")
    message = client.chat.completions.parse(model="m", messages=USER, response_format=Weather).choices[0].message
    assert (message.refusal, message.parsed) == ("I cannot.", None)
    assert client.responses.create(model="m", input="hi").output[0].content[0].refusal == "I cannot."


def test_embeddings_as_the_sdk_asks_for_them(mock, client):
    mock.reply(embedding={"dimensions": 256})
    one, two = client.embeddings.create(model="e", input=["a", "b"]).data
    (again,) = client.embeddings.create(model="e", input="a", encoding_format="float").data
    assert again.embedding == pytest.approx(one.embedding)
    assert one.embedding != two.embedding
    assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-6)
    (short,) = client.embeddings.create(model="e", input="a", dimensions=8).data
    assert len(short.embedding) == 8


def test_models_can_be_listed(mock, client):
    mock.when(operation="models").reply(json={"object": "list", "data": [{"id": "m", "object": "model"}]})
    assert [model.id for model in client.models.list()] == ["m"]


def test_errors_are_those_of_the_sdk(mock, client):
    mock.error(429, retry_after=30, times=1)
    mock.reply(HELLO, times=1)
    mock.error(404)
    assert client.chat.completions.create(model="m", messages=USER).choices[0].message.content == HELLO
    assert [entry.status for entry in mock.requests] == [429, 200]
    with pytest.raises(openai.NotFoundError, match="The model 'm' does not exist") as caught:
        client.chat.completions.create(model="m", messages=USER)
    assert caught.value.code == "model_not_found"


def test_faults_change_replies_that_are_written_by_hand(mock, client):
    mock.reply(HELLO)
    mock.faults.truncate(after_events=2, times=1)
    chunks = list(client.chat.completions.create(model="m", messages=USER, stream=True))
    assert len(chunks) == 2
    assert "fault: truncate(after_events=2)" in mock.requests.last.notes


def test_a_raw_response_has_the_headers(mock, client):
    mock.reply(HELLO, headers={"x-request-id": "req_7"})
    assert client.chat.completions.with_raw_response.create(model="m", messages=USER).request_id == "req_7"


# --- functions ------------------------------------------------------------------------------------------


def test_async_functions_answer_sync_and_async_clients(mock, client):
    loops = set()

    async def answer(request):
        loops.add(id(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        return f"{request.model}: {request.text}"

    mock.call(answer)
    words = "m: the weather in Rome?"
    assert client.chat.completions.create(model="m", messages=USER).choices[0].message.content == words

    async def ask() -> str:
        loops.add(id(asyncio.get_running_loop()))
        async with openai.AsyncOpenAI() as asking:
            stream = await asking.chat.completions.create(model="m", messages=USER, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(ask()) == words


def test_the_loop_of_an_async_client_goes_on_while_a_function_works(mock):
    asked, go_on = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        assert go_on.wait(30)
        return HELLO

    mock.call(answer)

    async def main() -> str:
        async with openai.AsyncOpenAI() as asking:
            task = asyncio.create_task(asking.chat.completions.create(model="m", messages=USER))
            while not asked.is_set():
                await asyncio.sleep(0)
            go_on.set()  # set by the very loop that would be blocked
            return (await task).choices[0].message.content or ""

    assert asyncio.run(main()) == HELLO


def test_requests_at_once_are_answered_in_the_order_of_asking(mock, client):
    for number in range(20):
        mock.reply(str(number))

    async def main() -> list[str]:
        async with openai.AsyncOpenAI() as asking:
            asks = [asking.chat.completions.create(model="m", messages=USER) for _ in range(20)]
            return [answer.choices[0].message.content or "" for answer in await asyncio.gather(*asks)]

    assert sorted(map(int, asyncio.run(main()))) == list(range(20))


@pytest.mark.parametrize("way", ["sync", "async"])
def test_a_function_that_raises_is_a_500_and_fails_the_test(tmp_path, way):
    def broken(request):
        raise ZeroDivisionError("by hand")

    async def ask_async() -> None:
        async with openai.AsyncOpenAI(api_key="test", base_url="https://api.openai.com/v1") as asking:
            await asking.chat.completions.create(model="m", messages=USER)

    def ask() -> None:
        if way == "async":
            asyncio.run(ask_async())
            return
        with openai.OpenAI(api_key="test", base_url="https://api.openai.com/v1") as asking:
            asking.chat.completions.create(model="m", messages=USER)

    def block() -> None:
        with use_cassette(tmp_path / "none.yaml") as mock:
            mock.call(broken)
            with pytest.raises(openai.InternalServerError, match=r"The function broken\(\) of a rule raised"):
                ask()
            assert len(mock.requests) == 1  # no SDK tries again
            assert mock.requests.last.source == "script"

    with pytest.raises(UnmatchedError, match=r'raise ZeroDivisionError\("by hand"\)'):
        block()


# --- Anthropic and Ollama -------------------------------------------------------------------------------


def test_anthropic_plain_streamed_and_async(mock):
    mock.when(model="claude-*").reply(HELLO, reasoning="Hm", tool_calls=("weather", {"city": "Rome"}))
    asked: Any = {"model": "claude-x", "max_tokens": 9, "messages": USER}
    with anthropic.Anthropic() as client:
        plain = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()
    assert [block.type for block in plain.content] == ["thinking", "text", "tool_use"]
    assert plain.content[2].input == {"city": "Rome"}
    assert plain.stop_reason == "tool_use"
    assert streamed.content[1].text == HELLO
    assert streamed.content[2].input == {"city": "Rome"}

    async def ask() -> Any:
        async with anthropic.AsyncAnthropic() as asking:
            return await asking.messages.create(**asked)

    assert asyncio.run(ask()).content[1].text == HELLO


def test_anthropic_is_told_errors_in_its_own_shape(mock):
    mock.error(529)
    with anthropic.Anthropic(max_retries=0) as client, pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model="claude-x", max_tokens=9, messages=USER)
    assert caught.value.body["error"]["type"] == "overloaded_error"


def test_ollama_plain_streamed_and_async(mock):
    mock.reply(HELLO, reasoning="Hm")
    client = ollama.Client()
    with client._client:
        plain = client.chat(model="m", messages=USER)
        assert (plain.message.content, plain.message.thinking) == (HELLO, "Hm")
        assert "".join(part.message.content or "" for part in client.chat("m", USER, stream=True)) == HELLO
        assert client.generate(model="m", prompt="hi").response == HELLO

    async def ask() -> Any:
        asking = ollama.AsyncClient()
        async with asking._client:
            return await asking.chat(model="m", messages=USER)

    assert asyncio.run(ask()).message.content == HELLO


def test_ollama_gets_its_schema_and_its_calls(mock):
    mock.when(tool="weather").reply(tool_calls=("weather", {"city": "Rome"}))
    mock.reply(json=True)
    client = ollama.Client()
    with client._client:
        (call,) = client.chat(model="m", messages=USER, tools=[TOOL]).message.tool_calls
        assert call.function.arguments == {"city": "Rome"}
        answer = client.chat(model="m", messages=USER, format=Weather.model_json_schema())
    assert isinstance(Weather.model_validate_json(answer.message.content), Weather)


# --- beside the words -----------------------------------------------------------------------------------

CITED: Any = [{"url": "https://example.com/rome", "title": "Rome", "text": "wide"}, "https://example.com"]
WORDS = [("Hel", -0.5), ("lo", -0.25, {"p": -1.5}), (" Rome", -2)]


def test_chat_tells_where_words_are_from(mock, client):
    mock.reply(HELLO, annotations=CITED)
    plain = client.chat.completions.create(model="m", messages=USER).choices[0].message
    first, second = [each.url_citation for each in plain.annotations]
    assert (first.url, first.title, HELLO[first.start_index : first.end_index]) == (CITED[0]["url"], "Rome", "wide")
    assert (second.url, second.start_index, second.end_index) == (CITED[1], 0, len(HELLO))
    chunks = list(client.chat.completions.create(model="m", messages=USER, stream=True))
    streamed = [each.choices[0].delta.annotations for each in chunks if hasattr(each.choices[0].delta, "annotations")]
    assert streamed == [[each.model_dump() for each in plain.annotations]]


def test_responses_tell_where_words_are_from(mock, client):
    mock.reply(HELLO, annotations=CITED)
    plain = client.responses.create(model="m", input="x").output[0].content[0]
    assert [each.url for each in plain.annotations] == [CITED[0]["url"], CITED[1]]
    assert HELLO[plain.annotations[0].start_index : plain.annotations[0].end_index] == "wide"
    events = list(client.responses.create(model="m", input="x", stream=True))
    added = [each.annotation for each in events if each.type == "response.output_text.annotation.added"]
    assert [dict(each) for each in added] == [dict(each) for each in plain.annotations]
    assert events[-1].response.output[0].content == [plain]


def test_anthropic_tells_where_words_are_from(mock):
    mock.reply(HELLO, annotations=CITED)
    asked: Any = {"model": "m", "max_tokens": 9, "messages": USER}
    with anthropic.Anthropic() as client:
        plain = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()
    found = [(each.type, each.url, each.cited_text) for each in plain.content[0].citations]
    assert found == [
        ("web_search_result_location", CITED[0]["url"], "wide"),
        ("web_search_result_location", CITED[1], HELLO),
    ]
    assert streamed.content[0].citations == plain.content[0].citations


def test_chat_tells_how_probable_tokens_were(mock, client):
    mock.reply(logprobs=WORDS)
    plain = client.chat.completions.create(model="m", messages=USER, logprobs=True).choices[0]
    assert plain.message.content == "Hello Rome"
    assert [(each.token, each.logprob) for each in plain.logprobs.content] == [
        ("Hel", -0.5),
        ("lo", -0.25),
        (" Rome", -2),
    ]
    assert plain.logprobs.content[1].top_logprobs[0].token == "p"
    assert bytes(plain.logprobs.content[2].bytes) == b" Rome"
    with client.chat.completions.stream(model="m", messages=USER, logprobs=True) as stream:
        streamed = stream.get_final_completion().choices[0]
    assert streamed.logprobs == plain.logprobs


def test_responses_tell_how_probable_tokens_were(mock, client):
    mock.reply(logprobs=WORDS)
    plain = client.responses.create(model="m", input="x", include=["message.output_text.logprobs"])
    assert [each.token for each in plain.output[0].content[0].logprobs] == ["Hel", "lo", " Rome"]
    events = list(client.responses.create(model="m", input="x", stream=True))
    told = [(each.delta, each.logprobs[0].logprob) for each in events if each.type == "response.output_text.delta"]
    assert told == [("Hel", -0.5), ("lo", -0.25), (" Rome", -2)]
    assert events[-1].response.output[0].content[0].logprobs == plain.output[0].content[0].logprobs


def test_completions_tell_how_probable_tokens_were(mock, client):
    mock.reply(logprobs=WORDS)
    plain = client.completions.create(model="m", prompt="x", logprobs=1).choices[0]
    assert plain.logprobs.tokens == ["Hel", "lo", " Rome"]
    assert plain.logprobs.token_logprobs == [-0.5, -0.25, -2]
    assert plain.logprobs.text_offset == [0, 3, 5]
    assert plain.logprobs.top_logprobs[1] == {"p": -1.5}
    chunks = [each.choices[0].logprobs for each in client.completions.create(model="m", prompt="x", stream=True)]
    assert [each.text_offset for each in chunks if each] == [[0], [3], [5]]


def test_probabilities_that_are_made_up_are_those_of_the_words(mock, client):
    mock.reply(HELLO, logprobs=True)
    found = client.chat.completions.create(model="m", messages=USER, logprobs=True, top_logprobs=3, n=2).choices
    assert "".join(each.token for each in found[0].logprobs.content) == HELLO
    assert {len(each.top_logprobs) for each in found[0].logprobs.content} == {3}
    assert all(each.top_logprobs[0].logprob == each.logprob < 0 for each in found[0].logprobs.content)
    assert found[1].logprobs == found[0].logprobs
    again = client.responses.create(model="m", input="x").output[0].content[0].logprobs
    assert [each.logprob for each in again] == [each.logprob for each in found[0].logprobs.content]


def test_ollama_has_no_place_for_either(mock):
    mock.reply(HELLO, annotations=CITED, logprobs=True)
    client = ollama.Client()
    with client._client:
        assert client.chat("m", USER).message.content == HELLO
