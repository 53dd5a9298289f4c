from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import foreign_yaml, format
from pytest_llmmock.cassettes.bodies import STYLES
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.format import HEAD, LARGE, cut, dumps, loads
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request, frames_of
from pytest_llmmock.errors import CassetteFormatError

Tape = Callable[..., Interaction]
Chat = Callable[..., Request]

SIGNATURE = b"one way of computing keys"

FORGED = "\n".join(
    [
        "version: 1",
        "interactions:",
        "# 1  chat",
        "- request:",
        "    method: POST",
        "  response:",
        "    status: {code: 200, message: OK}",
        f'  llmmock: {{key: {"a" * 32}, stamp: {"b" * 16}, timing: "0.1:1"}}',
        "- request:",
        "",
    ]
)
"""The text of a cassette, as content."""

# --- content of every kind

ANY_TEXT = st.text(st.characters(exclude_categories=()))
PIECES = [
    "\n- request:\n",
    "\n  response:\n",
    "\n  llmmock: {key: ",
    "\n# 2  chat",
    FORGED,
    "\r\n",
    "  ",
    '"',
    "\x1b",
    "x",
]
TEXTS = st.text() | st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT | TEXTS, inner, max_size=4),
    max_leaves=10,
)


def as_json(value: Any, style: dict[str, Any], ending: str) -> bytes:
    try:
        return (json.dumps(value, **style) + ending).encode()
    except UnicodeEncodeError:  # half a surrogate pair is written as an escape only
        return (json.dumps(value, **{**style, "ensure_ascii": True}) + ending).encode()


JSON_BODIES = st.builds(as_json, VALUES, st.sampled_from(list(STYLES.values())), st.sampled_from(["", "\n", "\r\n"]))
ODD_JSON = st.sampled_from(
    [b'{"a":1,"a":2}', b'{"a": 1.50}', b'{"a":-0}', b"[1,2 ,3]", b'{"a":"\\u00e9\\/"}', b" null", b"[" * 70 + b"]" * 70]
)
EVENTS = st.lists(VALUES, max_size=3).map(lambda all_: b"".join(b"data: " + as_json(v, {}, "\n\n") for v in all_))
LINES = st.lists(VALUES, max_size=3).map(lambda all_: b"".join(as_json(v, {}, "\n") for v in all_))
BODIES = st.one_of(st.binary(), TEXTS.map(str.encode), JSON_BODIES, ODD_JSON, EVENTS, LINES)
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "text/event-stream", "application/x-ndjson", "text/plain; charset=utf-8", "audio/mpeg"]
)
VISIBLE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"]), max_size=30)
PATHS = st.text(st.sampled_from("abz019-._~%/:@!$&'()*+,;="), max_size=20).map(lambda rest: "/v1" + rest)


def headers(content_type: str, others: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return ((("content-type", content_type),) if content_type else ()) + tuple(others)


OTHER_HEADERS = st.lists(st.tuples(st.sampled_from(["accept", "x-request-id", "openai-version"]), VISIBLE), max_size=3)
HEADERS = st.builds(headers, CONTENT_TYPES, OTHER_HEADERS.map(sorted))
REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    origin=st.sampled_from(["https://api.openai.com", "http://localhost:11434", "http://[::1]:8000"]),
    path=PATHS,
    query=st.text(st.sampled_from("abz019-._~%/:@!$&'()*+,;=?"), max_size=20),
    headers=HEADERS,
    body=BODIES,
)


@st.composite
def framed(draw: st.DrawFn) -> list[Frame]:
    """A body in frames that come at rising times, in whole milliseconds."""
    body = draw(BODIES)
    cuts = sorted(draw(st.sets(st.integers(0, len(body)), max_size=5)) | {0, len(body)})
    times = sorted(draw(st.lists(st.integers(0, 90_000), min_size=len(cuts), max_size=len(cuts))))
    pieces = [body[start:end] for start, end in pairwise(cuts)]
    return [Frame(piece, at / 1000) for piece, at in zip(pieces, times, strict=False) if piece]


REPLIES = st.builds(
    Reply,
    status=st.integers(100, 599),
    headers=HEADERS,
    frames=framed(),
    reason=st.sampled_from(["", "OK", "Not: #1"]),
    cut=st.sampled_from(["", 'it\'s: cut, \n"so" #1', FORGED]),
)
INTERACTIONS = st.builds(Recorded, REQUESTS, REPLIES)


