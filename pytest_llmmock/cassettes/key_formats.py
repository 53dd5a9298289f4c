"""What credentials and accounts look like, as their providers publish it, and what stands in a file in their place.

A new format is a line in `FORMATS`. Its pattern matches bytes, has no group that captures, and needs a run of
at least `SHORTEST` characters: what has none is never looked at closer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.late import late
from .words import reads

SHORTEST = 20
"""The characters that the shortest format needs in a row."""

PLACEHOLDER = "redacted-"
"""How everything begins that stands in place of a secret. It holds no digit, so that it is no secret itself."""

SECRET = PLACEHOLDER + "secret"
"""Stands for a value of which is known that it is secret, and not what it is."""

_W = "[A-Za-z0-9_-]"
_A = "[A-Za-z0-9]"
_DIGIT = f"(?={_W}*[0-9])"
"""Told apart from words with hyphens, which have none."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of secret is written."""

    kind: str
    """For people."""
    pattern: str
    name: str = "secret"
    """Behind `redacted-`. All keys and tokens have the same: one developer's recording answers another's request.

    So it does when their keys are of different age, or the one has a key and the other a login.
    """

    like_words: bool = False
    """Whether a name of words can have the same form: then only what cannot be read counts."""

    @property
    def placeholder(self) -> bytes:
        return (PLACEHOLDER + self.name).encode()


