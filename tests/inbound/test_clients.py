"""The SDKs that people use, recorded through each way in and replayed through every one, with the provider gone.

This module is run once more with openai 2 (test_openai_2.py): it uses what both generations have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette

# --- conversations: each asks at an address, and tells all that the SDK made of the answer -------------------

Told = tuple[str, list[Any]]
"""The words that were answered, and every object that the SDK handed over, as plain data."""


def openai_client(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="test", base_url=url + "/v1", max_retries=0)


def async_openai_client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="test", base_url=url + "/v1", max_retries=0)


def asked(words: str) -> dict[str, Any]:
    return {"model": "small", "messages": [{"role": "user", "content": words}]}


def told(words: str, *objects: Any) -> Told:
    return words, [each.model_dump(mode="json") for each in objects]


def of_chunks(chunks: list[Any]) -> Told:
    words = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    return told(words, *chunks)


def of_events(events: list[Any]) -> Told:
    words = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert events[-1].response.output_text == words
    return told(words, *events)


USAGE = {"stream_options": {"include_usage": True}}


def chat(url: str, words: str) -> Told:
    with openai_client(url) as client:
        answer = client.chat.completions.create(**asked(words))
        return told(answer.choices[0].message.content or "", answer)


async def chat_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        answer = await client.chat.completions.create(**asked(words))
        return told(answer.choices[0].message.content or "", answer)


def chat_streamed(url: str, words: str) -> Told:
    with openai_client(url) as client:
        return of_chunks(list(client.chat.completions.create(**asked(words), stream=True, **USAGE)))


async def chat_streamed_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        stream = await client.chat.completions.create(**asked(words), stream=True, **USAGE)
        return of_chunks([chunk async for chunk in stream])


def responses(url: str, words: str) -> Told:
    with openai_client(url) as client:
        answer = client.responses.create(model="small", input=words)
        return told(answer.output_text, answer)


async def responses_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        answer = await client.responses.create(model="small", input=words)
        return told(answer.output_text, answer)


def responses_streamed(url: str, words: str) -> Told:
    with openai_client(url) as client:
        return of_events(list(client.responses.create(model="small", input=words, stream=True)))


async def responses_streamed_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        stream = await client.responses.create(model="small", input=words, stream=True)
        return of_events([event async for event in stream])


def embeddings(url: str, words: str) -> Told:
    """The SDK asks for base64 and gives numbers."""
    with openai_client(url) as client:
        answer = client.embeddings.create(model="small", input=[words, "x" * 16])
        return told(str(answer.data[1].embedding), answer)


async def embeddings_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        answer = await client.embeddings.create(model="small", input=[words, "x" * 16])
        return told(str(answer.data[1].embedding), answer)


def models(url: str, words: str) -> Told:
    with openai_client(url) as client:
        found = list(client.models.list())
        return told(" ".join(model.id for model in found), *found)


async def models_async(url: str, words: str) -> Told:
    async with async_openai_client(url) as client:
        found = [model async for model in client.models.list()]
        return told(" ".join(model.id for model in found), *found)


def anthropic_plain(url: str, words: str) -> Told:
    import anthropic

    with anthropic.Anthropic(api_key="test", base_url=url, max_retries=0) as client:
        answer = client.messages.create(max_tokens=9, **asked(words))
        return told(answer.content[0].text, answer)


async def anthropic_plain_async(url: str, words: str) -> Told:
    import anthropic

    async with anthropic.AsyncAnthropic(api_key="test", base_url=url, max_retries=0) as client:
        answer = await client.messages.create(max_tokens=9, **asked(words))
        return told(answer.content[0].text, answer)


def anthropic_streamed(url: str, words: str) -> Told:
    import anthropic

    with (
        anthropic.Anthropic(api_key="test", base_url=url, max_retries=0) as client,
        client.messages.stream(max_tokens=9, **asked(words)) as stream,
    ):
        events = list(stream)
        return told(stream.get_final_text(), *events)


async def anthropic_streamed_async(url: str, words: str) -> Told:
    import anthropic

    async with (
        anthropic.AsyncAnthropic(api_key="test", base_url=url, max_retries=0) as client,
        client.messages.stream(max_tokens=9, **asked(words)) as stream,
    ):
        events = [event async for event in stream]
        return told(await stream.get_final_text(), *events)


def ollama_plain(url: str, words: str) -> Told:
    import ollama

    with ollama.Client(host=url) as client:
        answer = client.chat(**asked(words))
        return told(answer.message.content or "", answer)


async def ollama_plain_async(url: str, words: str) -> Told:
    import ollama

    client = ollama.AsyncClient(host=url)
    answer = await client.chat(**asked(words))
    await client.close()
    return told(answer.message.content or "", answer)


def ollama_streamed(url: str, words: str) -> Told:
    import ollama

    with ollama.Client(host=url) as client:
        parts = list(client.chat(**asked(words), stream=True))
        return told("".join(part.message.content or "" for part in parts), *parts)


async def ollama_streamed_async(url: str, words: str) -> Told:
    import ollama

    client = ollama.AsyncClient(host=url)
    parts = [part async for part in await client.chat(**asked(words), stream=True)]
    await client.close()
    return told("".join(part.message.content or "" for part in parts), *parts)


def ollama_rest(url: str, words: str) -> Told:
    import ollama

    with ollama.Client(host=url) as client:
        vectors, tags = client.embed(model="llama3", input="x" * 16), client.list()
        return told(str(list(vectors.embeddings[0])), vectors, tags)


@dataclass(frozen=True)
class Conversation:
    hold: Callable[[str, str], Any]
    objects: int
    """How many objects the SDK hands over: the pieces of a stream."""
    says: str = "You said: {} — naïve “quotes” 🙂"
    waits: bool = False
    requests: int = 1


def both(
    hold: Callable[..., Any], hold_async: Callable[..., Any], objects: int, says: str = Conversation.says
) -> tuple[Conversation, Conversation]:
    return Conversation(hold, objects, says), Conversation(hold_async, objects, says, waits=True)


VECTOR = "[0.25, -0.25]"

KINDS: dict[str, tuple[Conversation, ...]] = {
    "openai-chat": both(chat, chat_async, 1),
    "openai-chat-streamed": both(chat_streamed, chat_streamed_async, 4),
    "openai-responses": both(responses, responses_async, 1),
    "openai-responses-streamed": both(responses_streamed, responses_streamed_async, 10),
    "openai-embeddings": both(embeddings, embeddings_async, 1, VECTOR),
    "openai-models": both(models, models_async, 2, "small large"),
    "anthropic": both(anthropic_plain, anthropic_plain_async, 1),
    "anthropic-streamed": both(anthropic_streamed, anthropic_streamed_async, 9),
    "ollama": both(ollama_plain, ollama_plain_async, 1),
    "ollama-streamed": both(ollama_streamed, ollama_streamed_async, 3),
    "ollama-rest": (Conversation(ollama_rest, 2, VECTOR, requests=2),),
}

CONVERSATIONS = {name + ("-async" if each.waits else ""): each for name, kinds in KINDS.items() for each in kinds}


def hold(name: str, url: str) -> Told:
    """What one conversation tells; it says its own name, so no two ask the same."""
    conversation = CONVERSATIONS[name]
    found = conversation.hold(url, name)
    return asyncio.run(found) if conversation.waits else found


# --- the ways in ----------------------------------------------------------------------------------------

WAYS = ("in-process", "server", "command")


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The conversations that this run is about: with `-k openai` no other SDK is needed."""
    names = {each.callspec.params.get("name") for each in request.session.items if hasattr(each, "callspec")}
    return tuple(name for name in CONVERSATIONS if name in names)


