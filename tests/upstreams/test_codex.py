"""The upstream codex against a stand-in that refuses what the real backend refuses, as a user has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from chatgpt_backend import ACCOUNT, Backend, identifying, tokens_in

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.errors import UnmatchedError, UsageError
from pytest_llmmock.mock import LLMMock
from pytest_llmmock.upstreams import find

MODEL = "gpt-5.6-sol"
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "codex"


@pytest.fixture(autouse=True)
def environ(backend: Backend, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of a user who has logged in."""
    backend.login(home)
    monkeypatch.delenv("CI", raising=False)
    for name, value in backend.environ(home).items():
        monkeypatch.setenv(name, value)
    return backend.environ(home)


Open = Callable[..., Any]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A cassette, and a client whose requests go to it."""

    @contextmanager
    def opened(mode: str = "new_episodes", **settings: Any) -> Iterator[tuple[LLMMock, openai.OpenAI]]:
        upstream = {} if mode == "none" else {"upstream": "codex"}
        with (
            use_cassette(tmp_path / "c.yaml", mode=mode, **upstream, **settings) as mock,  # type: ignore[arg-type]
            openai.OpenAI(api_key="sk-of-the-client", max_retries=0) as client,
        ):
            yield mock, client

    return opened


def fails(says: str) -> Any:
    """A test whose request could not be answered fails with these words."""
    return pytest.raises(UnmatchedError, match=says)


def text_of(tmp_path: Path) -> str:
    return (tmp_path / "c.yaml").read_text()


# --- what is sent ---------------------------------------------------------------------------------------


def test_it_is_asked_under_our_own_name_with_nothing_of_the_clients(backend, opened, home):
    with opened() as (_, client):
        client.responses.create(model=MODEL, input="hello", extra_headers={"x-mine": "1"})
    (request,) = backend.requests
    headers = dict(request.headers)
    assert headers["authorization"] == "Bearer " + tokens_in(home / "auth.json")["access_token"]
    assert headers["chatgpt-account-id"] == ACCOUNT
    assert headers["originator"] == "pytest-llmmock"
    assert headers["user-agent"].startswith("pytest-llmmock/")
    assert headers["accept"] == "text/event-stream"
    assert headers["session-id"] == backend.bodies[0]["prompt_cache_key"]
    assert "x-mine" not in headers
    assert "sk-of-the-client" not in str(request.headers)
    assert not [name for name in headers if name.startswith(("x-stainless", "x-codex"))]


def test_settings_reach_the_backend(backend, opened):
    with opened(reasoning_effort="low", reasoning_summary="auto", web_search=True, debug_model="gpt-6-sol") as (_, c):
        c.responses.create(model="whatever", input="hello", instructions="x")
    (body,) = backend.bodies
    assert (body["model"], body["reasoning"]) == ("gpt-6-sol", {"effort": "low", "summary": "auto"})
    assert body["tools"] == [{"type": "web_search"}]


def test_what_is_left_out_is_in_journal_and_cassette(opened, tmp_path):
    with opened() as (mock, client):
        client.responses.create(model=MODEL, input="hello", instructions="x", temperature=0.5, max_output_tokens=9)
    said = "codex does not take max_output_tokens, temperature: sent without"
    assert said in mock.requests.last.notes
    (interaction,) = open_cassette(tmp_path / "c.yaml").interactions
    assert interaction.meta["notes"] == [said]
    assert interaction.request.json()["temperature"] == 0.5


# --- what comes back ------------------------------------------------------------------------------------


def test_a_plain_answer_is_put_together_from_its_items(opened):
    with opened() as (_, client):
        answer = client.responses.create(model=f"{MODEL}-low", input="hello", metadata={"a": "b"}, user="me")
    assert answer.output_text == f"hello #1 of {MODEL}"
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert (answer.store, answer.metadata, answer.user) == (True, {"a": "b"}, "me")
    assert answer.usage.output_tokens_details.reasoning_tokens == 4


def test_a_stream_is_seen_while_it_comes(backend, opened):
    backend.release.clear()
    with opened() as (_, client), client.responses.create(model=MODEL, input="hello", stream=True) as stream:
        kinds = []
        for event in stream:
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                backend.release.set()  # had it not come yet, nobody would ever let the rest come
        assert kinds[-1] == "response.completed"
        assert event.response.output_text == f"hello #1 of {MODEL}"


def test_it_is_replayed_without_login_and_backend(backend, opened, home, monkeypatch):
    def ask(client: openai.OpenAI) -> list[Any]:
        streamed = client.responses.create(model=MODEL, input="weather", tools=[TOOL], stream=True)
        plain = client.responses.create(model=MODEL, input="hello")
        return [[event.model_dump() for event in streamed], plain.model_dump()]

    with opened() as (_, client):
        recorded = ask(client)
    (home / "auth.json").unlink()
    monkeypatch.setenv("CI", "true")
    with opened("none") as (mock, client):
        assert ask(client) == recorded
    assert len(backend.requests) == 2
    assert [entry.source for entry in mock.requests] == ["cassette", "cassette"]


def test_nothing_in_a_cassette_tells_who_asked(backend, opened, tmp_path, home):
    with opened(reasoning_effort="low") as (_, client):
        for more in ({}, {"include": ["reasoning.encrypted_content"]}, {"store": False}):
            client.responses.create(model=MODEL, input="hello", **more)
            list(client.responses.create(model=MODEL, input="weather", tools=[TOOL], stream=True, **more))
    text = text_of(tmp_path)
    assert not [secret for secret in identifying(backend, home / "auth.json") if secret in text]
    assert str(home) not in text


# --- logins ---------------------------------------------------------------------------------------------


def test_a_login_that_is_refused_is_renewed_once_and_the_request_sent_again(backend, opened, home):
    backend.valid.clear()
    with opened() as (_, client):
        assert client.responses.create(model=MODEL, input="hello").output_text.startswith("hello")
    assert (len(backend.requests), len(backend.refreshes)) == (2, 1)
    assert tokens_in(home / "auth.json")["access_token"] in backend.valid


def test_one_that_is_refused_again_is_told_and_not_tried_again(backend, opened, monkeypatch):
    monkeypatch.setattr(backend, "valid", _Never())
    with opened() as (_, client), pytest.raises(openai.AuthenticationError, match="also after it was renewed"):
        client.responses.create(model=MODEL, input="hello")
    assert (len(backend.requests), len(backend.refreshes)) == (2, 1)


class _Never(set[str]):
    def __contains__(self, token: object) -> bool:
        return False


def test_one_that_somebody_else_has_renewed_is_read_again(backend, opened, home):
    with opened() as (_, client):
        client.responses.create(model=MODEL, input="hello")
        backend.valid.clear()
        backend.login(home)
        client.responses.create(model=MODEL, input="hello again")
    assert (len(backend.requests), len(backend.refreshes)) == (2, 0)


def test_where_it_cannot_be_renewed_the_same_is_not_sent_again(backend, opened):
    backend.valid.clear()
    backend.down = (503, {})
    refused = pytest.raises(openai.APIStatusError)
    with fails(r"could not be renewed now \(status 503\)"), opened() as (_, client), refused:
        client.responses.create(model=MODEL, input="hello")
    assert len(backend.requests) == 1


def test_without_a_login_it_is_said_before_anything_is_asked(home):
    (home / "auth.json").unlink()
    with pytest.raises(UsageError, match="needs a login that the Codex CLI, ChatMock or GPTMock has made"):
        find("codex", {"CODEX_HOME": str(home), "HOME": str(home)})


@pytest.mark.parametrize("ci", ["true", "1", "yes", "anything"])
def test_in_ci_it_refuses_unless_it_is_told_otherwise(environ, ci):
    with pytest.raises(UsageError) as caught:
        find("codex", {**environ, "CI": ci})
    assert str(caught.value) == (
        "The upstream 'codex' answers with the ChatGPT plan of a person, so it is not used in CI (CI is set). "
        "Record on your own machine and commit the cassettes, or record here with an API key. "
        "If this is your own machine:  LLMMOCK_CODEX_IN_CI=1"
    )
    assert find("codex", {**environ, "CI": ci, "LLMMOCK_CODEX_IN_CI": "1"}).NAME == "codex"


@pytest.mark.parametrize("ci", ["", "false", "0"])
def test_a_variable_that_says_no_is_no_ci(environ, ci):
    assert find("codex", {**environ, "CI": ci}).NAME == "codex"


@pytest.mark.parametrize("variable", ["LLMMOCK_CODEX_URL", "LLMMOCK_ISSUER"])
def test_a_login_is_not_sent_in_the_open(environ, variable):
    with pytest.raises(UsageError, match=f"{variable}=http://elsewhere.example: a login is only sent to an https"):
        find("codex", {**environ, variable: "http://elsewhere.example"})


# --- errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (
            "limit",
            openai.RateLimitError,
            r"usage limit of the ChatGPT plan \(plus\) is reached. It resets at .* 2 h 1 min",
        ),
        ("old limit", openai.RateLimitError, "in 1 min 30 s"),
        ("limit in headers", openai.RateLimitError, r"ChatGPT plan is reached. It resets at .*, in 1 min"),
        ("no codex", openai.RateLimitError, "has no Codex"),
        ("limit inside", openai.RateLimitError, r"\(plus\) is reached. It resets at .* 2 h 1 min"),
        ("too fast", openai.RateLimitError, "Please try again in 1.5s"),
        ("cloudflare", openai.PermissionDeniedError, "Cloudflare"),
        ("overloaded", openai.InternalServerError, "Try later"),
        ("broken", openai.InternalServerError, "a web page where JSON is due"),
        ("fail", openai.InternalServerError, "Our servers are overloaded"),
        ("fail at once", openai.RateLimitError, "Please try again in 2s"),
        ("error event", openai.InternalServerError, "Something broke"),
    ],
)
def test_an_error_is_the_clients_own_and_is_not_recorded(opened, tmp_path, words, error, says):
    with opened() as (_, client), pytest.raises(error, match=says):
        client.responses.create(model=MODEL, input=words)
    assert not (tmp_path / "c.yaml").exists()


def test_a_model_that_it_does_not_have_is_told_in_its_own_words(opened):
    with opened() as (_, client), pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="gpt-5", input="hello")
    assert caught.value.body["message"] == (
        "The 'gpt-5' model is not supported when using Codex with a ChatGPT account."
    )


@pytest.mark.parametrize(("words", "last"), [("fail", "response.failed"), ("error event", "error")])
def test_an_error_inside_a_stream_reaches_the_client_and_fails_the_test(opened, tmp_path, words, last):
    with fails(r"failed in the middle of its answer: .*\. It was not recorded\."), opened() as (_, client):
        events = list(client.responses.create(model=MODEL, input=words, stream=True))
        assert events[-1].type == last
    assert not (tmp_path / "c.yaml").exists()


@pytest.mark.parametrize("words", ["limit", "limit inside", "no codex"])
def test_a_plan_that_is_used_up_is_not_asked_again_by_an_sdk(backend, opened, words):
    with opened() as (_, client), pytest.raises(openai.RateLimitError):
        client.with_options(max_retries=2).responses.create(model=MODEL, input=words)
    said = [{"role": "user", "content": words}]
    with opened() as (_, client), pytest.raises(openai.RateLimitError):
        client.with_options(max_retries=2).chat.completions.create(model=MODEL, messages=said)
    assert len(backend.requests) == 2


def test_a_plan_that_is_used_up_inside_a_stream_says_when_it_resets(opened):
    says = r"ChatGPT plan \(plus\) is reached. It resets at .* 2 h 1 min"
    with fails(says), opened() as (_, client), pytest.raises(openai.APIError, match=says):
        list(client.responses.create(model=MODEL, input="limit inside", stream=True))


@pytest.mark.parametrize("words", ["fail", "error event", "cut", "ends early"])
def test_an_error_inside_a_stream_is_recorded_where_that_is_wanted(opened, words):
    def ask(client: openai.OpenAI) -> list[object]:
        return list(client.responses.create(model=MODEL, input=words, stream=True))

    with opened(record_errors=True) as (_, client):
        events = ask(client)
    with opened("none") as (_, client):
        assert ask(client) == events


def test_errors_are_recorded_where_that_is_wanted(opened):
    with opened(record_errors=True) as (_, client), pytest.raises(openai.RateLimitError) as first:
        client.responses.create(model=MODEL, input="limit")
    with opened("none") as (_, client), pytest.raises(openai.RateLimitError) as again:
        client.responses.create(model=MODEL, input="limit")
    assert again.value.body == first.value.body


def test_an_error_that_is_recorded_does_not_tell_whose_machine_it_was(backend, opened, home, tmp_path, monkeypatch):
    monkeypatch.setattr(backend, "valid", _Never())
    with opened(record_errors=True) as (_, client), pytest.raises(openai.AuthenticationError):
        client.responses.create(model=MODEL, input="hello")
    text = text_of(tmp_path)
    assert "refuses the login of the Codex CLI" in text
    assert str(home) not in text


@pytest.mark.parametrize("stream", [True, False])
def test_a_stream_that_does_not_say_what_it_is_is_one_all_the_same(opened, stream):
    with opened() as (_, client):
        answer = client.responses.create(model=MODEL, input="untyped", stream=stream)
        whole = list(answer)[-1].response if stream else answer
    assert whole.output_text == f"untyped #1 of {MODEL}"


def test_what_is_incomplete_is_an_answer(opened):
    with opened() as (_, client):
        plain = client.responses.create(model=MODEL, input="incomplete")
        *_, last = client.responses.create(model=MODEL, input="incomplete", stream=True)
    assert (plain.status, plain.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert plain.output_text == f"incomplete #1 of {MODEL}"
    assert last.type == "response.incomplete"


@pytest.mark.parametrize("words", ["cut", "ends early"])
def test_an_answer_that_breaks_off_is_never_whole(opened, tmp_path, words):
    refused = pytest.raises(openai.InternalServerError, match=r"broke off|was cut off")
    with fails(r"broke off|was cut off"), opened() as (_, client), refused:
        client.responses.create(model=MODEL, input=words)
    assert not (tmp_path / "c.yaml").exists()


@pytest.mark.parametrize("words", ["cut", "ends early"])
def test_a_stream_that_breaks_off_ends_with_an_error(opened, tmp_path, words):
    with fails(r"broke off|was cut off"), opened() as (_, client):
        *_, last = client.responses.create(model=MODEL, input=words, stream=True)
        assert last.type == "error"
    assert not (tmp_path / "c.yaml").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("elsewhere", r"sends the request elsewhere \(status 307\). A login is not sent after a redirect"),
        ("page", "answered with status 200 and text/html; charset=UTF-8 where a stream of events is due"),
    ],
)
def test_what_is_neither_answer_nor_error_is_told(backend, opened, words, says):
    refused = pytest.raises(openai.APIStatusError)
    with fails(says), opened() as (_, client), refused:
        client.responses.create(model=MODEL, input=words)
    assert len(backend.requests) == 1


def test_what_it_has_not_is_told(backend, opened):
    refused = pytest.raises(openai.APIStatusError)
    with fails("embeddings"), opened() as (_, client), refused:
        client.embeddings.create(model="m", input="hello")
    assert backend.requests == []


def test_what_only_openai_keeps_is_refused_by_ourselves(backend, opened):
    with opened() as (_, client), pytest.raises(openai.BadRequestError, match="keeps no conversations"):
        client.responses.create(model=MODEL, input="hello", conversation="conv_1")
    assert backend.requests == []


# --- conversations --------------------------------------------------------------------------------------


def heard(body: dict[str, Any]) -> list[str]:
    """Who said what, as the backend was told."""
    return [
        f"{item['role']}:{item['content'][0]['text']}" if "role" in item else item["type"] for item in body["input"]
    ]


def test_a_conversation_goes_on_from_answers_that_the_backend_does_not_keep(backend, opened):
    with opened(reasoning_effort="low") as (_, client):
        one = client.responses.create(model=MODEL, input="weather", tools=[TOOL])
        results = [
            {"type": "function_call_output", "call_id": item.call_id, "output": "sun"}
            for item in one.output
            if item.type == "function_call"
        ]
        two = client.responses.create(
            model=MODEL, input=results, tools=[TOOL], previous_response_id=one.id, stream=True
        )
        *_, last = two
        three = client.responses.create(model=MODEL, input="thanks", previous_response_id=last.response.id)
    assert heard(backend.bodies[2]) == [
        "user:weather",
        "reasoning",
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
        "reasoning",
        f"assistant:sun #2 of {MODEL}",
        "user:thanks",
    ]
    assert three.previous_response_id == last.response.id
    assert {body["prompt_cache_key"] for body in backend.bodies} == {backend.bodies[0]["prompt_cache_key"]}


def test_thoughts_that_a_client_says_back_reach_the_backend(backend, opened):
    with opened(reasoning_effort="low") as (_, client):
        kept = {"store": False, "include": ["reasoning.encrypted_content"]}
        one = client.responses.create(model=MODEL, input="hello", **kept)
        said = [{"role": "user", "content": "hello"}, *one.output, {"role": "user", "content": "more"}]
        client.responses.create(model=MODEL, input=said, **kept)
    thought = backend.bodies[1]["input"][1]
    assert thought["encrypted_content"] in backend.sealed
    assert "id" not in thought
    assert one.output[0].encrypted_content == "redacted-rs_0001"


def test_the_whole_conversation_is_replayed(opened):
    def talk(client: openai.OpenAI) -> list[Any]:
        kept = {"store": False, "include": ["reasoning.encrypted_content"]}
        one = client.responses.create(model=MODEL, input="hello", **kept)
        said = [{"role": "user", "content": "hello"}, *one.output, {"role": "user", "content": "more"}]
        two = client.responses.create(model=MODEL, input=said)
        three = client.responses.create(model=MODEL, input="and more", previous_response_id=two.id, stream=True)
        kept_one = client.responses.retrieve(two.id)
        asked = client.responses.input_items.list(two.id)
        return [one.to_dict(), two.to_dict(), [each.to_dict() for each in three], kept_one.to_dict(), asked.to_dict()]

    with opened(reasoning_effort="low") as (_, client):
        recorded = talk(client)
    with opened("none") as (_, client):
        assert talk(client) == recorded


def test_a_conversation_that_an_earlier_run_began_goes_on(backend, opened):
    with opened() as (_, client):
        one = client.responses.create(model=MODEL, input="hello")
        client.responses.create(model=MODEL, input="more", previous_response_id=one.id)
    with opened() as (mock, client):
        one = client.responses.create(model=MODEL, input="hello")
        two = client.responses.create(model=MODEL, input="more", previous_response_id=one.id)
        client.responses.create(model=MODEL, input="and more", previous_response_id=two.id)
        assert client.responses.retrieve(one.id).id == one.id
    assert [entry.source for entry in mock.requests] == ["cassette", "cassette", "upstream", "upstream"]
    assert heard(backend.bodies[2])[::2] == ["user:hello", "user:more", "user:and more"]


def test_a_reference_to_an_item_is_resolved(backend, opened):
    """As the AI SDK sends it where nobody tells it not to store."""
    with opened() as (_, client):
        one = client.responses.create(model=MODEL, input="hello")
        said = [
            {"role": "user", "content": "hello"},
            {"type": "item_reference", "id": one.output[0].id},
            {"role": "user", "content": "more"},
        ]
        client.responses.create(model=MODEL, input=said)  # type: ignore[arg-type]
    assert heard(backend.bodies[1]) == ["user:hello", f"assistant:hello #1 of {MODEL}", "user:more"]


def test_what_is_kept_can_be_asked_for_cancelled_and_deleted(backend, opened):
    with opened() as (_, client):
        one = client.responses.create(model=MODEL, input="hello")
        assert client.responses.retrieve(one.id).to_dict() == one.to_dict()
        assert client.responses.input_items.list(one.id).data[0].content[0].text == "hello"
        assert client.responses.cancel(one.id).status == "cancelled"
        client.responses.delete(one.id)
        with pytest.raises(openai.NotFoundError, match="keeps no responses"):
            client.responses.retrieve(one.id)
    assert len(backend.requests) == 1


def test_what_was_not_to_be_stored_is_not(opened):
    with opened() as (_, client):
        one = client.responses.create(model=MODEL, input="hello", store=False)
        assert one.store is False
        with pytest.raises(openai.NotFoundError, match="Previous response with id"):
            client.responses.create(model=MODEL, input="more", previous_response_id=one.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(one.id)


def test_a_stream_that_was_left_is_no_part_of_a_conversation(opened, backend):
    backend.release.clear()
    with opened() as (_, client):
        stream = client.responses.create(model=MODEL, input="hello", stream=True)
        first = next(iter(stream)).response.id
        stream.close()
        backend.release.set()
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(first)


# --- what is told ---------------------------------------------------------------------------------------


def test_it_is_said_whose_plan_is_used_but_not_in_the_cassette(opened, tmp_path):
    with opened() as (mock, client):
        client.responses.create(model=MODEL, input="hello", instructions="x")
    assert mock.requests.last.warnings == (
        "recorded through codex with the ChatGPT plan (plus) of the login of the Codex CLI",
    )
    assert "plus" not in text_of(tmp_path)


def test_the_body_is_json_that_the_backend_can_read(backend, opened):
    with opened() as (_, client):
        client.responses.create(model=MODEL, input="ä ☃ 🏛")
    assert json.loads(backend.requests[0].body.decode())["input"][0]["content"][0]["text"] == "ä ☃ 🏛"


# --- other protocols ------------------------------------------------------------------------------------

NESTED = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def chat(client: openai.OpenAI, words: str = "weather", **more: Any) -> Any:
    said = [{"role": "system", "content": "be brief"}, {"role": "user", "content": words}]
    return client.chat.completions.create(model=f"{MODEL}-low", messages=said, tools=[NESTED], **more)  # type: ignore[arg-type]


def test_chat_is_asked_and_answered_with_tools_streamed_and_plain(backend, opened):
    def ask(client: openai.OpenAI) -> list[Any]:
        streamed = chat(client, stream=True, stream_options={"include_usage": True}, temperature=0.5)
        return [[chunk.to_dict() for chunk in streamed], chat(client).to_dict()]

    with opened() as (mock, client):
        chunks, plain = ask(client)
    calls = plain["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["arguments"] for call in calls] == ['{"city": "Paris"}', '{"city": "Rome"}']
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][-1] == "tool_calls"
    assert chunks[-1]["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert backend.bodies[0]["instructions"] == "be brief"
    assert "codex does not take temperature: sent without" in mock.requests[0].notes
    with opened("none") as (_, client):
        assert ask(client) == [chunks, plain]


def test_a_conversation_of_chat_goes_on_with_the_results_of_its_calls(backend, opened):
    with opened() as (_, client):
        message = chat(client).choices[0].message
        said = [{"role": "user", "content": "weather"}, message]
        said += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in message.tool_calls]
        answer = client.chat.completions.create(model=MODEL, messages=said)
    assert answer.choices[0].message.content == f"sunny #2 of {MODEL}"


def test_other_protocols_are_answered_as_well(opened, tmp_path):
    with opened() as (_, client):
        words = client.completions.create(model=MODEL, prompt="hello").choices[0].text
        with httpx2.Client(base_url="http://localhost:11434") as ollama:
            asked = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
            lines = ollama.post("/api/chat", json=asked).text.splitlines()
    assert words == f"hello #1 of {MODEL}"
    assert "".join(json.loads(line)["message"]["content"] for line in lines) == f"hello #2 of {MODEL}"
    assert json.loads(lines[-1])["done"] is True
    assert "api_key" not in text_of(tmp_path)


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ("limit", openai.RateLimitError, "It resets at"),
        ("cloudflare", openai.PermissionDeniedError, "Cloudflare"),
        ("fail at once", openai.RateLimitError, "Please try again in 2s"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_their_errors_are_their_own(opened, tmp_path, words, error, says, stream):
    with opened() as (_, client), pytest.raises(error, match=says):
        chat(client, words, stream=stream)
    assert not (tmp_path / "c.yaml").exists()


def test_what_identifies_the_user_is_not_in_translated_answers_either(backend, opened, tmp_path, home):
    with opened() as (_, client):
        list(chat(client, stream=True))
        chat(client, "hello")
    text = text_of(tmp_path)
    assert not [secret for secret in identifying(backend, home / "auth.json") if secret in text]
