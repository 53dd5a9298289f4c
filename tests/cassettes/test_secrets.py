from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.credentials import Credential
from pytest_llmmock.cassettes.key_formats import IN_A_ROW
from pytest_llmmock.cassettes.secrets import COOKIES, Secrets, apart, look_alikes
from pytest_llmmock.cassettes.wrapped import wrapped
from pytest_llmmock.core.model import Reply, Request

A = "aB3dE5gH7j" * 6
VALUE = "p4ss/W0rd+é=\"x'\\ y"


def found(secrets: Secrets, text: str) -> list[str]:
    data = text.encode()
    return [data[span.start : span.end].decode() for span in secrets.spans(data)]


def clean(secrets: Secrets, text: str) -> str:
    data = text.encode()
    for span in reversed(secrets.spans(data)):
        data = data[: span.start] + span.text + data[span.end :]
    return data.decode()


@pytest.mark.parametrize(
    "write",
    [
        *(str, quote, quote_plus, lambda value: quote(value, safe=""), lambda value: quote(quote(value))),
        *(lambda value: json.dumps(value)[1:-1], lambda value: json.dumps(value, ensure_ascii=False)[1:-1]),
        lambda value: json.dumps(json.dumps(json.dumps(value)[1:-1])[1:-1])[1:-1],
        lambda value: json.dumps(value)[1:-1].replace("/", "\\/").replace("+", "\\u002B"),
        lambda value: quote(value, safe="").lower().replace("p4ss", "p4ss").replace("w0rd", "W0rd"),
    ],
)
def test_a_known_value_is_found_in_every_form(write):
    assert clean(Secrets([Credential(VALUE)]), f"a {write(VALUE)} b") == "a redacted-secret b"


KNOWN = [VALUE, "hunter2!", "pässwörd12", "123456789012", "sk-" + "aB3dE5gH7j" * 3, "ab-cd-" * 6 + "9", "x9" * 40]
FORMS: list[Callable[[str], str]] = [
    *(str, quote, lambda value: quote(quote(value, safe=""))),
    *(lambda value: json.dumps(value)[1:-1], lambda value: json.dumps(json.dumps(value)[1:-1])[1:-1]),
    *(
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.encodebytes(value.encode()).decode(),
    ),
    lambda value: json.dumps(base64.encodebytes(b"a" * 60 + value.encode()).decode())[1:-1],
    lambda value: f"https://somebody:{quote(value, safe='')}@example.com",
    lambda value: f"-----BEGIN PRIVATE KEY-----\n{A[:44]} {value}\n-----END PRIVATE KEY-----",
    lambda value: f'{{"password": "{value}"}}',
    lambda value: f"?api_key={value}",
]
WORDS = st.sampled_from(["Plan a day in Rome.", " ", "\n", "\\n", '"', "a/b/c", "mail@example.com", "x" * 20, "-----"])


@given(
    st.lists(st.sampled_from(KNOWN), max_size=3),
    st.lists(WORDS | st.builds(lambda write, value: write(value), st.sampled_from(FORMS), st.sampled_from(KNOWN))),
    st.booleans(),
)
def test_what_is_not_looked_at_closer_holds_nothing(known, pieces, asked):
    """The look without shortcuts: each value, and each format, in all of the data."""
    data = "".join(pieces).encode()
    secrets = Secrets(known)
    secrets.add("only-recording-9-knows", asked=False)
    values = [each for each in secrets._known.values() if each.asked or not asked]
    spans = [span for each in values for span in each.spans(data, list(wrapped(data)))]
    assert secrets.spans(data, asked=asked) == apart([*spans, *look_alikes(data, data.translate(IN_A_ROW))])


@given(st.binary(max_size=20), st.binary(max_size=20), st.booleans(), st.booleans())
def test_base64_that_holds_a_known_value_stays_base64(before, after, for_addresses, padded):
    encode = base64.urlsafe_b64encode if for_addresses else base64.b64encode
    text = encode(before + VALUE.encode() + after).decode()
    text = text if padded else text.rstrip("=")
    secrets = Secrets([Credential(VALUE)])
    again = clean(secrets, f'"{text}"').strip('"').replace("-", "+").replace("_", "/")
    assert base64.b64decode(again + "=" * (-len(again) % 4)) == before + b"redacted-secret" + after


def test_base64_that_cannot_be_read_loses_what_holds_the_value():
    text = base64.b64encode(b"user:" + VALUE.encode() + b"!").decode().rstrip("=")
    text += "x" * ((1 - len(text)) % 4)
    scrubbed = clean(Secrets([Credential(VALUE)]), text)
    assert "redacted-secret" in scrubbed
    assert len(scrubbed) < len(text)


def test_a_number_stays_a_number():
    secrets = Secrets([Credential("123456789012")])
    assert json.loads(clean(secrets, '{"id": 123456789012, "a": "1123456789012"}')) == {
        "id": 999999999999,
        "a": "1999999999999",
    }


def test_a_value_in_the_format_of_a_provider_is_named_after_it():
    assert clean(Secrets([f"sk-proj-{A}"]), f"{A}x sk-proj-{A}.") == f"{A}x redacted-secret."


