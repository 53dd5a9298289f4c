from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.checks import OF_FILES, OF_INTERACTIONS, Finding, Given, Piece, Subject, days_between
from pytest_llmmock.cassettes.format import EMPTY, cut, dumps, loads
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply

Chat = Callable[..., Request]
PATH = Path("a.yaml")


def keyed(interaction: Interaction) -> bytes:
    """The text of a cassette with it, as it is recorded."""
    keys = Keys()
    interaction.key = keys.key(dialects.read(interaction.request))
    return dumps([interaction], keys.signature)


def found(data: bytes, **given: Any) -> list[tuple[str, bool]]:
    """What all checks find: their name, and whether it is a note."""
    return [(each.kind, each.is_note) for each in findings(data, **given)]


def findings(data: bytes, **given: Any) -> list[Finding]:
    known = Given(Keys(), dialects.read, "2026-11-20", **given)
    subject = Subject(PATH, data, known)
    [interaction] = loads(data, known.keys.signature)
    piece = Piece(subject, 1, interaction, (cut(data) or [b""])[0])
    return [each for check in OF_INTERACTIONS.values() for each in check(piece)]


def answered(reply: Reply, chat: Chat, **fields: Any) -> bytes:
    return keyed(Interaction.of(Recorded(chat("Hello", **fields), reply, {"recorded": "2026-11-01T00:00:00Z"})))


def stream(body: bytes, content_type: str = "text/event-stream", status: int = 200) -> Reply:
    return Reply(status, (("content-type", content_type),), [Frame(body[:3], 0.1), Frame(body[3:], 0.2)])


def calls(arguments: str, finish: str = "tool_calls") -> Reply:
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    return json_reply({"choices": [{"index": 0, "message": {"tool_calls": [call]}, "finish_reason": finish}]})


def test_a_good_recording_has_no_findings(chat: Chat) -> None:
    assert found(answered(calls("{}"), chat)) == []


# --- keys -----------------------------------------------------------------------------------------------


def test_an_edited_request_is_told_and_does_no_harm(chat: Chat) -> None:
    data = answered(calls("{}"), chat).replace(b"content: Hello", b"content: Hallo")
    assert found(data) == [("key", True)]
    assert "llmmock rekey" in findings(data)[0].advice


def test_an_edit_that_means_nothing_is_not_told(chat: Chat) -> None:
    assert found(answered(calls("{}"), chat).replace(b"model: gpt-5", b"model: 'gpt-5'")) == []


def test_a_key_that_is_believed_and_wrong_hides_its_recording(chat: Chat) -> None:
    data = answered(calls("{}"), chat)
    [interaction] = loads(data, Keys().signature)
    assert found(data.replace(interaction.key.encode(), b"f" * 32)) == [("key", False)]


def test_keys_are_checked_for_the_settings_in_force(chat: Chat) -> None:
    data = answered(calls("{}"), chat)
    [interaction] = loads(data)
    given = Given(Keys(ignore=["model"]), dialects.read)
    piece = Piece(Subject(PATH, data, given), 1, interaction, (cut(data) or [])[0])
    assert [each.is_note for each in OF_INTERACTIONS["key"](piece)] == [True]


def test_a_line_without_a_key_is_a_note(chat: Chat) -> None:
    data = answered(calls("{}"), chat)
    assert found(data.replace(b", stamp: ", b", was: ")) == [("key", True)]


def test_a_layout_without_keys_is_fine(chat: Chat) -> None:
    data = answered(calls("{}"), chat)
    assert found(b"# mine\n" + data[: data.index(b"  llmmock:")]) == []


# --- bodies ---------------------------------------------------------------------------------------------


def test_times_that_do_not_fit_the_body_are_found(chat: Chat) -> None:
    data = answered(stream(b"data: [DONE]\n\n"), chat, stream=True)
    assert found(data) == []
    assert found(data.replace(b"data: [DONE]", b": hi\n\n        data: [DONE]")) == [("timing", False)]