FORMATS = (
    Format("Anthropic key", rf"sk-ant-{_W}{{20,}}"),
    Format("OpenRouter key", rf"sk-or-(?:v\d-)?{_A}{{20,}}"),
    Format("OpenAI key", rf"sk-(?:proj|svcacct|admin|service|None)-{_W}{{20,}}"),
    # DeepSeek, DashScope, Moonshot and others write theirs as OpenAI did at first
    Format("API key", rf"sk-{_A}{{20,}}|(?:sk|pk)-{_DIGIT}[A-Za-z]{{2,12}}-{_W}{{24,}}", like_words=True),
    Format("API key, partly hidden", rf"sk-{_W}{{0,40}}\*{{4,}}{_W}*"),
    Format("OpenAI session", rf"sess-{_A}{{40,}}|ek_{_A}{{32,}}"),
    Format("Google key", rf"AIza{_W}{{35}}|AQ\.Ab{_W}{{38,}}"),
    Format("Google token", rf"ya29\.[\w.-]{{20,}}|GOCSPX-{_W}{{28}}|1//0{_W}{{40,}}"),
    Format("xAI key", rf"xai-{_A}{{40,}}"),
    Format("Groq key", rf"gsk_{_A}{{40,}}"),
    Format("Hugging Face token", rf"hf_{_A}{{30,}}|api_org_{_A}{{34}}"),
    Format("Replicate token", rf"r8_{_A}{{37}}"),
    Format("Perplexity key", rf"pplx-{_A}{{40,}}"),
    Format("Fireworks key", rf"fw_{_DIGIT}{_A}{{20,}}", like_words=True),
    Format("Cerebras key", rf"csk-{_A}{{40,}}"),
    Format("NVIDIA key", rf"nvapi-{_W}{{40,}}"),
    Format("Together key", rf"tgp_v\d_{_W}{{40,}}"),
    Format("Tavily key", rf"tvly-{_DIGIT}{_W}{{20,}}", like_words=True),
    Format("Voyage key", rf"pa-{_DIGIT}{_W}{{43}}(?!{_W})", like_words=True),
    Format("Jina key", rf"jina_{_DIGIT}{_W}{{40,}}", like_words=True),
    Format("Pinecone key", rf"pcsk_{_W}{{40,}}"),
    Format("ElevenLabs key", r"sk_[0-9a-f]{48}"),
    Format("LangSmith key", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    Format("AWS key", rf"(?:AKIA|ASIA)[A-Z0-9]{{16}}(?!{_A})|ABSK[A-Za-z0-9+/]{{80,}}={{0,2}}"),
    Format("Azure key", rf"{_A}{{52}}JQQJ9{_A}{{27}}"),
    Format("Databricks token", r"dapi[0-9a-f]{32}"),
    Format("GitHub token", rf"gh[pousr]_{_A}{{36,}}|github_pat_[A-Za-z0-9_]{{50,}}"),
    Format("GitLab token", rf"glpat-{_W}{{20,}}"),
    Format("Slack token", r"(?:xox[abeoprs]|xapp)-(?=\d)[A-Za-z0-9-]{20,}"),
    Format("Stripe key", rf"(?:sk|rk|pk)_(?:live|test)_{_A}{{16,}}|whsec_{_A}{{24,}}"),
    Format("npm token", rf"npm_{_A}{{36}}"),
    Format("PyPI token", rf"pypi-AgE{_W}{{50,}}"),
    Format("SendGrid key", rf"SG\.{_W}{{22}}\.{_W}{{43}}"),
    Format("DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}"),
    Format("JWT", rf"eyJ{_W}{{10,}}(?:\.eyJ{_W}{{10,}}(?:\.{_W}+)?|(?:\.{_W}+|\.(?=\.)){{2,4}})"),  # signed; encrypted
    Format(
        "organisation", rf"org-(?=[a-z]*[A-Z0-9]){_A}{{20,28}}(?!{_W})|org_[0-9a-z]{{26}}(?!{_W})", "organization", True
    ),
    Format("project", rf"proj_(?=[a-z]*[A-Z0-9]){_A}{{20,28}}(?!{_W})", "project", True),
    Format(
        "user",
        rf"user-(?=[a-z]*[A-Z0-9]){_A}{{20,28}}(?!{_W})"
        r"|user_[0-9a-f]{64}(?:_account_[0-9a-f-]*)?(?:_session_[0-9a-f-]+)?",
        "user",
        like_words=True,
    ),
)

_BORDER = rb"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2}))"
"""In front of a secret stands no letter, unless it is one of an escape."""

FORMAT = late(_BORDER + b"(?:" + b"|".join(b"(%b)" % each.pattern.encode() for each in FORMATS) + b")")
"""The number of the group that matched, less one, is the number of the format."""

PLAIN_MARKS = (b"AIza", b"AKIA", b"ASIA", b"ABSK", b"JQQJ9", b"dapi")
"""What the formats hold that may stand in Base64."""

MARKS = tuple(
    b"""
    sk- pk- sess- ek_ AQ. ya29. GOCSPX- 1//0 xai- gsk_ hf_ api_org_ r8_ pplx- fw_ nvapi- tgp_v tvly- pa- jina_ csk_ sk_
    lsv2_ ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox xapp- rk_ pk_ whsec_ npm_ pypi- SG. _v1_ eyJ org- org_ proj_
    user- user_
    """.split()
)
"""What the other formats hold. Looking for them takes a tenth of the time that looking for the formats does."""

_BREAKS = (b"-", b"_", b".")
_LONG = 2000
_ANY_MARK = late(b"|".join(map(re.escape, (*PLAIN_MARKS, *MARKS))))


def may_hold_format(row: bytes) -> bool:
    """Whether a row of characters may hold something in one of the formats: false is sure, true is not."""
    if len(row) < _LONG:
        return _ANY_MARK.search(row) is not None
    marks = (*PLAIN_MARKS, *MARKS) if any(each in row for each in _BREAKS) else PLAIN_MARKS
    return any(mark in row for mark in marks)  # slow to begin, and fast on a picture


_ROW_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/=.*%"

IN_A_ROW = bytes(ord("x") if code in _ROW_CHARACTERS else ord(" ") for code in range(256))
"""Makes the characters of which secrets consist one and the same, to find rows of them fast."""


def formats_in(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, Format]]:
    """From where to where which formats stand in a part of the data."""
    for found in FORMAT.finditer(data, start, end):
        known = _counted(found)
        if known:
            yield *found.span(), known


def format_of(value: bytes) -> Format | None:
    """The format that a value has as a whole."""
    found = FORMAT.fullmatch(value)
    return _counted(found) if found else None


def _counted(found: re.Match[bytes]) -> Format | None:
    known = FORMATS[(found.lastindex or 0) - 1]
    return None if known.like_words and reads(found.group().decode(), digits=40) else known
