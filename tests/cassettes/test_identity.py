"""A recording says where it came from, and never who asked."""

from __future__ import annotations

import json

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Recorded
from pytest_llmmock.cassettes.identity import _NAMES
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.recorder import Recorder
from pytest_llmmock.cassettes.recordings import Recordings
from pytest_llmmock.cassettes.scrub import scrub
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.upstreams.named import Named

ASKED = Request(
    "POST",
    "https://api.openai.com",
    "/v1/responses",
    headers=(("content-type", "application/json"),),
    body=b'{"model": "gpt-5", "input": "hi", "user": "tester-1"}',
)

WHO = {name: f"of-the-asker {name}" for name in _NAMES}


def scrubbed(reply: Reply, request: Request = ASKED) -> Reply:
    return scrub(Recorded(request, reply, {}), Secrets()).reply


@pytest.mark.parametrize("around", [None, "response", "error", "message"])
def test_who_asked_is_taken_out_of_what_a_provider_says_of_its_answer(around):
    reply = json_reply(WHO if around is None else {around: WHO, "id": "resp_1"})
    clean = scrubbed(reply)
    assert b"of-the-asker" not in clean.body
    told = clean.json() if around is None else clean.json()[around]
    assert told["safety_identifier"] == "redacted-user"
    assert told["email"] == "redacted-email@example.com"
    assert scrubbed(clean).body == clean.body


def test_it_is_taken_out_of_every_event_of_a_stream_whose_pieces_stay_as_they_came():
    events = [
        write_event({"type": kind, "response": {"id": "r", "user": "of-the-asker", "output": []}}, kind)
        for kind in ("response.created", "response.in_progress", "response.completed")
    ]
    reply = Reply(200, (("content-type", "text/event-stream"),), [Frame(event, 1.0) for event in events])
    clean = scrubbed(reply)
    assert b"of-the-asker" not in clean.body
    assert [b'"user":"redacted-user"' in frame.data for frame in clean.frames] == [True, True, True]


def test_what_the_client_said_itself_stays_where_it_is_echoed():
    assert scrubbed(json_reply({"user": "tester-1", "user_id": None})).json() == {"user": "tester-1", "user_id": None}


@pytest.mark.parametrize(
    "said",
    [
        {"output": [{"type": "function_call", "arguments": '{"user_id": "of-the-asker"}'}]},
        {"content": [{"type": "tool_use", "input": {"user_id": "of-the-asker", "email": "a@b.example"}}]},
        {"message": {"tool_calls": [{"function": {"arguments": {"session_id": "of-the-asker"}}}]}},
        {"choices": [{"message": {"content": "user: of-the-asker"}}]},
    ],
)
def test_what_a_model_says_stays(said):
    assert scrubbed(json_reply(said)).json() == said


def test_what_has_none_of_it_stays_the_very_same_bytes():
    reply = json_reply({"usage": {"user": 1}, "model": "m"})
    assert scrubbed(reply).frames is reply.frames


# --- all of it, as it is recorded -----------------------------------------------------------------------

HEADERS = (
    ("set-cookie", "__cf_bm=of-the-asker-0; path=/"),
    ("cf-ray", "of-the-asker-1"),
    ("openai-organization", "of-the-asker-2"),
    ("openai-project", "of-the-asker-3"),
    ("chatgpt-account-id", "of-the-asker-4"),
    ("x-codex-turn-state", "of-the-asker-5"),
    ("x-codex-turn-metadata", "of-the-asker-6"),
    ("x-codex-primary-used-percent", "of-the-asker-7"),
    ("x-codex-installation-id", "of-the-asker-8"),
    ("anthropic-organization-id", "of-the-asker-9"),
)
"""What providers send that tells who asked."""


def test_a_recording_says_where_it_came_from_and_never_who_asked():
    def provider(request: Request) -> Reply:
        said = {
            "id": "resp_1",
            "model": "gpt-5-2026-08-07",
            **{name: f"of-the-asker-{name}" for name in _NAMES},
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "hello Bearer " + KEY}]}],
        }
        return json_reply(said, headers=HEADERS)

    KEY = "sk-of-the-asker-0123456789abcdef"
    recordings = Recordings()
    upstream = Named("openai", "https://api.openai.com/v1", KEY)
    request = Request(
        "POST",
        "http://localhost",
        "/v1/responses",
        headers=(
            *ASKED.headers,
            ("authorization", "Bearer key-of-the-asker-99"),
            ("cookie", "session=of-the-asker-10"),
            ("openai-organization", "of-the-asker-2"),
            ("ext_agent_host_id", "of-the-asker-11"),
            ("session_id", "of-the-asker-12"),
        ),
        body=ASKED.body,
    )
    Recorder(lambda exchange: upstream, provider, Keys(), recordings).answer(dialects.read(request))
    [kept] = recordings.interactions
    shown = json.dumps([str(kept.request), str(kept.reply), kept.meta])
    assert "of-the-asker" not in shown
    assert (kept.meta["upstream"], kept.meta["model"]) == ("openai", "gpt-5-2026-08-07")
    assert kept.meta["recorded"].endswith("Z")