def assert_same(loaded: Interaction, recorded: Recorded) -> None:
    assert loaded.request == recorded.request
    reply, expected = loaded.reply, recorded.reply
    assert (reply.status, reply.reason, reply.headers) == (expected.status, expected.reason, expected.headers)
    assert reply.cut == expected.cut
    assert [frame.data for frame in reply.frames] == [frame.data for frame in expected.frames]
    assert [frame.at for frame in reply.frames] == pytest.approx([frame.at for frame in expected.frames], abs=1e-6)


@pytest.fixture(scope="module", params=["libyaml", "pure"])
def _loader(request: pytest.FixtureRequest) -> Iterator[None]:
    """With the loader in C, and as where there is none."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "pure":
            patch.delattr(yaml, "CSafeLoader")
        patch.setattr(foreign_yaml, "_LOADER", None)
        yield


# --- what is written is read back -----------------------------------------------------------------------


@pytest.mark.usefixtures("_loader")
@given(recordings=st.lists(INTERACTIONS, max_size=3))
def test_everything_that_is_written_is_read_back(recordings: list[Recorded]) -> None:
    loaded = loads(dumps([Interaction.of(each) for each in recordings]))
    assert len(loaded) == len(recordings)
    for one, other in zip(loaded, recordings, strict=True):
        assert_same(one, other)


@pytest.mark.usefixtures("_loader")
@given(body=JSON_BODIES)
@example(body=b'{"stream":true,"a":1e-05,"z":"yes","b":" x \\n","A":[],"\\ud83d":{"":null}}')
@example(body=b"5")
@example(body=b"null\n")
@example(body=b'"yes"')
@example(body=json.dumps({"\ufeff" * 200: 1, "\u2028" * 200: 2}).encode())
@example(body=json.dumps({"k" * 1500: 1}).encode())
@example(body=b'{"a":' * 90 + b"1" + b"}" * 90)
@example(body=b'{"a":' * 700 + b"1" + b"}" * 700)
@example(body=b"[" * 700 + b"]" * 700)
def test_json_is_read_back_byte_for_byte_on_both_sides(body: bytes) -> None:
    json_type = (("content-type", "application/json"),)
    request = Request("POST", "https://h.example", "/v1/x", headers=json_type, body=body)
    recorded = Recorded(request, Reply(200, json_type, frames_of(body), "OK"))
    [loaded] = loads(dumps([Interaction.of(recorded)]))
    assert_same(loaded, recorded)


@given(recordings=st.lists(INTERACTIONS, min_size=1, max_size=3))
def test_a_cassette_of_ours_is_one_document_for_everybody_else(recordings: list[Recorded]) -> None:
    document = yaml.safe_load(dumps([Interaction.of(each) for each in recordings]))
    assert document["version"] == 1
    assert [item["request"]["uri"] for item in document["interactions"]] == [each.request.url for each in recordings]
    assert all(set(item) == {"request", "response", "llmmock"} for item in document["interactions"])


def test_an_empty_cassette_is_one() -> None:
    assert dumps([]) == b"version: 1\ninteractions: []\n"
    assert loads(dumps([])) == []


def test_a_cassette_is_laid_out_for_people(chat: Chat) -> None:
    request = chat("Plan a day in Rome.\nKeep it short.", stream=True)
    stream = [Frame(b'data: {"n":1}\n\n', 0.3124), Frame(b"data: [DONE]\n\n", 0.3331)]
    reply = Reply(200, (("content-type", "text/event-stream"), ("x-a", "1"), ("x-a", "2")), stream, "OK")
    meta = {"upstream": "openai", "recorded": "2026-11-20T10:30:01Z"}
    interaction = Interaction.of(Recorded(request, reply, meta), "f" * 32)
    text = dumps([interaction], SIGNATURE, lambda recorded: "chat\ngpt-5").decode()
    *lines, last = text.splitlines()
    assert lines == [
        "version: 1",
        "interactions:",
        "# 1  chat gpt-5",
        "- request:",
        "    method: POST",
        "    uri: https://api.openai.com/v1/chat/completions",
        "    headers: {content-type: [application/json]}",
        "    parsed_body:",
        "      model: gpt-5",
        "      messages:",
        "      - role: user",
        "        content: |-",
        "          Plan a day in Rome.",
        "          Keep it short.",
        "      stream: true",
        "  response:",
        "    status: {code: 200, message: OK}",
        '    headers: {content-type: [text/event-stream], x-a: ["1", "2"]}',
        "    body:",
        "      string: |+",
        '        data: {"n":1}',
        "",
        "        data: [DONE]",
        "",
    ]
    line = yaml.safe_load(last)["llmmock"]
    assert list(line) == ["key", "stamp", "upstream", "recorded", "style", "timing"]
    assert {**line, "stamp": ""} == {
        "key": "f" * 32,
        "stamp": "",
        **meta,
        "style": {"request": "spaced"},
        "timing": "0.312:15 0.021:14",
    }


@pytest.mark.parametrize(
    "words",
    [
        "\x1b[31mred",
        "\x00",
        "\x7f",
        "\ufeff",
        "\ufffe",
        "half \ud800",
        "\u2028- request:",
        "a\x85b",
        "🙂",
        "# 5",
        FORGED,
    ],
)
@pytest.mark.usefixtures("_loader")
def test_no_words_in_a_comment_spoil_the_cassette(tape: Tape, words: str) -> None:
    data = dumps([tape("one"), tape("two")], describe=lambda recorded: f"chat {words} end")
    assert data.count(b"end\n") == 2
    assert [each.reply.body for each in loads(data)] == [b"Hi", b"Hi"]
    assert len(yaml.safe_load(data)["interactions"]) == 2


# --- where one interaction ends -------------------------------------------------------------------------


@given(recordings=st.lists(INTERACTIONS, min_size=1, max_size=4), words=TEXTS)
def test_the_cut_finds_exactly_the_interactions_that_were_written(recordings: list[Recorded], words: str) -> None:
    interactions = [Interaction.of(each) for each in recordings]
    data = dumps(interactions, describe=lambda recorded: words)
    pieces = cut(data)
    assert pieces is not None
    assert len(pieces) == len(recordings)
    assert HEAD + b"".join(pieces) == data


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/event-stream", ""])
@pytest.mark.parametrize(
    "said",
    [
        FORGED,
        "\n" + FORGED,
        FORGED.replace("\n", "\r\n"),
        " " + FORGED,
        "\x00" + FORGED,
        json.dumps(FORGED),
        json.dumps({FORGED: FORGED, "a": [FORGED, {"b": FORGED}]}),
        json.dumps([[FORGED]], separators=(",", ":")),
        "\n- request:\n",
        "\n  response:\n",
        "\n  llmmock: {key: ",
    ],
)
def test_content_cannot_forge_the_marks_between_interactions(said: str, content_type: str) -> None:
    kind = (("content-type", content_type),) if content_type else ()
    request = Request("POST", "https://h.example", "/v1/x", headers=kind, body=said.encode())
    recorded = Recorded(request, Reply(200, kind, frames_of(said.encode()), "OK"), {"note": FORGED})
    loaded = loads(dumps([Interaction.of(recorded, "a" * 32)] * 3, SIGNATURE, lambda _: "x"), SIGNATURE)
    assert len(loaded) == 3
    for each in loaded:
        assert_same(each, recorded)
        assert each.key == "a" * 32
        assert each.meta["note"] == FORGED


def test_comments_belong_to_the_interaction_below(tape: Tape) -> None:
    data = dumps([tape("one"), tape("two")]).replace(b"# 2", b"# 2\n# by hand\n#")
    pieces = cut(data)
    assert pieces is not None
    assert pieces[1].startswith(b"# 2\n# by hand\n#\n- request:\n")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text.replace("version: 1\n", "version: 1\n\n"), id="another head"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(lambda text: text.replace("llmmock: {key", "llmmock:  {key"), id="a line of ours laid out anew"),
        pytest.param(lambda text: "# mine\n" + text, id="a comment before the head"),
        pytest.param(lambda text: "---\n" + text, id="a document start"),
        pytest.param(lambda text: "\ufeff" + text, id="a byte order mark"),
        pytest.param(lambda text: yaml.safe_dump(yaml.safe_load(text), sort_keys=False), id="written again by PyYAML"),
        pytest.param(lambda text: json.dumps(yaml.safe_load(text)), id="written again as JSON"),
    ],
)
def test_a_cassette_of_ours_in_another_layout_is_read_all_the_same(tape: Tape, change: Callable[[str], str]) -> None:
    frames = [Frame(b"one\n", 0.5), Frame(b"two\n", 1)]
    written = [tape("a\nb", frames=frames), tape("c")]
    data = change(dumps(written).decode()).encode()
    assert cut(data) is None
    for loaded, interaction in zip(loads(data), written, strict=True):
        assert_same(loaded, interaction.recorded)


# --- keys that were stored ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a" * 32, "0" * 32, "1e5" + "0" * 29, "f0" * 16, "".join("0123456789abcdef" * 2)])
def test_a_stored_key_is_known_without_parsing(tape: Tape, key: str) -> None:
    for words in ("one", "two", "three", "four", "five"):  # their stamps begin with letters and with digits
        [loaded] = loads(dumps([tape(words, key=key)], SIGNATURE), SIGNATURE)
        assert loaded.key == key
        assert loaded._recorded is None


def test_under_another_signature_a_stored_key_does_not_hold(tape: Tape) -> None:
    data = dumps([tape(key="a" * 32)], SIGNATURE)
    assert [each.key for each in loads(data, SIGNATURE)] == ["a" * 32]
    assert [each.key for each in loads(data, b"another way")] == [""]
    assert [each.key for each in loads(data)] == [""]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("content: Hello", "content: Hallo"),
        ("POST", "PUT"),
        ("api.openai.com", "localhost"),
        ("role: user", "role:  user"),
        ("parsed_body:", "# by hand\n    parsed_body:"),
    ],
)
def test_a_key_does_not_hold_for_a_request_that_was_edited_by_hand(tape: Tape, before: str, after: str) -> None:
    data = dumps([tape("Hello", key="a" * 32), tape("Hi", key="b" * 32)], SIGNATURE)
    assert [each.key for each in loads(data, SIGNATURE)] == ["a" * 32, "b" * 32]
    edited = loads(data.replace(before.encode(), after.encode(), 1), SIGNATURE)
    assert [each.key for each in edited] == ["", "b" * 32]


def test_an_edited_reply_is_played_as_it_was_edited_and_keeps_its_key(tape: Tape) -> None:
    data = dumps([tape(said=b"Hi there", key="a" * 32, frames=[Frame(b"Hi ", 1), Frame(b"there", 2)])], SIGNATURE)
    [loaded] = loads(data.replace(b"Hi there", b"Good morning"), SIGNATURE)
    assert loaded.key == "a" * 32
    assert loaded.reply.frames == [Frame(b"Good morning")]  # the timing does not fit any more


def test_what_was_read_is_written_back_as_it_stands(tape: Tape) -> None:
    keys = ["a" * 32, "b" * 32]
    data = dumps([tape("one", key=keys[0]), tape("two", key=keys[1])], SIGNATURE, lambda _: "words")
    by_hand = data.replace(b"string: Hi", b"string: 'Hi'  # by hand").replace(b"# 2  words", b"# 2  my own words")
    assert dumps(loads(by_hand, SIGNATURE), SIGNATURE) == by_hand


def test_interactions_are_numbered_anew_where_one_was_taken_out(tape: Tape) -> None:
    data = dumps([tape(words, key="a" * 32) for words in ("one", "two")], SIGNATURE, lambda _: "words")
    left = dumps(loads(data, SIGNATURE)[1:], SIGNATURE)
    assert left.startswith(HEAD + b"# 1  words\n- request:")
    assert b"two" in left


def test_a_cassette_without_a_last_line_end_can_be_added_to(tape: Tape) -> None:
    data = dumps([tape("one", key="a" * 32)], SIGNATURE).rstrip(b"\n")
    grown = dumps([*loads(data, SIGNATURE), tape("two", key="b" * 32)], SIGNATURE, lambda _: "words")
    assert b"}\n# 2  words\n- request:" in grown
    assert [each.key for each in loads(grown, SIGNATURE)] == ["a" * 32, "b" * 32]


@given(recordings=st.lists(INTERACTIONS, min_size=1, max_size=3))
def test_reading_and_writing_again_changes_nothing(recordings: list[Recorded]) -> None:
    interactions = [Interaction.of(each, f"{number:032x}") for number, each in enumerate(recordings)]
    data = dumps(interactions, SIGNATURE)
    assert dumps(loads(data, SIGNATURE), SIGNATURE) == data
    from_what_was_parsed = dumps(loads(data), SIGNATURE)
    for one, other in zip(loads(from_what_was_parsed), recordings, strict=True):
        assert_same(one, other)


# --- our line -------------------------------------------------------------------------------------------


def test_what_a_person_added_to_our_line_is_kept(tape: Tape) -> None:
    meta = {"recorded": "2026-11-20", "note": "say 'hi': #1", "tags": ["a", {"b": None}], "n": 1, "x": 1.5, "yes": True}
    [loaded] = loads(dumps([tape(**meta)]))
    assert {name: loaded.meta[name] for name in meta} == meta
    [again] = loads(dumps([loaded]))
    assert {name: again.meta[name] for name in meta} == meta


def test_a_date_that_a_person_wrote_without_quotes_is_kept(tape: Tape) -> None:
    data = dumps([tape(recorded="DATE")]).replace(b"DATE", b"2026-11-20")
    [again] = loads(dumps(loads(data)))
    assert again.meta["recorded"] in (date(2026, 11, 20), "2026-11-20")


@pytest.mark.parametrize("timing", ["soon", "0.1:x", "x:11", "0.1", "0.1:5", "0.1:99", "0.1:-1 0.1:12", ""])
def test_a_timing_that_does_not_fit_is_left_out(tape: Tape, timing: str) -> None:
    data = dumps([tape(frames=[Frame(b"Hello ", 0.25), Frame(b"World", 0.5)])])
    assert b"timing: 0.250:6 0.250:5" in data.replace(b'"', b"")
    edited = data.replace(b"0.250:6 0.250:5", timing.encode())
    assert loads(edited)[0].reply.frames == [Frame(b"Hello World")]


def test_times_do_not_drift(tape: Tape) -> None:
    frames = [Frame(b"x", number * 0.0014) for number in range(1, 1001)]
    [loaded] = loads(dumps([tape(frames=frames)]))
    assert [frame.at for frame in loaded.reply.frames] == pytest.approx([frame.at for frame in frames], abs=0.000501)


def test_a_reply_at_once_in_one_piece_has_no_timing(tape: Tape) -> None:
    assert b"timing" not in dumps([tape()])
    assert b"timing" in dumps([tape(frames=[Frame(b"a"), Frame(b"b")])])


# --- large bodies ---------------------------------------------------------------------------------------

LARGE_BODY = os.urandom(1) + b"\xff\xfe" + bytes(LARGE)


def test_a_large_body_of_bytes_is_kept_by_its_hash(tape: Tape) -> None:
    upload = Request("POST", "https://h.example", "/v1/files", body=LARGE_BODY)
    blobs: dict[str, bytes] = {}
    data = dumps([tape(upload, LARGE_BODY)], blobs=blobs)
    assert blobs == {sha256(LARGE_BODY).hexdigest(): LARGE_BODY}
    assert len(data) < 2000
    [loaded] = loads(data, blob=blobs.__getitem__)
    assert (loaded.request.body, loaded.reply.body) == (LARGE_BODY, LARGE_BODY)


@pytest.mark.parametrize("body", [LARGE_BODY[: LARGE - 1], b"x" * LARGE * 2])
def test_small_bytes_and_text_of_any_size_stay_in_the_cassette(tape: Tape, body: bytes) -> None:
    blobs: dict[str, bytes] = {}
    [loaded] = loads(dumps([tape(said=body)], blobs=blobs))
    assert blobs == {}
    assert loaded.reply.body == body


def test_without_a_place_for_them_large_bodies_stay_in_the_cassette(tape: Tape) -> None:
    [loaded] = loads(dumps([tape(said=LARGE_BODY)]))
    assert loaded.reply.body == LARGE_BODY


def test_a_large_body_that_cannot_be_reached_is_named(tape: Tape) -> None:
    blobs: dict[str, bytes] = {}
    [loaded] = loads(dumps([tape(said=LARGE_BODY)], blobs=blobs))
    [name] = blobs
    with pytest.raises(CassetteFormatError, match=f"kept in a file of its own, {name}"):
        _ = loaded.reply


# --- what is broken is told when it is looked at --------------------------------------------------------


def test_an_interaction_that_does_not_parse_spoils_no_other(tape: Tape) -> None:
    data = dumps([tape("one", key="a" * 32), tape("two", key="b" * 32)], SIGNATURE)
    broken = data.replace(b"status: {code: 200, message: OK}", b"status: {code: 200", 1)
    first, second = loads(broken, SIGNATURE)
    assert second.reply.body == b"Hi"
    with pytest.raises(CassetteFormatError, match="It is not YAML"):
        _ = first.reply


def test_the_parts_of_an_address() -> None:
    assert format.split_uri("https://h.example:1/a%20b/?c=d&e") == ("https://h.example:1", "/a%20b/", "c=d&e")
    assert format.split_uri("https://h.example") == ("https://h.example", "/", "")
    assert format.split_uri("/v1/x?y") == ("", "/v1/x", "y")


def test_an_exchange_is_not_needed_to_read_a_cassette(tape: Tape, read: Callable[[Request], Exchange]) -> None:
    [loaded] = loads(dumps([tape("Hello", said=b'{"text": "Hi"}')]))
    assert read(loaded.request).prompt.messages[0].text == "Hello"
    assert repr(loaded) == "<Interaction POST https://api.openai.com/v1/chat/completions -> 200>"
