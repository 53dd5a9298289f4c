"""Streams that end well and without their last event, recorded: what was lost cannot be seen, and is told."""

from __future__ import annotations

import json

import httpx
import pytest
from provider import Provider, as_stream

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

NOTE = "the stream ended without its last event: the answer may have been cut off"
LAST = b"data: [DONE]\n\n"


def chunk(words: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": words}, "finish_reason": finish}
    return b"data: " + json.dumps({"model": "m", "choices": [choice]}).encode() + b"\n\n"


def recorded(path, *events: bytes, operation: str = "chat/completions"):
    """What is told of a stream of these events, in the journal and in the cassette."""
    with (
        Provider() as provider,
        use_cassette(path, mode="new_episodes", upstream=provider.url + "/v1") as mock,
        httpx.Client() as client,
    ):
        provider.answer = lambda asked: as_stream(*events)
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        assert client.post(f"https://api.openai.com/v1/{operation}", json=body).content == b"".join(events)
        told = mock.requests.last
    (interaction,) = open_cassette(path).interactions
    return list(told.notes), list(told.warnings), interaction.meta.get("notes", []), provider.url


def test_a_stream_without_an_end_is_kept_and_told(tmp_path):
    notes, warnings, written, url = recorded(tmp_path / "a.yaml", chunk("Start at"))
    assert notes == written == [NOTE]
    assert warnings == [
        f'{url}/v1 ended a stream without its last event, and what was recorded may be cut off: chat m, streamed  "Hi"'
    ]


@pytest.mark.parametrize(
    "events",
    [
        (chunk("Hi"), LAST),
        (chunk("Hi"), chunk("", "stop")),
        (chunk("Hi"), b'data: {"error": {"message": "No"}}\n\n'),
    ],
    ids=["last event", "a reason for the end", "an error"],
)
def test_a_stream_that_has_one_of_these_is_whole(tmp_path, events):
    assert recorded(tmp_path / "a.yaml", *events)[:3] == ([], [], [])


def test_nobody_knows_how_other_streams_end(tmp_path):
    told = recorded(tmp_path / "a.yaml", b'data: {"progress": 1}\n\n', operation="things")
    assert told[:3] == ([], [], [])