class Recorded:
    """A cassette of all conversations, what was told while it was recorded, and where the provider was."""

    def __init__(self, path: Path, url: str, told: Mapping[str, Told], authorization: set[str | None]) -> None:
        self.path = path
        self.url = url
        self.told = told
        self.authorization = authorization
        """What the provider was sent as keys."""


@contextmanager
def recording(way: str, path: Path, provider: str, command: Callable[..., Any]) -> Iterator[str]:
    """Where to ask, so that it is recorded."""
    match way:
        case "in-process":
            with use_cassette(path, mode="new_episodes"):
                yield provider
        case "server":
            with LLMServer(path, mode="new_episodes", upstream=provider + "/v1") as server:
                yield server.url
        case "command":
            with command("record", "--cassette", path, "--upstream", provider) as url:
                yield url


@pytest.fixture(scope="module", params=WAYS)
def recorded(request, tmp_path_factory, provider, command, chosen) -> Recorded:
    return record(request.param, tmp_path_factory, provider, command, chosen)


@pytest.fixture(scope="module")
def recorded_here(tmp_path_factory, provider, command, chosen) -> Recorded:
    return record("in-process", tmp_path_factory, provider, command, chosen)


def record(way: str, tmp_path_factory: Any, provider: Any, command: Any, chosen: tuple[str, ...]) -> Recorded:
    path = tmp_path_factory.mktemp("recorded") / f"{way}.yaml"
    with provider() as running:
        with recording(way, path, running.url, command) as url:
            found = {name: hold(name, url) for name in chosen}
        keys = {asked.header("authorization") for asked in running.requests if asked.path.startswith("/v1")}
        return Recorded(path, running.url, found, keys)


@pytest.fixture(scope="module")
def served(recorded: Recorded, command: Callable[..., Any]) -> Iterator[str]:
    """The address of `llmmock replay` with that cassette."""
    with command("replay", recorded.path) as url:
        yield url


def test_what_each_sdk_is_answered_while_it_is_recorded_is_what_the_provider_says(recorded, chosen):
    assert {name: words for name, (words, _) in recorded.told.items()} == {
        name: CONVERSATIONS[name].says.format(name) for name in chosen
    }
    assert {name: len(objects) for name, (_, objects) in recorded.told.items()} == {
        name: CONVERSATIONS[name].objects for name in chosen
    }


