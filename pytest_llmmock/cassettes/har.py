"""HAR 1.2, what browsers and proxies save of their traffic: http://www.softwareishard.com/blog/har-12-spec/."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from ..core.model import Frame, Headers, Reply, Request
from ..errors import CassetteFormatError
from .cassette import Recorded
from .dates import recorded_when
from .format import Wanted, split_uri

NAME = "HAR"
"""What a cassette says of where such a recording is from."""

_FORM = "application/x-www-form-urlencoded"

_FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive", "content-encoding")
"""Headers about how the bytes travelled. Bodies stand in a HAR as they were before."""


def is_one(document: Any) -> bool:
    """Whether a document is a HAR."""
    log = document.get("log") if isinstance(document, dict) else None
    return isinstance(log, dict) and isinstance(log.get("entries"), list)


def entries(document: Any, wanted: Wanted | None = None) -> list[Any]:
    """What was asked and answered, in the order of asking: it may stand there in any.

    Without requests that never had an answer, and those that left no HTTP. What is not wanted is not looked at: of a
    picture or an upload the content is often missing.
    """
    found = [entry for entry in document["log"]["entries"] if _is_answered(entry) and not _is_of_browser(entry)]
    return _in_order([entry for entry in found if wanted is None or wanted(*_asked(entry))])


def _in_order(found: list[Any]) -> list[Any]:
    """As they stand there where it is not known of each when it was asked."""
    times = [recorded_when(entry.get("startedDateTime") if isinstance(entry, dict) else None) for entry in found]
    if not all(times):
        return found
    places = sorted(range(len(found)), key=lambda place: times[place]["recorded"])
    return [found[place] for place in places]


def _is_answered(entry: Any) -> bool:
    """A status of 0 is what browsers write of a request that was blocked or given up."""
    return bool(_status(entry) != 0)


def _is_of_browser(entry: Any) -> bool:
    """Whether a browser asks for itself: if a page may ask, or to talk in another protocol."""
    return _asked(entry)[0] == "OPTIONS" or bool(_status(entry) == 101)


def _status(entry: Any) -> Any:
    response = entry.get("response") if isinstance(entry, dict) else None
    return response.get("status") if isinstance(response, dict) else None


def _asked(entry: Any) -> tuple[str, str]:
    """Method and address, as far as they are there."""
    request = entry.get("request") if isinstance(entry, dict) else None
    data = request if isinstance(request, dict) else {}
    return str(data.get("method") or "GET").upper(), str(data.get("url") or "")


def recorded(entry: Any) -> Recorded:
    """One interaction. Raises `CassetteFormatError`."""
    request, response = _part(entry, "request"), _part(entry, "response")
    meta = {**recorded_when(entry.get("startedDateTime")), "imported": NAME}
    return Recorded(_request(request), _reply(response, request, _waited(entry)), meta)


def _part(entry: Any, name: str) -> dict[str, Any]:
    part = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(part, dict):
        raise CassetteFormatError(f"it has no `{name}`.")
    return part


def _request(data: dict[str, Any]) -> Request:
    url, method = data.get("url"), str(data.get("method") or "GET").upper()
    if not isinstance(url, str) or not url:
        raise CassetteFormatError("its request has no `url`.")
    body = _posted(data.get("postData"))
    return Request(method, *split_uri(url), headers=_headers(data), body=body)


def _posted(data: Any) -> bytes:
    if not isinstance(data, dict):
        return b""
    if data.get("text"):
        return _bytes(data, "request's `postData`")
    params = data.get("params") or []
    if not params:
        return b""
    if str(data.get("mimeType", "")).partition(";")[0] != _FORM:
        raise CassetteFormatError(
            "its request has a form in parts, whose bytes are not in the file: `postData` has `params` and no `text`."
        )
    return urlencode([(str(each.get("name", "")), str(each.get("value", ""))) for each in params]).encode()


def _waited(entry: dict[str, Any]) -> float:
    """Seconds to the first byte; 0 where nobody says."""
    timings = entry.get("timings")
    wait = timings.get("wait") if isinstance(timings, dict) else None
    return wait / 1000 if isinstance(wait, int | float) and wait > 0 else 0.0


def _reply(data: dict[str, Any], request: dict[str, Any], waited: float) -> Reply:
    status = data.get("status")
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise CassetteFormatError(f"its response has no `status` between 100 and 599, but {status!r}.")
    body = _content(data, request)
    return Reply(status, _headers(data), [Frame(body, waited)] if body else [], str(data.get("statusText") or ""))


def _content(data: dict[str, Any], request: dict[str, Any]) -> bytes:
    content = data.get("content")
    content = content if isinstance(content, dict) else {}
    if content.get("text") is not None:
        return _bytes(content, "response's `content`")
    if isinstance(content.get("size"), int) and content["size"] > 0 and request.get("method") != "HEAD":
        raise CassetteFormatError(
            f"the {content['size']} bytes of its response are not in the file: save the HAR with its content. "
            "(Browsers leave out what they have dropped already, and many leave out streams.)"
        )
    return b""


def _bytes(data: dict[str, Any], what: str) -> bytes:
    text = str(data["text"])
    if data.get("encoding") != "base64":
        return text.encode(errors="surrogateescape")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise CassetteFormatError(f"its {what} is not Base64: {error}.") from None


def _headers(data: dict[str, Any]) -> Headers:
    """Those of HTTP: `:authority` and the like are HTTP/2's way to say the request line."""
    pairs = data.get("headers")
    given = [each for each in pairs if isinstance(each, dict)] if isinstance(pairs, list) else []
    named = [(str(each.get("name", "")).lower(), str(each.get("value", ""))) for each in given]
    return tuple((name, value) for name, value in named if name and name[0] != ":" and name not in _FRAMING)