def test_where_two_overlap_one_placeholder_stands_for_both():
    assert clean(Secrets([Credential("aB3dE5gH")]), f"a sk-{A} b") == "a redacted-secret b"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f'{{"access_token": "{A}"}}', '{"access_token": "redacted-secret"}'),
        (f'{{"apiKey":"{A}","total_tokens":12}}', '{"apiKey":"redacted-secret","total_tokens":12}'),
        (f'"{{\\"client_secret\\": \\"{A}\\"}}"', '"{\\"client_secret\\": \\"redacted-secret\\"}"'),
        (f'{{"authorization": "Bearer {A}"}}', '{"authorization": "Bearer redacted-secret"}'),
        (f"curl -H 'Authorization: Bearer {A}'", "curl -H 'Authorization: Bearer redacted-secret'"),
        (f"https://h.example/a.png?se=1&sig={A}%3D&b=2", "https://h.example/a.png?se=1&sig=redacted-secret&b=2"),
        (f"https://h.example/?X-Amz-Signature={A}", "https://h.example/?X-Amz-Signature=redacted-secret"),
        ("postgres://me:hunter2hunter2@h.example/db", "postgres://me:redacted-secret@h.example/db"),
        (f"-----BEGIN RSA PRIVATE KEY-----\n{A}\n-----END RSA PRIVATE KEY-----\n.", "redacted-private-key\n."),
        (f'"-----BEGIN PRIVATE KEY-----\\n{A}\\n-----END PRIVATE KEY-----\\n"', '"redacted-private-key\\n"'),
    ],
)
def test_what_is_secret_by_what_stands_before_it_is_found(text, kept):
    assert clean(Secrets(), text) == kept


@pytest.mark.parametrize(
    "text",
    [
        f'{{"id": "{A}", "page_token": "{A}", "token": "{A}", "user_id": "{A}", "user": "{A}"}}',
        '{"api_key": "the key that you were given", "password": "not-needed-for-this-one"}',
        '{"parameters": {"properties": {"api_key": {"type": "string"}}, "required": ["api_key"]}}',
        "postgres://user:password@localhost/db and jo@firm.example",
        "-----BEGIN PRIVATE KEY----- is how it begins",
        "https://h.example/?monkey=aB3dE5gH7jaB3dE5gH7j",
        '"logprobs": [{"token": " sk", "logprob": -0.0001}], "total_tokens": 12345678901234567890123',
        "https://h.example/?sort_key=created_at_desc_2024&cache_key=2024-01-01-home-page&token=next-page-token-12",
        f"https://h.example/?page_token={A}",
        '{"privateKey":"customer_orders_2024_q1"}',
        '{"apiKey":"process.env.OPENAI_API_KEY_PROD1"}',
        "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 20).decode(),
    ],
)
def test_what_is_not_secret_stays(text):
    assert found(Secrets(), text) == []


def test_a_session_in_a_cookie_is_forgotten_after_many_others():
    secrets = Secrets()
    for number in range(COOKIES + 10):
        secrets.learn(Reply(200, (("set-cookie", f"__cf_bm=a1b2c3d4e5-{number:04}; path=/"),), []))
    assert found(secrets, "a1b2c3d4e5-0009") == []
    assert found(secrets, "a1b2c3d4e5-0010 a1b2c3d4e5-0209") == ["a1b2c3d4e5-0010", "a1b2c3d4e5-0209"]


def test_what_is_learned_holds_from_then_on_and_is_noticed():
    secrets = Secrets()
    request = Request("GET", "https://h.example", "/", headers=(("x-api-key", "a1b2c3d4e5"),))
    before = secrets.generation
    secrets.learn(request)
    assert secrets.generation == before + 1
    secrets.learn(request)
    assert secrets.generation == before + 1
    assert found(secrets, "xa1b2c3d4e5x") == ["a1b2c3d4e5"]


def test_what_only_recording_knows_does_not_count_when_requests_are_compared():
    secrets = Secrets()
    secrets.add("a1b2c3d4e5", asked=False)
    assert secrets.spans(b"a1b2c3d4e5", asked=True) == []
    secrets.add("a1b2c3d4e5")
    assert len(secrets.spans(b"a1b2c3d4e5", asked=True)) == 1


def test_the_environment_of_this_process_counts_unless_another_is_given(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "a1b2c3d4e5")
    assert found(Secrets.of(), "a1b2c3d4e5") == ["a1b2c3d4e5"]
    assert found(Secrets.of({}), "a1b2c3d4e5") == []


def test_an_empty_value_is_none():
    secrets = Secrets([Credential("")])
    assert (secrets.generation, secrets.spans(b"abc")) == (0, [])


def test_what_has_become_known_only_since_is_told_apart_from_what_was_known_before():
    secrets = Secrets()
    secrets.add("a-v3ry-long-passw0rd")
    before = secrets.generation
    data = b"it is a-v3ry-long-passw0rd, and an0ther-passw0rd-of-these"
    assert secrets.has_come(-1, data)
    assert not secrets.has_come(before, data)
    secrets.add("an0ther-passw0rd-of-these")
    assert secrets.has_come(before, data)
    assert not secrets.has_come(secrets.generation, data)


def test_what_was_found_clean_is_so_until_something_becomes_known():
    secrets = Secrets()
    secrets.note_clean("mark", secrets.generation)
    assert secrets.is_clean("mark")
    assert not secrets.is_clean("other")
    secrets.add("a-v3ry-long-passw0rd")
    assert not secrets.is_clean("mark")
