from __future__ import annotations

import json

import pytest

from pytest_llmmock.cassettes import foreign
from pytest_llmmock.cassettes.format import loads
from pytest_llmmock.errors import CassetteFormatError

YAML = r"""version: 1
interactions:
- request:
    method: POST
    uri: https://api.openai.com/v1/chat/completions
    headers:
      content-type:
      - application/json
    body:
      type: json
      content:
        model: gpt-5
        "n": null
        text: |-
          hé
          there
  response:
    status: 200
    headers:
      content-type:
      - text/event-stream
    body:
      type: text
      content: |+
        data: {"a":1}

        data: [DONE]

  recorded_at: 2026-11-21T07:59:17.935461+00:00
- request:
    method: POST
    uri: https://api.openai.com/v1/audio/speech
    body: {type: none}
  response:
    status: 200
    headers: {}
    body: {type: binary, content: "00ff"}
  recorded_at: "2026-11-21T08:59:17+01:00"
"""

TOML = r"""version = 1

[[interactions]]
recorded_at = "2026-11-21T07:59:17.962318+00:00"

[interactions.request]
method = "POST"
uri = "https://api.openai.com/v1/chat/completions"
body_type = "json"
body_content = '{"model":"gpt-5","n":null,"text":"hé\nthere"}'

[interactions.request.headers]
content-type = ["application/json"]

[interactions.response]
status = 200
body_type = "text"
body_content = '''
data: {"a":1}

data: [DONE]

'''

[interactions.response.headers]
content-type = ["text/event-stream"]

[[interactions]]
recorded_at = "2026-11-21T07:59:17.962318+00:00"

[interactions.request]
method = "POST"
uri = "https://api.openai.com/v1/audio/speech"
body_type = "none"

[interactions.response]
status = 200
body_type = "binary"
body_content = "00ff"
"""

ASKED = '{"model":"gpt-5","n":null,"text":"hé\\nthere"}'.encode()


@pytest.mark.parametrize("text", [YAML, TOML], ids=["yaml", "toml"])
def test_bodies_of_every_type_are_read(text):
    first, second = foreign.read(text.encode())
    assert (first.request.body, first.reply.body) == (ASKED, b'data: {"a":1}\n\ndata: [DONE]\n\n')
    assert (second.request.body, second.reply.body) == (b"", b"\x00\xff")
    assert first.meta["recorded"].startswith("2026-11-21T07:59:17.")
    assert first.reply.headers == (("content-type", "text/event-stream"),)


def test_texts_without_quotes_are_the_texts_of_yaml_1_2():
    plain = {"date": "2026-11-21", "time": "12:30:45", "equals": "=", "merge": "<<", "version": "1.2.3", "octal": 17}
    plain |= {"big": 1e30, "small": -5e-7, "one": 1.0, "yes": True, "nothing": None, "number": -3, "on": "on"}
    written = "".join(
        f"        {name}: {json.dumps(value).strip(chr(34)).replace('e+', '.0e+')}\n" for name, value in plain.items()
    )
    text = YAML.replace("        model: gpt-5\n", written)
    body = json.loads(foreign.read(text.encode())[0].request.body)
    assert {name: body[name] for name in plain} == plain


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('type: binary, content: "00ff"', "type: binary, content: xy", "not a run of hexadecimal digits"),
        ('type: binary, content: "00ff"', "type: protobuf, content: 00ff", "of the type 'protobuf'; known are json"),
        ('type: binary, content: "00ff"', "type: json, content: !!timestamp 2026-11-21", "not a JSON value"),
    ],
)
def test_a_body_that_cannot_be_read_is_told(old, new, told):
    with pytest.raises(CassetteFormatError, match=told):
        foreign.read(YAML.replace(old, new).encode())


def test_broken_toml_is_told():
    with pytest.raises(CassetteFormatError, match=r"begins like TOML and is not: .*line 3"):
        foreign.read(b'version = 1\n\n[[interactions\nuri = "x"\n')


def test_yaml_that_looks_a_little_like_toml_stays_yaml():
    assert foreign.read(b"version: 1\ninteractions: []\n") == []


def test_it_is_read_as_what_it_is_where_it_is_laid_out_as_vcrpy_does_it() -> None:
    """Cut into interactions it would be YAML 1.1, in which this is 45045 seconds, and nobody asks when that was."""
    data = YAML.replace('"n": null', "at: 12:30:45").encode()
    assert [each.recorded for each in loads(data)] == foreign.read(data)
    first = loads(data)[0]
    assert first.request.json()["at"] == "12:30:45"
    assert first.recorded.meta == {"recorded": "2026-11-21T07:59:17.935Z"}
