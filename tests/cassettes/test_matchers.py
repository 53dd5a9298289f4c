from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import matchers
from pytest_llmmock.cassettes.matchers import DEFAULT, MATCHERS, Keys, steps
from pytest_llmmock.cassettes.scrub import scrub_request
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Exchange, Request
from pytest_llmmock.errors import UsageError

Read = Callable[[Request], Exchange]

JSON = (("content-type", "application/json"),)
TOOL = {"name": "look", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
ASKED: dict[str, Any] = {
    "model": "gpt-5",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    "tools": [TOOL],
    "temperature": 0.5,
    "metadata": {"run": "1", "user": {"id": 7}},
}


def post(body: bytes | Any = b"", path: str = "/v1/chat/completions", query: str = "", **headers: str) -> Request:
    """A request; what is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request("POST", "https://api.openai.com", path, query, named or JSON, content)


@pytest.fixture(scope="module")
def key(read: Read) -> Callable[..., str]:
    """The key of a request, computed by a `Keys` that has computed none before."""

    def key(request: Request, *match_on: str, ignore: list[str] | tuple[()] = ()) -> str:
        return Keys(match_on or DEFAULT, ignore).key(read(request))

    return key


Key = Callable[..., str]

# --- what makes no difference ---------------------------------------------------------------------------

TEXT = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
LAYOUTS: list[dict[str, Any]] = [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}]


def shuffled(value: Any, seed: int) -> Any:
    """The same value, the keys of its mappings in another order."""
    if isinstance(value, dict):
        items = [(name, shuffled(item, seed)) for name, item in value.items()]
        random.Random(seed).shuffle(items)
        return dict(items)
    return [shuffled(item, seed) for item in value] if isinstance(value, list) else value


@given(body=st.dictionaries(TEXT, VALUES), layout=st.sampled_from(LAYOUTS), seed=st.integers(0, 9))
def test_the_order_of_keys_and_the_layout_make_no_difference(
    key: Key, body: dict[str, Any], layout: dict[str, Any], seed: int
) -> None:
    other = json.dumps(shuffled(body, seed), **layout).encode()
    assert key(post(other)) == key(post(body))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"n": 1}', b'{"n": 1.0}'),
        (b'{"n": 1000}', b'{"n": 1e3}'),
        (b'{"n": 0}', b'{"n": -0.0}'),
        (b'{"n": 0.5}', b'{"n": 5e-1}'),
        (b'{"t": "\\u00e9\\/"}', '{"t": "é/"}'.encode()),
        (b'{"a": 1}', b'{"a": 2, "a": 1}'),
    ],
)
def test_the_same_value_written_in_another_way_has_the_same_key(key: Key, one: bytes, other: bytes) -> None:
    assert key(post(one)) == key(post(other))


@pytest.mark.parametrize("field", matchers.UNMATCHED_FIELDS[1:])
def test_fields_about_transport_and_billing_make_no_difference(key: Key, field: str) -> None:
    assert key(post({**ASKED, field: {"a": 1}})) == key(post(ASKED))
    inside = {**ASKED, "metadata": {field: 1}}
    assert key(post(inside)) != key(post({**ASKED, "metadata": {}}))  # only at the top


@pytest.mark.parametrize("value", [False, None, 0])
def test_no_stream_is_the_same_however_it_is_said(key: Key, value: object) -> None:
    assert key(post({**ASKED, "stream": value})) == key(post(ASKED))
    assert key(post({**ASKED, "stream": True})) != key(post(ASKED))


def test_where_streaming_is_the_default_it_need_not_be_said(key: Key) -> None:
    plain, streamed, silent = ({**ASKED, "stream": False}, {**ASKED, "stream": True}, ASKED)
    assert key(post(silent, "/api/chat")) == key(post(streamed, "/api/chat")) != key(post(plain, "/api/chat"))


def test_the_key_with_stream_the_other_way_is_that_of_the_request_which_asks_so(read: Read) -> None:
    keys = Keys()
    plain, streamed = (read(post({**ASKED, **more})) for more in ({}, {"stream": True, "stream_options": {}}))
    for _ in range(2):  # computed, then remembered
        assert keys.key(plain, stream=True) == keys.key(streamed) != keys.key(plain)
        assert keys.key(streamed, stream=False) == keys.key(plain) != keys.key(streamed)


def test_host_prefix_and_headers_make_no_difference(key: Key) -> None:
    local = Request("POST", "http://localhost:8000", "/chat/completions", headers=(("a", "b"),), body=post(ASKED).body)
    assert key(local) == key(post(ASKED))


def test_in_a_query_the_order_and_the_sender_make_no_difference(key: Key) -> None:
    assert key(post(query="a=1&b=&KEY=secret&provider=x")) == key(post(query="b=&a=1"))
    assert key(post(query="a=%2F")) == key(post(query="a=/"))


# --- what makes a difference ----------------------------------------------------------------------------


def changed(**fields: Any) -> dict[str, Any]:
    return {**ASKED, **fields}


MESSAGES = ASKED["messages"]


@pytest.mark.parametrize(
    "body",
    [
        changed(model="gpt-5-mini"),
        changed(temperature=0.6),
        changed(temperature="0.5"),
        changed(temperature=None),
        changed(messages=[MESSAGES[0], {"role": "user", "content": "Hello!"}]),
        changed(messages=[MESSAGES[0], {"role": "user", "content": "hello"}]),
        changed(messages=[MESSAGES[0], {"role": "user", "content": "Hello "}]),
        changed(messages=[MESSAGES[0], {"role": "assistant", "content": "Hello"}]),
        changed(messages=MESSAGES[::-1]),
        changed(messages=[*MESSAGES, MESSAGES[1]]),
        changed(tools=[]),
        changed(tools=[TOOL, TOOL]),
        changed(tools=[{**TOOL, "parameters": {"type": "object"}}]),
        changed(metadata={"run": 1, "user": {"id": 7}}),
        changed(metadata={"run": "1", "user": {"id": True}}),
        changed(new_field=None),
        {name: value for name, value in ASKED.items() if name != "temperature"},
        [ASKED],
        {},
    ],
)
def test_whatever_else_changes_in_the_body_is_another_request(key: Key, body: Any) -> None:
    assert key(post(body)) != key(post(ASKED))


WORDS = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6), min_size=1, max_size=6)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": WORDS.map(" ".join)}
)
TOOLS = st.fixed_dictionaries({"name": WORDS.map("_".join), "parameters": st.dictionaries(TEXT, TEXT)})
CHATS = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["gpt-5", "gpt-5-mini"]),
        "temperature": st.floats(0, 2).map(lambda number: round(number, 2)),
        "messages": st.lists(MESSAGE, min_size=1, max_size=5),
        "tools": st.lists(
            st.fixed_dictionaries({"name": WORDS.map("_".join), "parameters": st.dictionaries(TEXT, TEXT)}), max_size=3
        ),
    }
)


def leaves(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value that holds a text or a number, as what it is in and where."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [(value, step) for step, item in items if not isinstance(item, dict | list)]
    return inner + [leaf for _, item in items for leaf in leaves(item)]


@given(body=CHATS, data=st.data())
def test_one_word_one_number_anywhere_makes_another_request(
    key: Key, body: dict[str, Any], data: st.DataObject
) -> None:
    before = key(post(body))
    holder, step = data.draw(st.sampled_from(leaves(body)))
    old = holder[step]
    if isinstance(old, str):
        words = old.split(" ")
        place = data.draw(st.integers(0, len(words) - 1))
        holder[step] = " ".join([*words[:place], words[place] + "x", *words[place + 1 :]])
    else:
        holder[step] = [old]
    assert key(post(body)) != before


@given(body=CHATS, data=st.data())
def test_the_order_of_messages_and_of_tools_counts(key: Key, body: dict[str, Any], data: st.DataObject) -> None:
    for field in ("messages", "tools"):
        other = data.draw(st.permutations(body[field]))
        assert (key(post({**body, field: other})) == key(post(body))) == (other == body[field])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (post(ASKED), post(ASKED, "/v1/embeddings")),
        (post(ASKED), Request("PUT", "https://api.openai.com", "/v1/chat/completions", "", JSON, post(ASKED).body)),
        (post(query="a=1"), post(query="a=2")),
        (post(query="a="), post()),
        (post(query="a=1&a=2"), post(query="a=1")),
        (post(b"Hello"), post(b"Hello ")),
        (post(b"Hello"), post(b"")),
        (post(b"\xff"), post(b"\xfe")),
        (post(b'{"a": 1'), post(b'{"a": 2')),
        (post(b'{"n": 1}'), post(b'{"n": true}')),
        (post(b'{"n": 0}'), post(b'{"n": ""}')),
        (post(b'{"n": 12345678901234567890}'), post(b'{"n": 12345678901234567891}')),
    ],
)
def test_another_target_query_or_content_is_another_request(key: Key, one: Request, other: Request) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"0", b'""', b"\xff", b'"\\ud800"', b'{"n": 1e999}', b'{"n": NaN}']
)
def test_every_body_has_a_key_of_its_own(key: Key, body: bytes) -> None:
    assert len(key(post(body))) == 32
    assert key(post(body)) == key(post(body))
    assert key(post(body)) != key(post(b"{}"))


def test_a_body_nested_to_any_depth_has_a_key(key: Key) -> None:
    depths = [*range(850, 1010), 100_000]
    keys = {key(post(b"[" * depth + b"]" * depth)) for depth in depths}
    assert len(keys) == len(depths)


# --- forms ----------------------------------------------------------------------------------------------

File = tuple[str, str, bytes]
FILES: list[File] = [
    ('form-data; name="model"', "", b"whisper-1"),
    ('form-data; name="file"; filename="a.wav"', "audio/wav", b"RIFF\xff\x00\r\n--not the end"),
]


def form(files: list[File], boundary: str = "x1", *, quoted: bool = False, said: str = "") -> Request:
    parts = b""
    for disposition, content_type, content in files:
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        parts += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n".encode() + content + b"\r\n"
    named = f'"{boundary}"' if quoted else said or boundary
    kind = f"multipart/form-data; boundary={named}; charset=utf-8"
    return post(parts + f"--{boundary}--\r\n".encode(), "/v1/audio/transcriptions", content_type=kind)


def test_a_form_with_another_boundary_is_the_same_request(key: Key) -> None:
    assert key(form(FILES)) == key(form(FILES, "----WebKitFormBoundary7MA4")) == key(form(FILES, "x 1", quoted=True))


@pytest.mark.parametrize(
    "files",
    [
        FILES[:1],
        FILES[::-1],
        [*FILES, FILES[0]],
        [('form-data; name="model2"', "", b"whisper-1"), FILES[1]],
        [('form-data; name="model"', "", b"whisper-2"), FILES[1]],
        [FILES[0], ('form-data; name="file"; filename="b.wav"', "audio/wav", FILES[1][2])],
        [FILES[0], ('form-data; name="file"; filename="a.wav"', "audio/wav", FILES[1][2] + b"\x00")],
        [],
    ],
)
def test_a_form_with_other_parts_is_another_request(key: Key, files: list[File]) -> None:
    assert key(form(files)) != key(form(FILES))


def test_a_form_whose_boundary_is_not_the_one_it_names_is_told_apart_by_its_content(key: Key) -> None:
    other = [('form-data; name="model"', "", b"whisper-2")]
    assert key(form(FILES, said="other")) != key(form(other, said="other"))


def test_a_form_without_a_boundary_is_its_content(key: Key) -> None:
    assert key(post(b"a", content_type="multipart/form-data")) != key(post(b"b", content_type="multipart/form-data"))


# --- paths that do not count ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "same"),
    [
        ("temperature", changed(temperature=1), True),
        ("temperature", {name: value for name, value in ASKED.items() if name != "temperature"}, True),
        ("temperature", changed(temperature=1, model="x"), False),
        ("metadata", changed(metadata="other"), True),
        ("metadata.*", changed(metadata={"other": 1}), True),
        ("metadata.*", changed(metadata="other"), False),
        ("metadata.user.id", changed(metadata={"run": "1", "user": {"id": 8}}), True),
        ("metadata.user.id", changed(metadata={"run": "2", "user": {"id": 8}}), False),
        ("metadata.*.id", changed(metadata={"run": "1", "user": {"id": 8}}), True),
        ("messages[1].content", changed(messages=[MESSAGES[0], {"role": "user", "content": "Bye"}]), True),
        ("messages[0].content", changed(messages=[MESSAGES[0], {"role": "user", "content": "Bye"}]), False),
        ("messages[*].content", changed(messages=[{**each, "content": "x"} for each in MESSAGES]), True),
        ("messages[*].content", changed(messages=[{**each, "role": "x"} for each in MESSAGES]), False),
        ("messages[0]", changed(messages=[{"role": "developer"}, MESSAGES[1]]), True),
        ("messages[*]", changed(messages=[]), True),
        ("tools[0].parameters.properties.city", changed(tools=[{**TOOL, "parameters": {}}]), False),
        ("tools[*].parameters", changed(tools=[{**TOOL, "parameters": {}}]), True),
        ("nothing.like[3].this", ASKED, True),
        ("nothing.like[3].this", changed(model="x"), False),
        ("model.name", changed(model="x"), False),
    ],
)
def test_what_an_ignored_path_leads_to_makes_no_difference(key: Key, path: str, body: Any, same: bool) -> None:
    assert (key(post(body), ignore=[path]) == key(post(ASKED), ignore=[path])) is same


def test_several_paths_are_ignored_each_by_the_numbers_that_were_sent(key: Key) -> None:
    ignore = ["messages[0]", "messages[1]"]
    one, same, other = (post({"messages": list(letters)}) for letters in ("abc", "xyc", "xbz"))
    assert key(one, ignore=ignore) == key(same, ignore=ignore) != key(other, ignore=ignore)


@pytest.mark.parametrize("path", ["", ".", "a..b", "a[", "a[x]", "a]", "a[0", "a.", "[]", "a[-1]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        Keys(ignore=[path])
    assert str(caught.value).startswith(f"ignore={path!r} is not a path such as 'metadata.*'")


def test_a_path_is_read_as_steps() -> None:
    assert steps("messages[0].content[*].text") == ("messages", "0", "content", "*", "text")
    assert steps("a-b.c d") == ("a-b", "c d")


def test_what_is_left_out_is_not_compared(read: Read) -> None:
    asked = read(post({"a": [{"b": 1, "c": 2}, {"b": 3}], "d": 4}))
    assert Keys(["body"], ["a[*].b", "d"]).values(asked) == {"body": {"a": [{"c": 2}, {}]}}
    assert asked.json["d"] == 4


# --- which matchers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "request_", "value"),
    [
        ("operation", post(), "POST /chat/completions"),
        ("query", post(query="b=2&a=1&api_key=x"), [("a", "1"), ("b", "2")]),
        ("stream", post({"stream": True}), True),
        ("body", post({"a": 1.0, "stream": True}), {"a": 1}),
        ("model", post({"model": "m"}), "m"),
        ("method", post(), "POST"),
        ("path", post(), "/v1/chat/completions"),
        ("host", post(), "api.openai.com"),
    ],
)
def test_a_matcher_gives_the_value_that_is_compared(read: Read, name: str, request_: Request, value: object) -> None:
    assert MATCHERS[name](read(request_)) == value
    assert Keys([name]).values(read(request_)) == {name: value}


def test_only_the_chosen_matchers_count(key: Key) -> None:
    one, other = post(changed(temperature=1)), post(ASKED)
    assert key(one, "operation", "model") == key(other, "operation", "model")
    assert key(one, "operation", "model") != key(post(changed(model="x")), "operation", "model")
    local = Request("POST", "http://localhost", "/v1/chat/completions", "", JSON, other.body)
    assert key(local, *DEFAULT, "host") != key(other, *DEFAULT, "host")


def test_an_unknown_matcher_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError) as caught:
        Keys(["body", "colour"])
    assert str(caught.value) == f"match_on has 'colour', which is not a matcher. Known are: {', '.join(MATCHERS)}."


def test_a_matcher_of_a_project_is_one_like_ours(monkeypatch: pytest.MonkeyPatch, key: Key) -> None:
    monkeypatch.setitem(MATCHERS, "temperature", lambda exchange: exchange.json.get("temperature"))
    assert key(post(ASKED), "temperature") == key(post({"temperature": 0.5}), "temperature")
    assert key(post(ASKED), "temperature") != key(post({"temperature": 1}), "temperature")


# --- one `Keys` for many requests -----------------------------------------------------------------------


@pytest.mark.parametrize("match_on", [DEFAULT, (*DEFAULT, "host"), ("body",)])
def test_a_key_does_not_depend_on_what_was_asked_before(read: Read, match_on: tuple[str, ...]) -> None:
    requests = [
        post(ASKED),
        post(ASKED, "/v1/embeddings"),
        post(ASKED, query="a=1"),
        form(FILES),
        form(FILES, "x2"),
        post(form(FILES).body, "/v1/audio/transcriptions", content_type="multipart/form-data; boundary=zz"),
        Request("POST", "http://localhost", "/v1/chat/completions", "", JSON, post(ASKED).body),
    ]
    keys = Keys(match_on)
    once = [keys.key(read(request)) for request in requests]
    assert once == [Keys(match_on).key(read(request)) for request in requests]
    assert once == [keys.key(read(request)) for request in requests]


def test_the_memory_for_keys_is_bounded(monkeypatch: pytest.MonkeyPatch, read: Read) -> None:
    monkeypatch.setattr(matchers, "_MEMO_BYTES", 50_000)
    keys = Keys()
    all_keys = {keys.key(read(post({"n": number, "text": "x" * 1000}))) for number in range(200)}
    assert len(all_keys) == 200
    assert 0 < sum(len(seen[-1]) for seen in keys._memo) < 50_000


def test_a_signature_names_the_way_of_computing_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = [Keys(), Keys(["body"]), Keys(DEFAULT[::-1]), *(Keys(ignore=paths) for paths in ("a", "b", "ab"))]
    assert len({way.signature for way in ways}) == len(ways)
    assert Keys().signature == Keys(list(DEFAULT), ()).signature
    before = Keys().signature
    monkeypatch.setattr(matchers, "VERSION", matchers.VERSION + 1)
    assert Keys().signature != before


GOLDEN = {
    "chat": (post(ASKED), "155b1f96ee1313ca696780385b3f2803"),
    "streamed": (
        post({**ASKED, "stream": True, "stream_options": {"include_usage": True}}),
        "a299c5ca3b6173bc9db1e4105ab31be3",
    ),
    "numbers": (
        post(b'{"a": 1.0, "b": 1e-05, "c": -0.0, "d": 1e400, "e": 123456789012345678901234567890}'),
        "25e12d57f2bf98b6ec146274f36cb2c7",
    ),
    "text": (post({"input": "né \ud83d\ude00 \u2028\x00\ud800"}, "/v1/embeddings"), "1d315ac1e19f3a1ab7133567a81de24d"),
    "query": (
        Request("GET", "https://api.openai.com", "/v1/files", "limit=2&after=&api_key=x"),
        "68be59b4054b8893b705a21ff02b0201",
    ),
    "form": (form(FILES), "750a18ca9c592ce599fd39518552dfe2"),
    "bytes": (post(b"\xff\x00", "/v1/audio/speech"), "0ca6f5bf2366e659798cb3ec04ae54b2"),
    "plain text": (post(b"Hello", "/v1/other"), "df837dbc4e6d7d1af1e44087551dd8bc"),
    "picture": (
        post({"input": [{"image_url": "data:image/png;base64,iVBORw0KGgo="}]}, "/v1/responses"),
        "dd7fc72c64d1d44d4820f76009b8cf98",
    ),
    "nothing": (Request("GET", "https://api.openai.com", "/v1/models"), "22d2cd2b6cc54a59f0c50b88b33e1552"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_keys_stay_what_they_are_in_the_cassettes_of_our_users(key: Key, name: str) -> None:
    """When one of these has to change, raise `matchers.VERSION` with it: stored keys are then computed anew."""
    request, expected = GOLDEN[name]
    assert (matchers.VERSION, key(request)) == (2, expected)


def test_signatures_stay_what_they_are_in_the_cassettes_of_our_users() -> None:
    assert Keys().signature.hex() == "ae6a22f8c96722a8bb1a3201f01309d0"
    assert Keys(["operation", "body"], ["metadata.*"]).signature.hex() == "5e06e36efcf1c24ef686afd77b80146a"


# --- secrets --------------------------------------------------------------------------------------------

OPENAI_KEYS = ["sk-proj-" + "aB3dE5gH7j" * 6, "sk-proj-" + "Zx9Yw8Vu7T" * 9]


def holding(value: str, place: str, *, bearer: str = "") -> Request:
    """A request with a value somewhere in it."""
    headers = (("content-type", "application/json"), *([("authorization", f"Bearer {bearer}")] if bearer else []))
    words = f"It is {value}." if place == "body" else "No."
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": words}]}).encode()
    path = f"/v1/files/{value}" if place == "path" else "/v1/chat/completions"
    return Request("POST", "https://h.example", path, f"a={value}" if place == "query" else "", headers, body)


@pytest.mark.parametrize("place", ["body", "path", "query"])
def test_what_is_asked_with_one_developers_key_is_what_another_asks_with_his(read: Read, place: str) -> None:
    mine, theirs = (Keys().key(read(holding(value, place))) for value in OPENAI_KEYS)
    assert mine == theirs == Keys().key(read(scrub_request(holding(OPENAI_KEYS[0], place))))
    assert mine != Keys().key(read(holding("something else", place)))


def test_a_credential_of_no_known_format_is_known_by_the_request_that_it_came_with(read: Read) -> None:
    mine = Keys().key(read(holding("a1b2c3d4e5f6", "body", bearer="a1b2c3d4e5f6")))
    assert mine == Keys().key(read(holding("z9y8x7w6", "body", bearer="z9y8x7w6")))
    assert mine != Keys().key(read(holding("a1b2c3d4e5f6", "body")))


def test_a_key_of_another_provider_or_a_login_is_answered_by_the_same_recording(read: Read) -> None:
    login = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl"
    values = [*OPENAI_KEYS, "sk-" + "aB3dE5gH7j" * 4, "AIza" + "aB3dE5gH7jaB3dE5" * 2 + "abc", login, "a1b2c3d4e5f6"]
    assert len({Keys().key(read(holding(value, "body", bearer=value))) for value in values}) == 1


def test_what_is_learned_later_holds_for_requests_that_were_seen_before(read: Read) -> None:
    keys = Keys()
    before = keys.key(read(holding("a1b2c3d4e5f6", "body")))
    keys.key(read(holding("", "", bearer="a1b2c3d4e5f6")))
    assert keys.key(read(holding("a1b2c3d4e5f6", "body"))) != before


def test_how_keys_are_computed_does_not_depend_on_anybodys_secrets() -> None:
    assert Keys(secrets=Secrets(["a1b2c3d4e5f6"])).signature == Keys().signature


def test_the_values_that_an_explanation_shows_hold_no_secret(read: Read) -> None:
    values = Keys().values(read(holding(OPENAI_KEYS[0], "body")))
    assert values["body"] == {"model": "m", "messages": [{"role": "user", "content": "It is redacted-secret."}]}


@pytest.mark.parametrize("match_on", [["model"], ["host", "path"], ["operation", "body"]])
def test_every_matcher_sees_what_is_clean(read: Read, match_on: list[str]) -> None:
    request = holding(OPENAI_KEYS[0], "path")
    clean = scrub_request(request)
    assert Keys(match_on).key(read(request)) == Keys(match_on).key(read(clean))
