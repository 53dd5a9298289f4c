"""Faults as a test sets them: which requests meet them, and what a client sees, in process and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from pytest_llmmock import LLMServer, UsageError, use_cassette
from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.faults.chance import KINDS

NAN = float("nan")
SSE = (("content-type", "text/event-stream"),)


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return write_event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
PIECES = ['{"city"', ": ", '"Rome"', "}"]
EVENTS = [
    chunk({"role": "assistant", "content": None, "tool_calls": [CALL]}),
    *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}) for piece in PIECES),
    chunk({}, "tool_calls"),
    write_event("[DONE]"),
]


def asked(model: str, *, stream: bool = False, words: str = "hi") -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": words}]}
    return {**body, "stream": True} if stream else body


def interaction(body: dict[str, Any], reply: Reply) -> Interaction:
    from pytest_llmmock.core.json_text import compact

    headers = (("content-type", "application/json"),)
    request = Request("POST", "https://api.openai.com", "/v1/chat/completions", "", headers, compact(body).encode())
    return Interaction.of(Recorded(request, reply))


def said(words: str) -> Reply:
    message = {"role": "assistant", "content": words}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json_reply({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cassette with a stream, and two answers to one question of each of two models."""
    stream = Reply(200, SSE, [Frame(event, 0.01 * number) for number, event in enumerate(EVENTS)])
    plain = [interaction(asked(model), said(f"{model} {n}")) for model in ("m", "other") for n in (1, 2)]
    library.save(tmp_path / "a.yaml", [interaction(asked("m", stream=True), stream), *plain], describe=lambda each: "")
    return tmp_path / "a.yaml"


class Desk:
    """A mock, and a client of it."""

    def __init__(self, mock: Any, client: openai.OpenAI) -> None:
        self.mock = mock
        self.client = client

    @property
    def faults(self) -> Any:
        return self.mock.faults

    def ask(self, model: str = "m") -> str:
        return self.client.chat.completions.create(**asked(model)).choices[0].message.content or ""

    def stream(self) -> list[Any]:
        with self.client.chat.completions.create(**asked("m", stream=True)) as chunks:
            return list(chunks)

    def arguments(self) -> str:
        calls = [call for chunk in self.stream() for call in chunk.choices[0].delta.tool_calls or []]
        return "".join(call.function.arguments for call in calls)

    def heard(self) -> tuple[int, Exception | None]:
        """How many chunks came, and what came then."""
        count = 0
        try:
            with self.client.chat.completions.create(**asked("m", stream=True)) as chunks:
                for _ in chunks:
                    count += 1
        except Exception as error:
            return count, error
        return count, None


@contextmanager
def opened(way: Any, path: Path, *, retries: int = 0, **settings: Any) -> Iterator[Desk]:
    with way(path, **settings) as mock:
        url = f"{mock.url}/v1" if hasattr(mock, "url") else "https://api.openai.com/v1"
        with openai.OpenAI(api_key="test", base_url=url, max_retries=retries) as client:
            yield Desk(mock, client)


ways = pytest.mark.parametrize("way", [use_cassette, LLMServer])


# --- instead of an answer -------------------------------------------------------------------------------


@ways
def test_a_rate_limit_is_retried_by_the_sdk_at_once_and_the_recording_is_still_there(way: Any, path: Path) -> None:
    with opened(way, path, retries=2) as desk:
        desk.faults.rate_limit(times=2, retry_after=60)
        assert desk.ask() == "m 1"
        assert [entry.status for entry in desk.mock.requests] == [429, 429, 200]
        assert [entry.source for entry in desk.mock.requests] == ["script", "script", "cassette"]
        assert desk.mock.requests[0].notes == ("fault: rate_limit(retry_after=60)",)


