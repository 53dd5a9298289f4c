"""The user's own credential, planted anywhere in an exchange, is in no file that is written.

`LLMMOCK_PLANTED=10000` makes as many exchanges.
"""

from __future__ import annotations

import base64
import json
import os
import string
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.findings import findings
from pytest_llmmock.cassettes.leaves import leaves
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.recorder import Recorder
from pytest_llmmock.cassettes.recordings import Recordings
from pytest_llmmock.cassettes.scrub import scrub
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request, Send

EXAMPLES = int(os.environ.get("LLMMOCK_PLANTED", "0")) or settings().max_examples

_LETTERS = st.sampled_from(string.ascii_letters + string.digits)


def _random(size: int, alphabet: str = string.ascii_letters + string.digits) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(alphabet), min_size=size, max_size=size)


def _jwt(parts: tuple[str, str]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part({'sub': parts[0], 'email': parts[1] + '@firm.example'})}.{parts[0] * 2}"


CREDENTIAL_OF_NOBODY = _jwt(("", ""))

_ODD = string.ascii_letters + string.digits + "+/=%&?#\"'\\ ~:;<>{}[]éß€😀"

CREDENTIALS = {
    "openai": _random(60).map("sk-proj-{}".format),
    "old openai": _random(48).map("sk-{}".format),
    "anthropic": _random(80, string.ascii_letters + string.digits + "-_").map("sk-ant-api03-{}AA".format),
    "google": _random(35).map("AIza{}".format),
    "no format": _random(24).filter(lambda value: any(map(str.isdigit, value)) and not value.isdigit()),
    "hexadecimal": _random(32, string.hexdigits.lower()).filter(lambda value: not value.isdigit()),
    "a password": st.text(st.sampled_from(_ODD), min_size=8, max_size=20).map(lambda value: f"p4x9k{value.strip()}W0"),
    "jwt": st.tuples(_random(30), _random(12)).map(_jwt),
}


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": _json,
    "in JSON in JSON": lambda value: _json(json.dumps({"value": value})),
    "percent-encoded": lambda value: quote(value, safe=""),
    "as a form": quote_plus,
    "in Base64": lambda value: base64.b64encode(f"user:{value}!".encode()).decode(),
    "in Base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
}

PLACES = [
    *("path", "query", "body", "key", "nested", "file name", "header"),
    *("reply", "reply key", "error", "pieces", "reason", "reply header", "header name", "meta"),
]
KINDS = ["chat", "responses", "anthropic", "ollama", "text events", "plain", "multipart", "binary", "embeddings"]


@dataclass(frozen=True)
class Plan:
    """An exchange but for the credential in it."""

    kind: str
    places: frozenset[str]
    form: str
    before: str
    after: str
    cuts: Sequence[int]
    chunks: Sequence[int]
    header: str

    def said(self, place: str, value: str, *, form: str | None = None) -> str:
        """What is said in a place, with the credential if it is planted there."""
        planted = FORMS[form or self.form](value) if place in self.places else ""
        return f"{self.before}{planted}{self.after}"


WORDS = st.text(st.sampled_from(' abcXYZ01.,:;!?-_\n"\\é/'), max_size=8)
PLANS = st.builds(
    Plan,
    kind=st.sampled_from(KINDS),
    places=st.frozensets(st.sampled_from(PLACES), min_size=1, max_size=4),
    form=st.sampled_from(list(FORMS)),
    before=WORDS,
    after=WORDS,
    cuts=st.lists(st.integers(1, 40), max_size=12),
    chunks=st.lists(st.integers(1, 300), max_size=12),
    header=st.sampled_from(["authorization", "x-api-key", "api-key", "basic", "environment"]),
)
PAIRS = st.sampled_from(list(CREDENTIALS)).flatmap(lambda name: st.tuples(CREDENTIALS[name], CREDENTIALS[name]))


