"""Cassettes in layouts that we did not write: every form that vcrpy and its users have stored.

Plain vcrpy version 1 in YAML and JSON, vcrpy before 1.0, pytest-recording's, pydantic-ai's `parsed_body`,
the `status_code` and `content` of vcrpy's older httpx stubs, Ruby VCR's envelope, cassetter's YAML and TOML, HAR,
gzip around any of them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.codings import without_encoding
from ..core.model import Headers, Reply, Request
from ..errors import CassetteFormatError
from . import cassetter, har
from .bodies import COMPACT, in_style
from .cassette import Recorded
from .dates import recorded_when
from .foreign_yaml import parse_yaml, plain_loader
from .format import Blob, Wanted, read_timing, split_uri

_FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive")
"""Headers about how the bytes travelled. They do not hold for the body as we keep it."""


def read(data: bytes, blob: Blob | None = None, wanted: Wanted | None = None) -> list[Recorded]:
    """All interactions of a cassette in any layout; of a HAR those that are wanted. Raises `CassetteFormatError`."""
    document = _current(data)
    if har.is_one(document):
        return [_numbered(number, entry, har.recorded) for number, entry in enumerate(har.entries(document, wanted), 1)]
    return [_numbered(number, item, partial(recorded, blob=blob)) for number, item in enumerate(_listed(document), 1)]


def items(data: bytes) -> list[Any]:
    """The interactions of a cassette in any layout of vcrpy's, as they stand in it. Raises `CassetteFormatError`."""
    return _listed(_current(data))


def _current(data: bytes) -> Any:
    """What stands in a file, in vcrpy's layout of today where it was an older one."""
    text = _text(data)
    document = _document(text)
    return _migrated(text) if _is_before_1_0(document) else document