@ways
def test_who_does_not_retry_sees_the_error_in_the_protocols_shape(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.rate_limit(retry_after=2.5)
        with pytest.raises(openai.RateLimitError, match="Rate limit reached") as caught:
            desk.ask()
        assert caught.value.code == "rate_limit_exceeded"
        assert caught.value.response.headers["retry-after"] == "2.5"
        assert desk.ask() == "m 1"


@ways
def test_a_server_error_has_the_status_that_was_asked_for(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.server_error(status=502)
        with pytest.raises(openai.InternalServerError) as caught:
            desk.ask()
        assert caught.value.status_code == 502
        assert [desk.ask(), desk.ask()] == ["m 1", "m 2"]


# --- with the answer ------------------------------------------------------------------------------------


@ways
def test_a_tool_call_can_be_cut_at_every_event_and_the_recording_is_not_used_up(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        events = desk.mock.event_counts[0]
        assert events == len(EVENTS)
        for number in range(events - 1):
            desk.faults.clear().cut(after_events=number)
            count, error = desk.heard()
            assert count == number
            assert type(error).__name__ in ("RemoteProtocolError", "APIConnectionError"), error
        desk.faults.clear()
        assert desk.arguments() == '{"city": "Rome"}'


@ways
def test_a_plain_answer_is_cut_as_well(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.cut(times=1)
        with pytest.raises(openai.APIConnectionError):
            desk.ask()
        assert desk.ask() == "m 1"


@ways
def test_a_truncated_stream_ends_without_an_error(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.truncate(after_events=3)
        assert desk.heard() == (3, None)
        desk.faults.clear().truncate()
        assert desk.heard() == (6, None)


@ways
def test_a_garbled_event_is_an_error_of_the_clients_parser(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.garble(after_events=2)
        count, error = desk.heard()
        assert count == 2
        assert isinstance(error, ValueError)


@ways
def test_an_error_in_the_stream_is_told_by_the_sdk(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.mid_stream_error(after_events=3, message="out of coal", code="no_coal")
        count, error = desk.heard()
        assert count == 3
        assert isinstance(error, openai.APIError)
        assert (error.message, error.code) == ("out of coal", "no_coal")
        with pytest.raises(openai.InternalServerError, match="out of coal"):
            desk.ask()


@ways
def test_tool_calls_with_broken_json(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.bad_tool_json(times=1)
        assert desk.arguments() == '{"city": "Rome"'
        assert desk.arguments() == '{"city": "Rome"}'


@ways
def test_another_end(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.finish("length")
        assert desk.stream()[-1].choices[0].finish_reason == "length"
        assert desk.client.chat.completions.create(**asked("m")).choices[0].finish_reason == "length"


@ways
def test_a_stall_that_a_client_does_not_wait_for_is_retried_with_the_same_recording(way: Any, path: Path) -> None:
    with opened(way, path, retries=1) as desk:
        desk.faults.on(call=1).stall(600)
        patient = desk.client.with_options(timeout=0.05)
        assert patient.chat.completions.create(**asked("m")).choices[0].message.content == "m 1"
        assert desk.ask() == "m 2"


@ways
@pytest.mark.parametrize("slow", ["fault", "speed"])
def test_what_is_asked_at_once_gets_recordings_in_the_order_of_asking(way: Any, path: Path, slow: str) -> None:
    with opened(way, path, speed="ttft=0.05" if slow == "speed" else "instant") as desk:
        if slow == "fault":
            desk.faults.latency(ttft=0.05)
        url = str(desk.client.base_url)

        async def ask() -> list[Any]:
            async with openai.AsyncOpenAI(api_key="test", base_url=url, max_retries=0) as client:
                return await asyncio.gather(*(client.chat.completions.create(**asked("m")) for _ in range(2)))

        assert sorted(answer.choices[0].message.content for answer in asyncio.run(ask())) == ["m 1", "m 2"]


@ways
def test_a_client_whose_time_is_over_gets_the_same_recording_when_it_asks_again(way: Any, path: Path) -> None:
    with opened(way, path, retries=2, speed="ttft=600") as desk:
        with pytest.raises(openai.APITimeoutError):
            desk.client.with_options(timeout=0.05).chat.completions.create(**asked("other"))
        assert [entry.interaction for entry in desk.mock.requests] == [4, 4, 4]


@ways
def test_a_fault_that_finds_nothing_to_change_uses_the_recording_up(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.bad_tool_json().stall(0.01, after_events=100)
        assert [desk.ask(), desk.ask()] == ["m 1", "m 2"]
        assert desk.mock.requests.last.notes[0] == "fault without effect: bad_tool_json()"


@ways
def test_what_is_late_and_whole_uses_up_its_recording(way: Any, path: Path) -> None:
    with opened(way, path) as desk:
        desk.faults.latency(ttft=0.02, per_event=0.001)
        assert [desk.ask(), desk.ask()] == ["m 1", "m 2"]
        assert all((entry.duration or 0) >= 0.02 for entry in desk.mock.requests)
        assert desk.heard() == (6, None)


def test_an_answer_that_stays_as_it_is_tells_of_no_fault(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.on(model="other").cut()
        assert desk.ask() == "m 1"
        assert desk.mock.requests.last.notes == ()


# --- which requests -------------------------------------------------------------------------------------


def statuses(desk: Desk, *models: str) -> list[int]:
    for model in models:
        try:
            desk.ask(model)
        except openai.APIStatusError:
            continue
    return [entry.status for entry in desk.mock.requests]


def test_a_call_is_counted_from_one(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.on(call=2).server_error(times=None)
        assert statuses(desk, "m", "m", "m") == [200, 503, 200]


def test_several_calls_can_be_named(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.on(call=(1, 3)).server_error(times=None)
        assert statuses(desk, "m", "m", "m") == [503, 200, 503]


def test_a_model_may_be_a_pattern_and_its_calls_are_counted_by_themselves(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.on(model="oth*").on(call=2).server_error()
        assert statuses(desk, "other", "m", "other", "other") == [200, 200, 503, 200]


def test_an_operation_can_be_named(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.on(operation="embeddings").server_error().on(operation="chat").server_error()
        assert statuses(desk, "m", "m") == [503, 200]


def test_unless_told_an_error_comes_once_and_a_change_always(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.server_error().finish("length")
        assert statuses(desk, "m", "m", "m") == [503, 200, 200]
        assert desk.mock.requests.last.notes == ("fault: finish('length')",)


def test_faults_add_up_in_the_order_in_which_they_were_set(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.finish("length").truncate(after_events=6)
        assert [each.choices[0].finish_reason for each in desk.stream()][-1] == "length"
        assert desk.mock.requests.last.notes == ("fault: finish('length')", "fault: truncate(after_events=6)")


def test_a_fault_of_a_test_that_asks_concurrently_is_met_as_often_as_it_says(path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with opened(use_cassette, path, repeat=True) as desk:
        desk.faults.server_error(times=5)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: statuses(desk, "m"), range(20)))
        assert sorted(entry.status for entry in desk.mock.requests) == [200] * 15 + [503] * 5


# --- by chance ------------------------------------------------------------------------------------------


def outcomes(path: Path, seed: int | None, **more: Any) -> list[str]:
    with opened(use_cassette, path, repeat=True) as desk:
        desk.faults.random(rate=0.5, seed=seed, **more)
        found = [desk.heard() for _ in range(30)]
        assert len(desk.faults.seeds) == 1
        return [f"{count} {type(error).__name__}" for count, error in found]


def test_the_same_seed_meets_the_same_faults(path: Path) -> None:
    assert outcomes(path, 7) == outcomes(path, 7)
    assert outcomes(path, 7) != outcomes(path, 8)
    assert 5 < sum(outcome != "6 NoneType" for outcome in outcomes(path, 7)) < 25
    assert len(set(outcomes(path, 7))) > 4, "faults of many kinds"


def test_kinds_can_be_chosen(path: Path) -> None:
    assert {outcome.split()[1] for outcome in outcomes(path, 7, kinds=["rate_limit"])} == {"NoneType", "RateLimitError"}


def test_a_drawn_seed_can_be_told(path: Path) -> None:
    with opened(use_cassette, path) as desk:
        desk.faults.random()
        (told,) = desk.faults.seeds
        assert told.startswith("faults.random(rate=0.1, seed=")
        desk.faults.clear()
        assert desk.faults.seeds == (told,)  # it may have had its effect


# --- what is not possible -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("set_wrong", "why"),
    [
        (lambda faults: faults.on(call=0), "faults.on(call=0): a call is a number from 1, or several of them."),
        (lambda faults: faults.on(call=[]), "faults.on(call=[]): a call is a number from 1, or several of them."),
        (lambda faults: faults.on(call="2"), "faults.on(call='2'): a call is a number from 1, or several of them."),
        (
            lambda faults: faults.cut(after_events=1.5),
            "faults.cut(after_events=1.5): this is a whole number, 0 or more.",
        ),
        (lambda faults: faults.latency(ttft=NAN), "faults.latency(ttft=nan): this is a number of seconds, 0 or more."),
        (
            lambda faults: faults.finish(""),
            "faults.finish(''): a reason is a word such as 'length', 'content_filter' or 'stop'.",
        ),
        (lambda faults: faults.cut(after_events=-1), "faults.cut(after_events=-1): this is a whole number, 0 or more."),
        (lambda faults: faults.stall(-1), "faults.stall(seconds=-1): this is a number of seconds, 0 or more."),
        (lambda faults: faults.rate_limit(times=0), "faults.rate_limit(retry_after=1): times=0 is below 1."),
        (
            lambda faults: faults.rate_limit(retry_after=-1),
            "faults.rate_limit(retry_after=-1): this is a number of seconds, 0 or more.",
        ),
        (
            lambda faults: faults.server_error(status=200),
            "faults.server_error(status=200): an error has a status from 400 to 599.",
        ),
        (
            lambda faults: faults.random(rate=2),
            f"faults.random(rate=2, kinds={[*KINDS]!r}): rate is 0 to 1, kinds are of: "
            f"{', '.join(KINDS)}, bad_tool_json.",
        ),
    ],
)
def test_what_is_not_possible_is_refused_where_it_is_set(path: Path, set_wrong: Any, why: str) -> None:
    with opened(use_cassette, path) as desk:
        with pytest.raises(UsageError) as caught:
            set_wrong(desk.faults)
        assert str(caught.value) == why