@pytest.mark.parametrize(
    ("reply", "kinds"),
    [
        (stream(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'), ["stream"]),
        (stream(b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'), []),
        (stream(b'data: {"choices": []}\n\ndata: [DONE]\n\n: bye\n\n'), []),
        (stream(b'data: {"error": {"message": "overloaded"}}\n\n'), []),
        (stream(b"data: {}\n\n", status=500), []),
        (stream(b'{"done": false}\n', "application/x-ndjson"), ["stream"]),
        (stream(b'{"done": false}\n{"done": true}\n', "application/x-ndjson"), []),
    ],
)
def test_a_stream_without_its_last_event_is_found(reply: Reply, kinds: list[str], chat: Chat) -> None:
    assert [kind for kind, _ in found(answered(reply, chat, stream=True))] == kinds


def test_streams_of_unknown_protocols_may_end_as_they_like(chat: Chat) -> None:
    assert found(answered(stream(b"data: {}\n\n"), chat, path="/v1beta/models/x:streamGenerateContent")) == []


@pytest.mark.parametrize(
    ("body", "kinds"),
    [(b"{broken", ["json"]), (b"", []), (b"  ", []), (b'{"a": 1}\n{"b": 2}\n', []), (b"{a\n{b", ["json"])],
)
def test_an_answer_that_says_that_it_is_json_is(body: bytes, kinds: list[str], chat: Chat) -> None:
    reply = Reply(200, (("content-type", "application/json"),), [Frame(body)] if body else [])
    assert [kind for kind, _ in found(answered(reply, chat))] == kinds


def test_a_request_that_says_that_it_is_json_is() -> None:
    request = Request("POST", "https://h", "/x", headers=(("content-type", "application/json"),), body=b"{")
    [finding] = findings(keyed(Interaction.of(Recorded(request, json_reply({})))))
    assert str(finding) == "a.yaml, interaction 1: its request says that it is JSON and is not. Record it again."


def test_arguments_of_tools_are_json(chat: Chat) -> None:
    [finding] = findings(answered(calls('{"a": '), chat))
    assert (finding.kind, "call of f are not JSON" in finding.what) == ("arguments", True)
    assert found(answered(calls(""), chat)) == []
    assert found(answered(calls('{"a": ', "length"), chat)) == []


def test_tools_that_take_any_text_may_be_given_any(chat: Chat) -> None:
    free = [{"type": "custom", "custom": {"name": "f"}}]
    assert found(answered(calls("print(1)"), chat, tools=free)) == []


# --- ages -----------------------------------------------------------------------------------------------


def test_age_counts_when_it_is_asked_for(chat: Chat) -> None:
    data = answered(calls("{}"), chat)
    assert found(data, max_age=19) == []
    [finding] = findings(data, max_age=18)
    assert finding.what == "it was recorded 19 days ago (2026-11-01)."


def test_a_recording_without_a_date_cannot_be_too_old(chat: Chat) -> None:
    data = answered(calls("{}"), chat).replace(b"recorded:", b"made:")
    assert found(data, max_age=0) == [("age", True)]
    assert found(data) == []


def test_days_are_counted_from_the_first_ten_characters() -> None:
    assert days_between("2026-02-27T23:59:59Z", "2026-03-01") == 2
    assert days_between("yesterday", "2026-03-01") is None


# --- files ----------------------------------------------------------------------------------------------


def of_file(data: bytes) -> list[Finding]:
    return [each for check in OF_FILES.values() for each in check(Subject(PATH, data, Given(Keys(), dialects.read)))]


def test_marks_of_a_merge_are_found_with_their_line() -> None:
    [finding] = of_file(b"version: 1\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n")
    assert "conflict marks (line 2)" in finding.what


def test_marks_in_a_recorded_text_are_none(chat: Chat) -> None:
    assert of_file(answered(stream(b"<<<<<<< HEAD\n=======\n>>>>>>> x\n"), chat)) == []


def test_a_cassette_with_nothing_in_it_is_a_note() -> None:
    assert [(each.kind, each.is_note) for each in of_file(EMPTY.encode())] == [("empty", True)]
