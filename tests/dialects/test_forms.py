"""Forms, read and written."""

from __future__ import annotations

from base64 import b64encode

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Request
from pytest_llmmock.core.prompt import Part
from pytest_llmmock.dialects.forms import Form, is_set, number, read_form, write_form


def sent(body: bytes) -> Form:
    return read_form(Request("POST", "http://x", "/", body=body))


def test_a_form_of_a_client_is_read_by_its_parts() -> None:
    files = [("image[]", ("a b.png", b"\x89PNG\r\n--x", "image/png")), ("note", ("n.txt", b"", "text/plain"))]
    http = httpx2.Request("POST", "http://x", data={"model": "m", "include[]": ["a", "b"]}, files=files)
    form = sent(http.read())
    assert form.fields == {"model": "m", "include": ["a", "b"]}
    assert [(part.kind, part.content, part.data) for part in form.files] == [
        ("image", b"\x89PNG\r\n--x", {"name": "image[]", "filename": "a b.png"}),
        ("file", b"", {"name": "note", "filename": "n.txt"}),
    ]


def test_json_is_a_form_without_files() -> None:
    assert sent(b'{"model": "m", "n": 2}') == Form({"model": "m", "n": 2})
    assert sent(b"[1]") == sent(b"") == Form({})


def test_what_is_cut_off_is_left_out() -> None:
    whole = write_form({"model": "m", "prompt": "p"}, (Part("file", "data:text/plain;base64,QQ==", {"name": "f"}),))
    assert sent(whole).fields == {"model": "m", "prompt": "p"}
    assert sent(whole[: whole.index(b"prompt") + 20]).fields == {"model": "m"}


@given(
    fields=st.dictionaries(st.text("abc_", min_size=1, max_size=5), st.text(max_size=20), max_size=3),
    content=st.binary(max_size=50),
)
def test_what_is_written_is_read_again(fields: dict[str, str], content: bytes) -> None:
    url = f"data:audio/wav;base64,{b64encode(content).decode()}"
    files = (Part("audio", url, {"name": "file", "filename": "a.wav"}),)
    assert sent(write_form(fields, files)) == Form(fields, files)
    assert sent(write_form(fields, ())) == Form(fields)


@pytest.mark.parametrize(
    ("value", "found"), [("2", 2), (3, 3), (4.0, 4), ("x", None), ("²", None), ("9" * 30, None), (None, None)]
)
def test_numbers_may_be_text(value: object, found: int | None) -> None:
    assert number(value) == found


def test_yes_may_be_text() -> None:
    assert all(is_set(value) for value in (True, "true", "True"))
    assert not any(is_set(value) for value in (False, "false", 1, None))
