from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.credentials import Credential
from pytest_llmmock.cassettes.known import Known
from pytest_llmmock.cassettes.scrubber import Scrubber
from pytest_llmmock.cassettes.secrets import Secrets

KEY = "p4ss/W0rd+" * 5
PLACEHOLDER = b"redacted-secret"
BREAKS = {"\n": "\n", "\r\n": "\r\n", "\\n": "\n", "\\r\\n": "\n", "\\\\n": "\n", "\n      ": "\n"}


def clean(text: str) -> str:
    return Scrubber(Secrets([Credential(KEY)])).text(text)


def wrapped(content: bytes, line_break: str, width: int = 76) -> str:
    text = base64.b64encode(content).decode()
    return line_break.join(text[at : at + width] for at in range(0, len(text), width))


@pytest.mark.parametrize("line_break", BREAKS)
@given(before=st.binary(max_size=150), after=st.binary(max_size=150))
def test_base64_in_lines_that_holds_a_known_value_stays_base64_in_lines(line_break, before, after):
    content = before + KEY.encode() + after
    text = clean(f'{{"a": "{wrapped(content, line_break)}"}}')[7:-2]
    assert text == wrapped(before + PLACEHOLDER + after, line_break)


@pytest.mark.parametrize("width", [20, 60, 64, 76])
@given(before=st.binary(max_size=90))
def test_lines_may_have_any_width(width, before):
    content = before + KEY.encode() + b"!" * 50
    again = clean("It is\n" + wrapped(content, "\n", width) + "\n")
    assert base64.b64decode(again.removeprefix("It is\n")) == before + PLACEHOLDER + b"!" * 50


def test_what_stands_behind_the_lines_stays():
    text = base64.encodebytes(b"x" * 57 + KEY.encode() + b"y" * 14).decode() + "thanks for reading"
    assert clean(text).endswith("\nthanks for reading")
    body = json.dumps({"content": text})
    assert json.loads(clean(body))["content"] == clean(text)


def test_a_value_that_stands_in_base64_many_times_is_found_everywhere():
    one = base64.b64encode(KEY.encode()).decode()
    assert clean(" ".join([one] * 20)) == " ".join([base64.b64encode(PLACEHOLDER).decode()] * 20)
    many = base64.b64encode(b"ab".join([KEY.encode()] * 20)).decode()
    assert base64.b64decode(clean(many)) == b"ab".join([PLACEHOLDER] * 20)


def test_what_is_cut_at_its_beginning_is_taken_out_all_the_same():
    core = Known.of(Credential(KEY), True).cores[-1][1].decode()
    assert clean(f"? {core} ?") == "? redacted-secret ?"
