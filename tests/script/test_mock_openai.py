"""The configuration of mock-openai-server as its users have it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scripting import asked, chat, embeddings, replied, said

from pytest_llmmock import UsageError
from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.script.files import address, load
from pytest_llmmock.script.source import Script


def body(words: str, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": words}
    return {
        "id": "$chat_id",
        "object": "chat.completion",
        "created": 5,
        "model": "$model",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        **more,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "weather.json").write_text(
        json.dumps(body("Sunny,\nand warm  in Rome")).replace("5,", "$timestamp,", 1)
    )
    (tmp_path / "usual.json").write_text(json.dumps(body("Usual", schema={"$defs": {"a": "$unknown"}})))
    vectors = [{"object": "embedding", "index": n, "embedding": [n, 1.0]} for n in range(2)]
    (tmp_path / "vectors.json").write_text(json.dumps({"object": "list", "data": vectors, "model": "e", "usage": {}}))
    return tmp_path


def script(folder: Path, config: dict[str, Any], environ: dict[str, str] | None = None) -> Script:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    made = Script("seed")
    rules, behind = load(path, environ or {})
    made.extend([*rules, *behind])
    return made


def chats(*patterns: dict[str, Any], default: str | None = "usual.json", **more: Any) -> dict[str, Any]:
    return {"responses": {"chat_completions": {"patterns": list(patterns), "default": default}}, **more}


def pattern(file: str = "weather.json", priority: int = 0, **match: Any) -> dict[str, Any]:
    return {"match": match, "response_file": file, "priority": priority}


def pieces(reply: Reply) -> list[str]:
    events = [json.loads(frame.data.removeprefix(b"data: ")) for frame in reply.frames[:-1]]
    return [text for event in events if (text := event["choices"][0]["delta"].get("content"))]


WEATHER = "Sunny,\nand warm  in Rome"


@pytest.mark.parametrize(
    ("match", "exchange", "words"),
    [
        ({"model": "gpt-4"}, chat(model="gpt-4"), WEATHER),
        ({"model": "gpt-*"}, chat(model="gpt-4"), "Usual"),
        ({"content_regex": "(?i)weather"}, chat("The Weather"), WEATHER),
        ({"content_regex": "weather"}, chat("rain"), "Usual"),
        ({"system_prompt": "pirate"}, chat(before=(("system", "You are a pirate"),)), WEATHER),
        ({"system_prompt": "pirate"}, chat("pirate"), "Usual"),
        ({"temperature": 1.0}, chat(), WEATHER),
        ({"temperature": 1.0}, chat(temperature=0.5), "Usual"),
        ({"seed": 7, "model": "gpt-5"}, chat(seed=7), WEATHER),
        ({}, chat(), WEATHER),
    ],
)
def test_all_keys_of_a_match_have_to_hold(folder, match, exchange, words):
    assert said(script(folder, chats(pattern(**match))), exchange) == words


def test_the_highest_priority_wins_then_the_order_of_the_file(folder):
    made = script(folder, chats(pattern("usual.json"), pattern("usual.json", 1), pattern("weather.json", 2)))
    assert said(made, chat()) == WEATHER


def test_variables_are_filled_in_and_others_stay(folder):
    made = script(folder, chats(pattern(content_regex="weather")))
    exchange = chat("weather", model='a"b')
    told = replied(made, exchange).json()
    assert re.fullmatch("chatcmpl-[0-9a-f]{12}", told["id"])
    assert told["created"] == int(exchange.started)
    assert told["model"] == 'a"b'
    assert replied(made, chat("weather")).json()["id"] != told["id"]
    assert replied(made, chat()).json()["schema"] == {"$defs": {"a": "$unknown"}}


def test_ids_are_the_same_in_every_run(folder):
    first, second = (replied(script(folder, chats(pattern())), chat()).json()["id"] for _ in range(2))
    assert first == second


def test_no_two_answers_have_the_same_id(folder):
    mock = script(folder, chats(pattern(content_regex="a"), pattern(content_regex="b")))
    assert len({replied(mock, chat(words)).json()["id"] for words in "abab"}) == 4


def test_a_stream_has_so_many_words_a_piece_and_keeps_every_space(folder):
    config = chats(pattern(), streaming={"words_per_chunk": 2, "chunk_delay_ms": 20})
    reply = replied(script(folder, config), chat(stream=True))
    assert pieces(reply) == ["Sunny,\nand ", "warm  in ", "Rome"]
    assert [frame.at for frame in reply.frames][:3] == [0.0, 0.02, 0.04]


def test_the_older_name_of_a_setting_is_known(folder):
    config = chats(pattern(), streaming={"tokens_per_chunk": 1})
    assert len(pieces(replied(script(folder, config), chat(stream=True)))) == 5


def test_without_streaming_a_stream_is_a_plain_answer(folder):
    config = chats(pattern(), streaming={"enabled": False})
    assert replied(script(folder, config), chat(stream=True)).json()["object"] == "chat.completion"


def test_variables_of_the_environment_go_over_the_file(folder):
    config = chats(pattern(), server={"host": "0.0.0.0", "port": 9}, streaming={"enabled": True, "chunk_delay_ms": 50})
    environ = {
        "MOCK_OPENAI_STREAMING_ENABLED": "false",
        "MOCK_OPENAI_CHUNK_DELAY": "10",
        "MOCK_OPENAI_PORT": "8123",
        "MOCK_OPENAI_HOST": "127.0.0.1",
        "MOCK_OPENAI_LOG_REQUESTS": "true",
        "MOCK_OPENAI_CORS_ORIGINS": "a,b",
    }
    made = script(folder, config, environ)
    assert replied(made, chat(stream=True)).content_type == "application/json"
    assert address(folder / "config.json", environ) == ("127.0.0.1", 8123)
    assert address(folder / "config.json", {}) == ("0.0.0.0", 9)
    reply = replied(script(folder, config, {"MOCK_OPENAI_CHUNK_DELAY": "10"}), chat(stream=True))
    assert reply.frames[1].at == 0.01


def test_answers_that_nobody_gives(folder):
    made = script(folder, {"server": {}})
    assert said(made, chat()) == "This is a mock response from the OpenAI API mock server."
    assert replied(made, chat()).json()["usage"]["total_tokens"] == 25
    assert said(made, asked("/v1/completions", {"prompt": "x"})).startswith("This is a mock")
    vectors = replied(made, embeddings("a", "b")).json()["data"]
    assert [len(each["embedding"]) for each in vectors] == [1536, 1536]
    listed = replied(made, asked("/v1/models", {}, method="GET")).json()["data"]
    assert [model["id"] for model in listed][:2] == ["gpt-4", "gpt-4-turbo"]
    assert replied(made, asked("/v1/responses", {"input": "x"})) is None


def test_models_can_be_named(folder):
    made = script(folder, {"models": ["a", {"id": "b", "owned_by": "me"}]})
    listed = replied(made, asked("/v1/models", {}, method="GET")).json()["data"]
    assert [(model["id"], model["owned_by"]) for model in listed] == [("a", "openai"), ("b", "me")]


def test_vectors_of_a_file_go_round_and_the_last_one_is_repeated(folder):
    made = script(folder, {"responses": {"embeddings": {"default": "vectors.json"}}})
    found = replied(made, embeddings("a", "b", "c")).json()["data"]
    assert [each["embedding"] for each in found] == [[0, 1], [1, 1], [1, 1]]
    assert [each["index"] for each in found] == [0, 1, 2]


def test_files_lie_below_their_folder(folder):
    (folder / "deep").mkdir()
    (folder / "weather.json").rename(folder / "deep" / "weather.json")
    made = script(folder, chats(pattern(), default=None, response_base_dir="deep"))
    assert said(made, chat()) == WEATHER


def test_a_scenario_fails_so_many_times(folder):
    failure = {"match": {"model": "flaky"}, "status_code": 503, "message": "Down", "error_type": "outage", "times": 2}
    made = script(folder, chats(scenario_failures={"chat_completions": [failure]}))
    replies = [replied(made, chat(model="flaky")) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert replies[0].json()["error"] == {"message": "Down", "type": "outage", "param": None, "code": None}
    assert replied(made, chat()).status == 200


def test_below_nought_a_scenario_fails_for_ever_and_nought_is_never(folder):
    forever = script(folder, chats(scenario_failures={"models": [{"times": -1}]}))
    assert [replied(forever, asked("/v1/models", {}, method="GET")).status for _ in range(5)] == [500] * 5
    never = script(folder, chats(scenario_failures={"chat_completions": [{"times": 0}]}))
    assert replied(never, chat()).status == 200


def statuses(folder: Path, rate: float) -> list[int]:
    made = script(folder, chats(server={"simulate_errors": True, "error_rate": rate}))
    return [replied(made, chat()).status for _ in range(40)]


def test_errors_by_chance_are_the_same_in_every_run(folder):
    assert statuses(folder, 0.3) == statuses(folder, 0.3)
    assert set(statuses(folder, 0.3)) == {200, 500}
    assert set(statuses(folder, 1.0)) == {500}
    assert set(statuses(folder, 0.0)) == {200}


def with_key(key: str) -> Exchange:
    return chat(headers={"authorization": f"Bearer {key}"})


def test_keys_are_asked_for_only_when_the_file_says_so(folder):
    made = script(folder, chats(server={"require_auth": True}))
    assert [replied(made, exchange).status for exchange in (chat(), with_key("x"), with_key("sk-x"))] == [401, 401, 200]
    assert replied(script(folder, chats()), chat()).status == 200


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (chats(pattern("nope.json")), "responses.chat_completions.patterns[0].response_file: "),
        (chats({"match": {}}), "responses.chat_completions.patterns[0].response_file: this key is missing."),
        (chats(pattern(content_regex="(")), "match.content_regex: '(' is not a regular expression"),
        (chats(pattern(system_prompt=5)), "match.system_prompt: 5 is no text."),
        (
            {"responses": {"chat": {"default": "usual.json"}}},
            "there is no endpoint 'chat'. Known are: chat_completions",
        ),
        (chats(streaming={"words_per_chunk": 0}), "streaming.words_per_chunk: 0 is not possible."),
        (chats(streaming=[]), "streaming: list [] stands where keys were expected: enabled"),
    ],
    ids=str,
)
def test_a_bad_file_is_refused_with_its_key(folder, config, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        script(folder, config)


def test_a_body_that_is_not_json_is_refused(folder):
    (folder / "weather.json").write_text("{")
    with pytest.raises(UsageError, match=r"weather\.json does not hold JSON\."):
        script(folder, chats(pattern()))


def test_yaml_is_read_too(folder):
    path = folder / "mock_config.yaml"
    path.write_text("responses:\n  chat_completions:\n    default: weather.json\n")
    made = Script()
    made.extend(load(path, {})[1])
    assert said(made, chat()) == WEATHER