def _listed(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        raise CassetteFormatError(
            f"It holds {_kind(document)}, not a cassette: `version` and `interactions` were expected."
        )
    found = document.get("interactions", document.get("http_interactions"))
    if not isinstance(found, list):
        names = ", ".join(map(str, list(document)[:5])) or "nothing"
        raise CassetteFormatError(f"It has no list of `interactions`; it has: {names}.")
    return found


def _numbered(number: int, item: Any, read_one: Callable[[Any], Recorded]) -> Recorded:
    try:
        return read_one(item)
    except CassetteFormatError as error:
        raise CassetteFormatError(f"Interaction {number}: {error}") from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CassetteFormatError(f"Interaction {number}: it holds a value that cannot be read: {error}.") from None


# --- the envelope ---------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        data = _gunzip(data)
    if not data.strip():
        raise CassetteFormatError("It is empty.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CassetteFormatError(
            f"It is not text in UTF-8 (byte {error.start} is {data[error.start]:#04x})."
        ) from None


def _gunzip(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except EOFError:
        raise CassetteFormatError("It is a gzip file that breaks off: it was cut or not written whole.") from None
    except (OSError, zlib.error) as error:
        raise CassetteFormatError(f"It begins like gzip and cannot be unpacked: {error}.") from None


def _document(text: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError as error:
            why = error
        except RecursionError:
            raise CassetteFormatError("It is nested too deeply.") from None
        try:
            return parse_yaml(text)
        except CassetteFormatError:
            raise CassetteFormatError(f"It begins like JSON and is not: {why}.") from None
    if cassetter.is_toml(text):
        return cassetter.parse_toml(text)
    return parse_yaml(text, cassetter.loader(plain_loader()) if cassetter.is_yaml(text) else None)


def _is_before_1_0(document: Any) -> bool:
    return isinstance(document, list) and bool(document) and isinstance(document[0], dict) and "request" in document[0]


def _migrated(text: str) -> Any:
    """vcrpy's own migration of its files from before 1.0."""
    import yaml
    from vcr.migration import migrate_json, migrate_yml

    out = io.StringIO()
    migrate = migrate_json if text.lstrip().startswith("[") else migrate_yml
    try:
        migrate(io.StringIO(text), out)
    except (LookupError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise CassetteFormatError(
            f"It looks like a cassette of vcrpy before 1.0, and vcrpy cannot migrate it: {error!r}."
        ) from None
    return _document(out.getvalue())


# --- an interaction -------------------------------------------------------------------------------------


def recorded(item: Any, blob: Blob | None = None) -> Recorded:
    """One interaction from its data."""
    request = recorded_request(item, blob)
    return Recorded(request, recorded_reply(item, request.method, blob), _meta(item))


def recorded_request(item: Any, blob: Blob | None = None) -> Request:
    """The request of an interaction, whatever else of it there is."""
    meta = _meta(item)
    return _request(_dict(item.get("request"), "request"), meta, blob)


def recorded_reply(item: Any, method: str, blob: Blob | None = None) -> Reply:
    """The reply of an interaction, whatever else of it there is."""
    meta = _meta(item)
    framing = _FRAMING[method == "HEAD" :]  # which tells the length of a body that does not come
    return _reply(_dict(item.get("response"), "response"), meta, blob, framing)


def _meta(item: Any) -> dict[str, Any]:
    meta = _dict(item, "interaction").get("llmmock")
    return meta if isinstance(meta, dict) else recorded_when(item.get("recorded_at"))


def _request(data: dict[str, Any], meta: dict[str, Any], blob: Blob | None) -> Request:
    uri = data.get("uri")
    if not isinstance(uri, str) or not uri:
        raise CassetteFormatError("its request has no `uri`.")
    headers = _headers(data.get("headers"))
    body, headers = without_encoding(_body(data, _style(meta, "request"), blob), headers)
    method = str(data.get("method") or "GET").upper()
    return Request(method, *split_uri(uri), headers=headers, body=body)


def _reply(data: dict[str, Any], meta: dict[str, Any], blob: Blob | None, framing: tuple[str, ...]) -> Reply:
    status, reason = _status(data)
    content = data if data.keys() & _BODIES else {"body": data.get("content")}
    headers = _headers(data.get("headers"))
    body, headers = without_encoding(_body(content, _style(meta, "response"), blob), headers)
    headers = tuple(pair for pair in headers if pair[0] not in framing)
    frames = read_timing(str(meta.get("timing") or ""), body)
    return Reply(status, headers, frames, reason, cut=str(meta.get("cut") or ""))


_BODIES = {"body", "body_type", "parsed_body"}
"""Where a message has its body; what has none of these is of vcrpy's older stubs."""


def _status(data: dict[str, Any]) -> tuple[int, str]:
    status = data.get("status", data.get("status_code"))
    code = status.get("code") if isinstance(status, dict) else status
    reason = status.get("message") if isinstance(status, dict) else ""
    try:
        number = int(code)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = 0
    if not 100 <= number <= 599:
        raise CassetteFormatError(f"its response has no `status` with a `code` between 100 and 599, but {status!r}.")
    return number, str(reason or "")


def _headers(data: Any) -> Headers:
    """Headers as vcrpy stores them, by name, or as a list of pairs."""
    pairs = data.items() if isinstance(data, dict) else data if isinstance(data, list) else ()
    found: list[tuple[str, str]] = []
    for pair in pairs:
        if isinstance(pair, list | tuple) and len(pair) == 2:
            name, values = pair
            found += [(_str(name).lower(), _str(value)) for value in (values if isinstance(values, list) else [values])]
    return tuple(found)


def _str(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _style(meta: dict[str, Any], side: str) -> str:
    styles = meta.get("style")
    return str(styles.get(side, COMPACT)) if isinstance(styles, dict) else COMPACT


def _body(data: dict[str, Any], style: str, blob: Blob | None) -> bytes:
    if cassetter.is_typed(data):
        return cassetter.body_of(data)
    if "parsed_body" in data:
        return _written(data["parsed_body"], style)
    body = data.get("body")
    if isinstance(body, dict):
        body = _content(body, blob)
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode(errors="surrogateescape")


def _written(value: Any, style: str) -> bytes:
    try:
        return in_style(value, style)
    except (KeyError, TypeError, ValueError) as error:
        raise CassetteFormatError(f"its `parsed_body` is not a JSON value in a known style: {error}.") from None


def _content(body: dict[str, Any], blob: Blob | None) -> Any:
    if "blob" in body:
        return _blob(str(body["blob"]), blob)
    if "base64_string" in body:
        try:
            return base64.b64decode(body["base64_string"])
        except (binascii.Error, TypeError, ValueError) as error:
            raise CassetteFormatError(f"its `base64_string` is not Base64: {error}.") from None
    return body.get("string")


def _blob(name: str, blob: Blob | None) -> bytes:
    if blob is None:
        raise CassetteFormatError(f"its body is kept in a file of its own, {name}, which cannot be reached from here.")
    return blob(name)


def _dict(data: Any, what: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise CassetteFormatError(f"its {what} is {_kind(data)}, not a mapping.")
    return data


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", str: "a text", type(None): "nothing"}.get(
        type(value), f"a {type(value).__name__}"
    )