def test_every_request_became_one_interaction_without_the_providers_private_headers(recorded, chosen):
    cassette = open_cassette(recorded.path)
    assert len(cassette) == sum(CONVERSATIONS[name].requests for name in chosen)
    text = recorded.path.read_text(encoding="utf-8")
    assert "provider-cookie" not in text
    assert "org-provider" not in text
    assert "Bearer test" not in text
    assert all(each.reply.status == 200 for each in cassette.interactions)


def test_the_provider_is_sent_the_clients_own_key(recorded, chosen):
    assert recorded.authorization == ({"Bearer test"} if chosen else set())  # chosen alone, it has no conversation


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_is_replayed_in_process(recorded, name):
    with use_cassette(recorded.path) as mock:
        assert hold(name, recorded.url) == recorded.told[name]
        assert [entry.source for entry in mock.requests] == ["cassette"] * CONVERSATIONS[name].requests


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_is_replayed_by_a_server(recorded, name):
    with LLMServer(recorded.path) as server:
        assert hold(name, server.url) == recorded.told[name]
        assert [entry.source for entry in server.requests] == ["cassette"] * CONVERSATIONS[name].requests


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_is_replayed_by_the_command(recorded, served, name):
    assert hold(name, served) == recorded.told[name]


@pytest.mark.parametrize("chunking", ["event", "bytes=1", "bytes=3", "bytes=64", "hostile=1", "hostile=2", "hostile=3"])
@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("replays", [use_cassette, LLMServer])
def test_in_whatever_pieces_it_comes_each_sdk_reads_the_same(recorded_here, replays, name, chunking):
    with replays(recorded_here.path, chunking=chunking) as mock:
        assert hold(name, getattr(mock, "url", recorded_here.url)) == recorded_here.told[name]
        assert [entry.source for entry in mock.requests] == ["cassette"] * CONVERSATIONS[name].requests


@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if "streamed" in name])
@settings(max_examples=20, deadline=None)
@given(
    chunking=st.builds("hostile={}".format, st.integers(0, 10**9)) | st.builds("bytes={}".format, st.integers(1, 99))
)
def test_in_any_pieces_at_all_each_sdk_reads_the_same(recorded_here, name, chunking):
    with use_cassette(recorded_here.path, chunking=chunking):
        assert hold(name, recorded_here.url) == recorded_here.told[name]


@pytest.mark.parametrize("speed", ["recorded", "ttft=0.005,tps=5000"])
@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("replays", [use_cassette, LLMServer])
def test_in_time_each_sdk_reads_the_same(recorded_here, replays, name, speed):
    with replays(recorded_here.path, speed=speed, chunking="hostile=7") as mock:
        assert hold(name, getattr(mock, "url", recorded_here.url)) == recorded_here.told[name]
        assert not [entry for entry in mock.requests if not entry.whole]


@pytest.mark.parametrize("replays", [use_cassette, LLMServer])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "anthropic", "ollama"])
def test_what_was_recorded_one_way_is_answered_the_other_way(tmp_path, provider, name, streamed, replays):
    ways = [KINDS[name][0], KINDS[f"{name}-streamed"][0]]
    recorded_as, asked_as = ways if streamed else reversed(ways)
    path = tmp_path / "a.yaml"
    with provider() as running, use_cassette(path, mode="new_episodes"):
        words, _ = recorded_as.hold(running.url, "once")
    with replays(path) as mock:
        found, _ = asked_as.hold(getattr(mock, "url", running.url), "once")
        assert found == words
        form = "recording without a stream" if streamed else "recorded stream"
        assert mock.requests.last.notes == (f"converted from a {form}",)


# --- once for all ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name.startswith("openai")])
def test_a_miss_is_an_answer_that_openai_tells_in_full(tmp_path, name):
    with LLMServer(tmp_path / "empty.yaml") as server:
        with pytest.raises(openai.NotFoundError, match="There are no recordings to answer this request from"):
            hold(name, server.url)
        assert [entry.source for entry in server.requests] == ["unmatched"]
        server.requests.clear()  # else it would be raised at the end of the block


def test_clients_find_the_server_by_the_environment(tmp_path, provider, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with provider() as running, LLMServer(tmp_path / "a.yaml", mode="once", upstream=running.url) as server:
        with openai.OpenAI() as client:
            assert [model.id for model in client.models.list()] == ["small", "large"]
        assert len(server.requests) == 1


def test_the_key_that_we_gave_out_is_not_sent_to_the_upstream(tmp_path, provider, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with (
        provider() as running,
        LLMServer(tmp_path / "a.yaml", mode="once", upstream=running.url),
        openai.OpenAI(max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="no key"),
    ):
        client.models.list()
    assert [request.header("authorization") for request in running.requests] == [None]
