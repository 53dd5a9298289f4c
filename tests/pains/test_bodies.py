"""Files that nobody can read."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable

import brotli
import pytest
import yaml
from provider import Answer, completion

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}


@pytest.fixture(params=CODINGS)
def compressing(request: pytest.FixtureRequest, provider) -> dict:
    """The provider compresses what it says, whatever it was asked for."""
    said = completion("Start at the Colosseum.")
    body = CODINGS[request.param](json.dumps(said).encode())
    headers = {"content-type": "application/json", "content-encoding": request.param}
    provider.answer = lambda asked: Answer(body, headers=headers)
    return said


def test_what_came_compressed_can_be_read_in_the_file(run, path, compressing):
    """A compressed body is a block of Base64 in the file: no review sees what changed."""
    with run("once") as app:
        assert app.say() == "Start at the Colosseum."
    (interaction,) = yaml.safe_load(path.read_text())["interactions"]
    assert interaction["response"]["parsed_body"] == compressing
    assert interaction["request"]["parsed_body"]["messages"] == [{"role": "user", "content": "hello"}]
    assert "content-encoding" not in path.read_text()
    assert "!!binary" not in path.read_text()


def test_replay_needs_no_decoder(run, compressing, monkeypatch):
    """Compressed bodies in files cannot be replayed once a decoder is no longer installed."""
    with run("once") as app:
        app.say()
    for name in ("brotli", "brotlicffi", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with run() as app, app.openai() as client:
        raw = client.chat.completions.with_raw_response.create(
            model="m", messages=[{"role": "user", "content": "hello"}]
        )
        assert raw.parse().choices[0].message.content == "Start at the Colosseum."
        assert "content-encoding" not in raw.headers
