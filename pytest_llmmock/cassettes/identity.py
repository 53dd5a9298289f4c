"""Who asked, as a provider tells it in its answer: users, accounts and organisations, by the names of the fields.

Only where a provider says it of its answer as a whole: what stands deeper is what a model said, such as a tool's
arguments, and what the client said itself is no secret of its account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..core.model import Request
from .draft import Draft, Edit
from .key_formats import PLACEHOLDER
from .leaves import Leaf
from .scrubber import texts_of

_NAMES = {
    "account_id": "account",
    "account_user_id": "account",
    "chatgpt_account_id": "account",
    "chatgpt_user_id": "user",
    "email": "email@example.com",
    "installation_id": "installation",
    "org_id": "organization",
    "organization": "organization",
    "organization_id": "organization",
    "project_id": "project",
    "safety_identifier": "user",
    "session_id": "session",
    "user": "user",
    "user_email": "email@example.com",
    "user_id": "user",
}
"""Field -> what stands there instead, behind `redacted-`."""

_ANY = re.compile(rb'"(?:' + "|".join(_NAMES).encode() + rb')"\s*:\s*"')

_AROUND = ((), ("response",), ("error",), ("message",))
"""What of an answer a provider says of it as a whole."""


def without_asker(draft: Draft, content_type: str, request: Request) -> None:
    """Take out of a reply's body who asked, unless the request says the same."""
    if _ANY.search(draft.body):
        draft.apply(_edits(draft.body, content_type, request.body))


def _edits(body: bytes, content_type: str, asked: bytes) -> Iterator[Edit]:
    for leaf in texts_of(body, content_type):
        name = leaf.steps[-1] if leaf.steps else ""
        if isinstance(name, str) and name in _NAMES and leaf.steps[:-1] in _AROUND and leaf.quoted:
            instead = _instead(name, leaf, body, asked)
            if instead:
                yield leaf.start, leaf.end, leaf.written(instead, body)


def _instead(name: str, leaf: Leaf, body: bytes, asked: bytes) -> str:
    """'' where it may stay."""
    try:
        text = leaf.read(body)
    except ValueError:
        return ""
    said = text.encode(errors="surrogatepass") in asked
    return "" if not text or said or text.startswith(PLACEHOLDER) else PLACEHOLDER + _NAMES[name]
