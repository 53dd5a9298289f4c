"""Pictures that a scripted answer tells the address of: they hang where the address says."""

from __future__ import annotations

import threading
from base64 import b64decode
from binascii import Error
from collections import OrderedDict
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ..core.json_text import compact
from ..core.model import Exchange, Frame, Reply, frames_of

PATH = "/v1/generated/"
"""Below this path pictures hang."""

_MOST = 256
"""Pictures that hang at the same time: a server may run for days."""

_MARK = b'"url":"data:image/'


class Gallery:
    """A source of pictures. `hang` gives each picture of an answer its address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def answer(self, exchange: Exchange) -> Reply | None:
        """The picture that hangs at the address, or None."""
        if exchange.operation != "generated":
            return None
        with self._lock:
            found = self._pictures.get(exchange.request.path.rpartition("/")[2])
        if found is None:
            return None
        return Reply(200, (("content-type", found[0]),), [Frame(found[1])], source="script")

    def hang(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply, in which no address is a data URL any more."""
        if reply.source != "script" or not exchange.operation.startswith("images") or _MARK not in reply.body:
            return reply
        body = reply.json()
        for image in body["data"]:
            image["url"] = self._address(exchange, image.get("url"))
        return replace(reply, frames=frames_of(compact(body).encode()))

    def _address(self, exchange: Exchange, url: Any) -> Any:
        found = _content(url)
        if found is None:
            return url
        kind, content = found
        name = f"{sha256(content).hexdigest()[:32]}.{kind.partition('/')[2]}"
        with self._lock:
            self._pictures[name] = found
            while len(self._pictures) > _MOST:
                self._pictures.popitem(last=False)
        return f"{exchange.request.base or exchange.request.origin}{PATH}{name}"


def _content(url: Any) -> tuple[str, bytes] | None:
    """Media type and content of a data URL that holds a picture."""
    head, _, packed = url.partition(",") if isinstance(url, str) else ("", "", "")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        return None
    try:
        return head.removeprefix("data:").removesuffix(";base64"), b64decode(packed)
    except (Error, ValueError):
        return None
