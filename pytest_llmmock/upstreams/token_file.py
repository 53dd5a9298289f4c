"""A login as the Codex CLI, ChatMock and GPTMock store it: one JSON file, which its owner reads and writes too.

No token is ever shown: not by `repr`, not in an error, not among the values that a traceback shows.
"""

from __future__ import annotations

import json
import os
import re
import stat
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import files
from ..errors import UsageError

OPENAI = "https://api.openai.com/auth"
"""The claim below which OpenAI says whose a token is."""


_LATEST = 1e11
"""What is later is no number of seconds since 1970."""

_IN_HEADERS = re.compile(r"[!-~]+")
"""What may stand in a header as one word."""


@dataclass(frozen=True)
class Tokens:
    """What a login consists of."""

    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    id: str = field(default="", repr=False)
    account: str = field(default="", repr=False)

    @cached_property
    def expires(self) -> float | None:
        """When the access token ends, in seconds since 1970; None when it does not say."""
        moment = claims(self.access).get("exp")
        if not isinstance(moment, int | float) or isinstance(moment, bool):
            return None
        return float(moment) if 0 <= moment < _LATEST else None

    @cached_property
    def plan(self) -> str:
        """`plus`, `pro` …; '' when it is not known."""
        return self._said("chatgpt_plan_type")

    @cached_property
    def account_id(self) -> str:
        """The account that pays; '' when it is not known."""
        known = self.account or self._said("chatgpt_account_id")
        return known if _IN_HEADERS.fullmatch(known) else ""

    def _said(self, name: str) -> str:
        told = (_namespace(token).get(name) for token in (self.id, self.access))
        return next((value for value in told if isinstance(value, str) and value), "")


def claims(token: str) -> dict[str, Any]:
    """What a JWT says. It is read and not verified: it came from its owner's file, and decides nothing."""
    payload = [*token.split("."), "", ""][1]
    try:
        value = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _namespace(token: str) -> dict[str, Any]:
    found = claims(token).get(OPENAI)
    return found if isinstance(found, dict) else {}


class Document(dict[str, Any]):
    """JSON that holds tokens. A traceback that shows local values shows none of them."""

    @classmethod
    def of(cls, value: object) -> Document:
        return cls(value if isinstance(value, dict) else {})

    def text(self, name: str) -> str:
        found = self.get(name)
        return found if isinstance(found, str) else ""

    def __repr__(self) -> str:
        return f"<a login with {', '.join(self)}>"


def read(path: Path) -> Tokens:
    """The tokens in a file. Raises `UsageError` where there are none."""
    document = _document(path)
    tokens = Document.of(document.get("tokens"))
    if not tokens.text("access_token"):
        raise UsageError(_WITH_KEY if document.text("OPENAI_API_KEY") else "holds no login")
    if not _IN_HEADERS.fullmatch(tokens.text("access_token")):
        raise UsageError("holds an access token that is broken: there are characters in it that none has")
    names = ("access_token", "refresh_token", "id_token", "account_id")
    return Tokens(*map(tokens.text, names))


ABSENT = "is not there"
_WITH_KEY = "holds an API key and no login with ChatGPT; a key is for the upstream 'openai'"


def _document(path: Path) -> Document:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(ABSENT) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UsageError("is not JSON") from None
    if not isinstance(value, dict):
        raise UsageError("holds no login")
    return Document(value)


def why_read_only(path: Path) -> str:
    """Why a file may not be replaced; '' when it may. What is not ours to write stays as it is, also for root."""
    target = Path(os.path.realpath(path))
    for place, called in ((target, "it"), (target.parent, "its folder")):
        try:
            found = place.stat()
        except OSError as error:
            return f"{called} cannot be looked at: {error.strerror or error}"
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            return f"{called} belongs to another user"
        if not (found.st_mode & stat.S_IWUSR and os.access(place, os.W_OK)):
            return f"{called} is read-only"
    return ""


def write(path: Path, tokens: Tokens, when: str) -> None:
    """Put renewed tokens into their file; all else in it, and its rights, stay. Raises `OSError`, `UsageError`."""
    document = _document(path)
    fresh = Document(id_token=tokens.id, access_token=tokens.access, refresh_token=tokens.refresh)
    before = Document.of(document.get("tokens"))
    document["tokens"] = Document({**before, **{name: token for name, token in fresh.items() if token}})
    document["last_refresh"] = when
    mode = stat.S_IMODE(path.stat().st_mode)
    files.write(path, json.dumps(document, indent=2, ensure_ascii=False).encode(errors="surrogatepass"), mode=mode)
