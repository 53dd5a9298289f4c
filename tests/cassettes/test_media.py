from __future__ import annotations

import base64
import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import media
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Request

PICTURE = bytes(range(256))
SMALL = base64.b64encode(PICTURE).decode()


def chat(content: object) -> Request:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]}).encode()
    return Request("POST", "https://api.openai.com", "/v1/chat/completions", "", (), body)


def shown(url: str) -> Request:
    return chat([{"type": "image_url", "image_url": {"url": url}}])


@given(st.binary(min_size=48))
def test_content_is_its_hash_however_it_is_laid_out(content):
    plain = base64.b64encode(content).decode()
    layouts = [
        plain,
        plain.rstrip("="),
        "\n".join(textwrap.wrap(plain, 76)),
        base64.urlsafe_b64encode(content).decode(),
    ]
    assert len({media.by_hash(layout) for layout in layouts}) == 1
    assert len({media.by_hash("data:image/png;base64," + layout) for layout in layouts}) == 1


@given(st.binary(min_size=48), st.binary(min_size=48))
def test_other_content_is_another_value(one, other):
    values = [media.by_hash("data:image/png;base64," + base64.b64encode(each).decode()) for each in (one, other)]
    assert (values[0] == values[1]) == (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "Hello",
        "data:",
        "data:text/plain,hello",
        "data:image/png;base64,no!",
        "a sentence that is long enough, " * 5,
        "x" * 65,
    ],
)
def test_what_is_no_content_stays_as_it_is(text):
    assert media.by_hash({"data": [text, 1, None]}) == {"data": [text, 1, None]}


def test_the_same_picture_has_the_same_key_and_another_has_not(read):
    folded = "\n".join(textwrap.wrap(SMALL, 76))
    key = Keys().key(read(shown("data:image/png;base64," + SMALL)))
    assert Keys().key(read(shown("data:image/png;base64," + folded))) == key
    assert Keys().key(read(shown("data:image/jpeg;base64," + SMALL))) != key
    assert Keys().key(read(shown("data:image/png;base64," + SMALL[:-8]))) != key


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": SMALL}}],  # Anthropic
        [{"type": "input_audio", "input_audio": {"data": SMALL, "format": "wav"}}],  # OpenAI
        {"images": [SMALL]},  # Ollama
        {"inlineData": {"mimeType": "image/png", "data": SMALL}},  # Gemini
    ],
)
def test_every_protocols_way_of_sending_content_is_compared_by_hash(read, content):
    body = Keys().values(read(chat(content)))["body"]
    assert SMALL not in json.dumps(body)
    assert "256 bytes, sha256 " in json.dumps(body)
