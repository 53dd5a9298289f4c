"""What a provider said, lost on the way through a mock."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from provider import Answer, as_json, as_stream

RICH = {
    "id": "chatcmpl-CfH2uQ8xYb1",
    "object": "chat.completion",
    "created": 1795132801,
    "model": "gpt-5-2026-08-07",
    "service_tier": "default",
    "system_fingerprint": "fp_44709d6fcb",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Naïve “Rome” 🙂",
                "refusal": None,
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {"url": "https://h.example/", "title": "H", "start_index": 0, "end_index": 5},
                    }
                ],
            },
            "logprobs": {
                "content": [{"token": "Na", "bytes": [78, 97], "logprob": -1e-05, "top_logprobs": []}],
                "refusal": None,
            },
            "finish_reason": "stop",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": "the second choice", "refusal": None},
            "logprobs": None,
            "finish_reason": "length",
        },
    ],
    "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 12,
        "total_tokens": 21,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 7, "accepted_prediction_tokens": 0},
    },
    "a_field_of_next_year": {"deep": [1.0, 1, True, None, "no", "0123"]},
}

LAYOUTS = {
    "compact": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "indented": lambda value: json.dumps(value, indent=2),
    "odd": lambda value: "\n " + json.dumps(value).replace(": ", " :  ") + "\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_answer_survives_byte_for_byte(run, provider, layout):
    """Ids, log probabilities, citations, the fingerprint, usage in detail and the second choice are gone in replay."""
    body = LAYOUTS[layout](RICH).encode()
    provider.answer = lambda asked: Answer(body, headers={"content-type": "application/json"})
    for mode in ("once", "none"):
        with run(mode) as app, app.openai() as client:
            raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=[])
            assert raw.content == body
            assert raw.parse().model_dump(mode="json", exclude_unset=True) == RICH


def test_a_raw_response_has_its_headers_in_replay_too(run, provider):
    """A mock that hands over parsed objects has no raw response, and whoever looks at headers or builds on it fails."""
    headers = {"x-request-id": "req_1", "openai-processing-ms": "421", "x-ratelimit-remaining-tokens": "149"}
    provider.answer = lambda asked: as_json(RICH, **headers)

    async def later(app):
        async with app.async_openai() as client:
            raw = await client.chat.completions.with_raw_response.create(model="gpt-5", messages=[])
            return raw.headers, raw.parse()._request_id

    for mode in ("once", "none"):
        with run(mode) as app, app.openai() as client:
            raw = client.chat.completions.with_raw_response.create(model="gpt-5", messages=[])
            assert (raw.status_code, raw.parse()._request_id) == (200, "req_1")
            assert {name: raw.headers[name] for name in headers} == headers
            found, request_id = asyncio.run(later(app))
            assert ({name: found[name] for name in headers}, request_id) == (headers, "req_1")


def chunk(text: str | None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": finish}
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    value = {**shared, "system_fingerprint": "fp_1", "choices": [choice], **more}
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


USAGE = {"prompt_tokens": 1, "completion_tokens": 5, "total_tokens": 6}

EIGHT = [
    *(chunk(word) for word in ("Ro", "me ", "is ", "old", ".")),
    chunk(None, "stop"),
    chunk(None, choices=[], usage=USAGE),
    b"data: [DONE]\n\n",
]


def pieces(app, **more: Any) -> list[bytes]:
    with (
        app.openai() as client,
        client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True, **more) as raw,
    ):
        return list(raw.iter_bytes())


def test_a_stream_of_eight_pieces_stays_one_of_eight(run, provider):
    """A stream that is put together and cut anew comes back in half as many pieces, or all at once."""
    provider.answer = lambda asked: as_stream(*EIGHT)
    for mode in ("once", "none"):
        with run(mode) as app:
            assert pieces(app) == EIGHT
    with run() as app, app.openai() as client:
        chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert len(chunks) == 7
    assert chunks[-1].usage.total_tokens == 6


def test_a_stream_of_eight_pieces_stays_one_of_eight_for_async_clients(run, provider):
    """A stream that is put together for the async client hides how the code deals with its pieces."""
    provider.answer = lambda asked: as_stream(*EIGHT)

    async def work(app):
        async with (
            app.async_openai() as client,
            client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as raw,
        ):
            return [piece async for piece in raw.iter_bytes()]

    for mode in ("once", "none"):
        with run(mode) as app:
            assert asyncio.run(work(app)) == EIGHT


def test_pieces_that_end_inside_a_character_or_an_event_stay_as_they_were(run, provider):
    """Bugs with characters and events that are cut in two by the network are hidden by every mock that cuts neatly."""
    whole = b"".join([chunk("naïve 🙂"), *EIGHT[5:]])
    cut = whole.index("🙂".encode()) + 2
    awkward = [whole[:7], whole[7:cut], whole[cut : cut + 1], whole[cut + 1 :]]
    provider.answer = lambda asked: as_stream(*awkward)
    for mode in ("once", "none"):
        with run(mode) as app:
            assert pieces(app) == awkward
            with app.openai() as client:
                told = client.chat.completions.create(model="n", messages=[], stream=True)
                assert "".join(each.choices[0].delta.content or "" for each in told if each.choices) == "naïve 🙂"
