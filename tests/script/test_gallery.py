"""Pictures hang where a scripted answer says."""

from __future__ import annotations

import json

import httpx2
import pytest
from decoding import decoded
from simulating import Playing, openai_of

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.script import gallery
from pytest_llmmock.script.gallery import Gallery


def shown(exchange: Exchange) -> Answer | None:
    return Answer() if exchange.operation.startswith("images") else None


def test_a_picture_can_be_fetched_where_the_answer_says() -> None:
    with openai_of(Playing(shown)) as client:
        found = client.images.generate(model="dall-e-3", prompt="a cat", size="256x128", n=2)
        assert found.data is not None
        one, other = (str(image.url) for image in found.data)
        assert one.startswith(str(client.base_url).removesuffix("/v1/") + "/v1/generated/")
        assert one.endswith(".png")
        assert one != other
        got = httpx2.get(one)
        head = httpx2.head(one)
        missing = httpx2.get(one.replace(".png", ".jpeg"))
        wrong = httpx2.post(one)
    assert (got.status_code, got.headers["content-type"], decoded(got.content)[:2]) == (200, "image/png", (256, 128))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(got.content)), b"")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_url")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")


def asked(base: str = "") -> Exchange:
    return dialects.read(Request("POST", "https://api.openai.com", "/v1/images/generations", base=base))


def answered(exchange: Exchange) -> Reply:
    asked = Request("POST", "", "/", body=b'{"model": "dall-e-2", "size": "8x8", "prompt": "%d"}' % id(exchange))
    return exchange.dialect.write_reply(exchange.dialect.read_request(asked), Answer())


def test_in_process_the_address_is_that_of_the_provider() -> None:
    hanging, exchange = Gallery(), asked()
    url = hanging.hang(exchange, answered(exchange)).json()["data"][0]["url"]
    assert url.startswith("https://api.openai.com/v1/generated/")
    path = url.removeprefix("https://api.openai.com")
    found = hanging.answer(dialects.read(Request("GET", "https://api.openai.com", path)))
    assert found is not None
    assert (found.source, found.body[:4]) == ("script", b"\x89PNG")
    assert hanging.answer(dialects.read(Request("GET", "https://api.openai.com", "/v1/models"))) is None


def test_recordings_and_other_answers_stay_as_they_are() -> None:
    exchange = asked()
    recorded = answered(exchange)
    recorded.source = "cassette"
    assert Gallery().hang(exchange, recorded) is recorded
    elsewhere = exchange.dialect.write_reply(exchange.prompt, Answer((Delta("image", "https://x/a.png"),)))
    assert Gallery().hang(exchange, elsewhere) is elsewhere


def test_only_so_many_pictures_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "_MOST", 1)
    hanging = Gallery()
    addresses = []
    for words in ("a", "b"):
        body = json.dumps({"model": "dall-e-2", "size": "9x9", "prompt": words}).encode()
        exchange = dialects.read(Request("POST", "http://x", "/v1/images/generations", body=body))
        reply = hanging.hang(exchange, exchange.dialect.write_reply(exchange.prompt, Answer()))
        addresses.append(reply.json()["data"][0]["url"].removeprefix("http://x"))
    found = [hanging.answer(dialects.read(Request("GET", "http://x", path))) for path in addresses]
    assert [reply is not None for reply in found] == [False, True]
