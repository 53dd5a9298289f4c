"""Forms: requests whose body is made of parts, in and out (RFC 7578)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.json_text import compact
from ..core.model import Request
from ..core.prompt import Part
from .fields import mapping, text, whole

BOUNDARY = b"----llmmock-form"

_PARAMETER = re.compile(r'\b(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_TYPE = re.compile(r"\r\ncontent-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"--([^\r\n]{1,200})\r\n")


@dataclass(frozen=True, slots=True)
class Form:
    """What a request says, whichever way: clients send a form where there are files, else JSON."""

    fields: dict[str, Any]
    files: tuple[Part, ...] = ()


def read_form(request: Request) -> Form:
    """The fields, and the files as parts with data URLs. A field whose name ends in `[]` is a list."""
    first = _FIRST_LINE.match(request.body)
    if first is None:
        return Form(mapping(request.json()))
    fields: dict[str, Any] = {}
    files: list[Part] = []
    for head, content in _pieces(request.body, b"--" + first[1]):
        named = {name.lower(): value for name, value in _PARAMETER.findall(head)}
        if "filename" in named:
            files.append(_file(named, head, content))
        else:
            _add(fields, named.get("name", ""), content.decode(errors="replace"))
    return Form(fields, tuple(files))


def _pieces(body: bytes, delimiter: bytes) -> Iterator[tuple[str, bytes]]:
    """Head and content of each part; one that is cut off is left out."""
    for piece in (b"\r\n" + body).split(b"\r\n" + delimiter)[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        yield head.decode(errors="replace"), content


def _file(named: dict[str, str], head: str, content: bytes) -> Part:
    found = _TYPE.search(head)
    media_type = (found[1].strip() if found else "") or "application/octet-stream"
    kind = media_type.partition("/")[0]
    return Part(
        kind if kind in ("image", "audio") else "file",
        f"data:{media_type};base64,{b64encode(content).decode()}",
        {"name": named.get("name", ""), "filename": named["filename"]},
    )


def _add(fields: dict[str, Any], name: str, value: str) -> None:
    if name.endswith("[]"):
        fields.setdefault(name[:-2], [])
        fields[name[:-2]] = [*_listed(fields[name[:-2]]), value]
    else:
        fields[name] = value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def write_form(fields: dict[str, Any], files: tuple[Part, ...]) -> bytes:
    """JSON, or where there are files a form."""
    if not files:
        return compact(fields).encode()
    pieces = [_written(f'name="{name}"', "", _value(value)) for name, value in fields.items()]
    pieces += [_written(*_described(part), part.content) for part in files]
    return b"".join(b"--" + BOUNDARY + b"\r\n" + piece + b"\r\n" for piece in pieces) + b"--" + BOUNDARY + b"--\r\n"


def _described(part: Part) -> tuple[str, str]:
    data = mapping(part.data)
    media_type = part.url.partition(",")[0].removeprefix("data:").removesuffix(";base64")
    return f'name="{text(data.get("name"))}"; filename="{text(data.get("filename"))}"', media_type


def _written(named: str, media_type: str, content: bytes) -> bytes:
    kind = f"\r\nContent-Type: {media_type}" if media_type else ""
    return f"Content-Disposition: form-data; {named}{kind}\r\n\r\n".encode(errors="replace") + content


def _value(value: Any) -> bytes:
    return (value if isinstance(value, str) else compact(value)).encode(errors="replace")


def number(value: object) -> int | None:
    """A whole number, which forms write as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return whole(value)


def is_set(value: object) -> bool:
    """Whether a field says yes, which forms write as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")