def cut(text: bytes, sizes: Sequence[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(text[start : start + size])
        start += size
    return [piece for piece in [*pieces, text[start:]] if piece]


def cut_text(text: str, sizes: Sequence[int]) -> list[str]:
    return [piece.decode("utf-32") for piece in cut(text.encode("utf-32-le"), [4 * size for size in sizes])]


# --- the exchange ---------------------------------------------------------------------------------------


def request_of(plan: Plan, value: str) -> Request:
    path = "/v1/chat/completions" + (f"/{quote(plan.said('path', value), safe='')}" if "path" in plan.places else "")
    query = f"note={quote_plus(plan.said('query', value))}" if "query" in plan.places else ""
    content_type, body = _form(plan, value) if plan.kind == "multipart" else _asked(plan, value)
    headers = [("content-type", content_type), *_credentials(plan, value)]
    if "header" in plan.places:
        headers.append(("anthropic-beta", plan.said("header", value, form="percent-encoded")))
    return Request("POST", "https://api.example.com", path, query, tuple(headers), body)


def _credentials(plan: Plan, value: str) -> list[tuple[str, str]]:
    if plan.header == "basic":
        return [("authorization", "Basic " + base64.b64encode(f"user:{value}".encode()).decode())]
    if plan.header == "environment":
        return []
    return [(plan.header, f"Bearer {value}" if plan.header == "authorization" else value)]


def _asked(plan: Plan, value: str) -> tuple[str, bytes]:
    asked = {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": plan.said("body", value)}],
        plan.said("key", value): 1,
        "tools": [{"arguments": json.dumps({"deep": plan.said("nested", value)})}],
    }
    return "application/json", json.dumps(asked, ensure_ascii=len(plan.cuts) % 2 == 0).encode()


def _form(plan: Plan, value: str) -> tuple[str, bytes]:
    name = plan.said("file name", value, form="percent-encoded").replace('"', "").replace("\n", "")
    head = f'--b0rder\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    content = b"\x89PNG\xff" + plan.said("body", value).encode()
    return "multipart/form-data; boundary=b0rder", head.encode() + content + b"\r\n--b0rder--\r\n"


def reply_of(plan: Plan, value: str) -> Reply:
    content_type, body = _streamed(plan, value) if plan.kind in STREAMS else _whole(plan, value)
    frames = [Frame(chunk, 0.1 * number) for number, chunk in enumerate(cut(body, plan.chunks))]
    headers = [("content-type", content_type)]
    if "reply header" in plan.places:
        headers.append(("x-request-id", plan.said("reply header", value, form="percent-encoded")))
    if "header name" in plan.places:
        headers.append((f"x-ratelimit-{quote(value, safe='')}", "1"))
    reason = " ".join(plan.said("reason", value).split()) if "reason" in plan.places else "OK"
    return Reply(400 if "error" in plan.places else 200, tuple(headers), frames, reason)


def _whole(plan: Plan, value: str) -> tuple[str, bytes]:
    if plan.kind == "plain":
        return "text/plain", plan.said("error", value).encode()
    if plan.kind == "binary":
        return "application/octet-stream", b"\x00\xff" + plan.said("reply", value).encode() + b"\xfe" * 3
    message = f"Incorrect API key provided: {plan.said('error', value)}. See https://h.example/keys."
    answered = {
        "id": "chatcmpl-123",
        plan.said("reply key", value): [plan.said("reply", value)],
        "error": {"message": message, "code": None},
    }
    return "application/json", json.dumps(answered, indent=len(plan.cuts) % 3 or None).encode()


def _chat(text: str) -> object:
    return {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": text}}]}


def _responses(text: str) -> object:
    return {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "delta": text}


def _anthropic(text: str) -> object:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _ollama(text: str) -> object:
    return {"model": "llama3", "message": {"role": "assistant", "content": text}, "done": False}


STREAMS: dict[str, Callable[[str], object]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "ollama": _ollama,
    "text events": str,
}


def _streamed(plan: Plan, value: str) -> tuple[str, bytes]:
    said = plan.said("pieces", value) + "." + plan.said("reply", value)
    pieces = [STREAMS[plan.kind](piece) for piece in cut_text(said, plan.cuts)]
    if plan.kind == "ollama":
        return "application/x-ndjson", b"".join(json.dumps(piece).encode() + b"\n" for piece in pieces)
    if plan.kind == "text events":
        lines = ["".join(piece.split("\n")) for piece in map(str, pieces)]
        return "text/event-stream", "".join(f"data: {line}\n\n" for line in lines if line).encode()
    ascii_only = len(plan.chunks) % 2 == 0
    events = (f"data: {json.dumps(piece, ensure_ascii=ascii_only)}\n\n" for piece in pieces)
    return "text/event-stream; charset=utf-8", ("".join(events) + "data: [DONE]\n\n").encode()


# --- recording it ---------------------------------------------------------------------------------------


@dataclass
class Upstream:
    reply: Reply
    NAME: str
    BASE_URL: str = "https://api.example.com/v1"

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        return self.reply


def no_network(request: Request) -> Reply:
    raise AssertionError("the upstream answers by itself")


def secrets_of(plan: Plan, value: str) -> Secrets:
    return Secrets.of({"THE_API_KEY": value} if plan.header == "environment" else {})


def record(plan: Plan, value: str, folder: Path, read: Callable[[Request], Exchange]) -> tuple[Path, Keys]:
    """The way of a recording: recorder, scrubber, the last look, files."""
    keys, recordings = Keys(secrets=secrets_of(plan, value)), Recordings()
    upstream = Upstream(reply_of(plan, value), plan.said("meta", value) if "meta" in plan.places else "openai")
    Recorder(lambda exchange: upstream, no_network, keys, recordings, errors=True).answer(read(request_of(plan, value)))
    path = folder / "planted.yaml"
    library.save(path, recordings.interactions, signature=keys.signature, describe=str, secrets=keys.secrets)
    return path, keys


def forms(value: str) -> set[bytes]:
    """All ways to write a value that are looked for in the files."""
    raw = value.encode()
    texts = {value, _json(value), json.dumps(value, ensure_ascii=False)[1:-1], quote(value, safe=""), quote(value)}
    texts |= {quote_plus(value), value.replace("'", "''"), _json(_json(value))}
    encoded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    return {text.encode() for text in texts} | encoded | {each.rstrip(b"=") for each in encoded}


def parts_of(value: str) -> set[bytes]:
    """All runs of 12 characters: what is taken out has to go whole."""
    return {value[at : at + 12].encode() for at in range(len(value) - 11)}


def without_credential(plan: Plan, read: Callable[[Request], Exchange]) -> bytes:
    """What the file of such an exchange holds anyway."""
    with tempfile.TemporaryDirectory() as name:
        path, _ = record(replace(plan, places=frozenset(), header="basic"), CREDENTIAL_OF_NOBODY, Path(name), read)
        return path.read_bytes() + CREDENTIAL_OF_NOBODY.encode() + b"0" * 12


def said_by(reply: Reply) -> str:
    """All that a reply says, piece by piece, as a client joins it."""
    if reply.content_type in ("text/plain", "application/octet-stream"):
        return reply.body.decode(errors="replace")
    texts = (leaf.read(reply.body) for event in leaves(reply.body, reply.content_type) for leaf in event)
    return "".join(text for text in texts if text not in MARKS)


MARKS = (
    "chatcmpl-1",
    "msg_1",
    "response.output_text.delta",
    "content_block_delta",
    "text_delta",
    "llama3",
    "assistant",
)


@settings(max_examples=EXAMPLES)
@given(plan=PLANS, pair=PAIRS)
def test_a_planted_credential_is_in_no_file_and_keys_still_match(
    plan: Plan, pair: tuple[str, str], read: Callable[[Request], Exchange]
) -> None:
    mine, theirs = pair
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, keys = record(plan, mine, folder, read)
        written = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
        [stored] = library.open_cassette(path, keys.signature).interactions
        recorded = stored.recorded
    assert not [form for form in forms(mine) if form in written]
    said = said_by(recorded.reply).encode()
    left = [part for part in parts_of(mine) if part in written or part in said] if len(mine) > 20 else []
    assert not left or not [part for part in left if part not in without_credential(plan, read)]
    for form in (mine, _json(mine)):
        assert form not in recorded.request.body.decode(errors="replace")
        assert form not in said.decode()
    assert scrub(recorded, keys.secrets).request == recorded.request
    assert findings(recorded, keys.secrets) == []
    assert stored.key == Keys(secrets=secrets_of(plan, mine)).key(read(request_of(plan, mine)))
    assert stored.key == Keys(secrets=Secrets()).key(read(recorded.request))
    if plan.form not in ("in Base64", "in Base64 for addresses"):
        assert stored.key == Keys(secrets=secrets_of(plan, theirs)).key(read(request_of(plan, theirs)))
