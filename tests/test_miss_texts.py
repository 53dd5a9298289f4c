"""What people read when no recording answers: whole texts, one for every reason and every kind of difference.

They are kept in `tests/snapshots`. After a wanted change they are written anew, and the diff is for review:
`LLMMOCK_SNAPSHOTS=renew python -m pytest tests/test_miss_texts.py`
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.advice import Advice
from pytest_llmmock.cassettes.cassette import Cassette, Interaction, Recorded
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.mismatch import explain
from pytest_llmmock.cassettes.player import Player
from pytest_llmmock.core.model import Reply, Request, frames_of, json_reply

SNAPSHOTS = Path(__file__).parent / "snapshots"
ADVICE = Advice(
    record='pytest --llm-record "tests/test_plan.py::test_plan"',
    ignore="@pytest.mark.llm_cassette(ignore=[{paths}])",
    normalise="@pytest.mark.llm_cassette(normalisers=[{names}])",
    repeat="@pytest.mark.llm_cassette(repeat=True)",
)
JSON = (("content-type", "application/json"),)

LINES, COLUMNS = 40, 120
"""A screenful."""


def chat(*words: str, path: str = "/v1/chat/completions", method: str = "POST", **fields: Any) -> Request:
    messages = [{"role": "user", "content": each} for each in words]
    body = json.dumps({"model": "gpt-5", "messages": messages, **fields})
    return Request(method, "https://api.openai.com", path, headers=JSON, body=body.encode())


def responses(words: Any, **fields: Any) -> Request:
    body = json.dumps({"model": "gpt-5", "input": words, **fields})
    return Request("POST", "https://api.openai.com", "/v1/responses", headers=JSON, body=body.encode())


def tape(*requests: Request, name: str = "cassettes/test_plan.yaml", exists: bool = True) -> Cassette:
    recorded = [Interaction.of(Recorded(each, json_reply({}))) for each in requests]
    return Cassette(Path(name), recorded, exists=exists)


def cut_off(request: Request) -> Cassette:
    """A recording of a stream that has no end."""
    reply = Reply(200, (("content-type", "text/event-stream"),), frames_of(b'data: {"choices":[]}\n\n'))
    return Cassette(Path("cassettes/test_plan.yaml"), [Interaction.of(Recorded(request, reply))], exists=True)


def told(asked: Request, *cassettes: Cassette, played: Sequence[Request] = (), mode: str = "none") -> str:
    player = Player(cassettes, Keys(), dialects.read)
    for request in played:
        assert player.answer(dialects.read(request)) is not None
    return explain(dialects.read(asked), player, dialects.read, mode, ADVICE)


def is_a_screenful(text: str) -> bool:
    lines = text.splitlines()
    return len(lines) <= LINES and all(len(line) <= COLUMNS for line in lines if not line.startswith("  * "))


ROME, PARIS = chat("Plan a day in Rome"), chat("Plan a day in Paris")
PROMPT = (
    "You are a travel agent. Plan the day hour by hour, name the sights, say how to get from one to the next, and"
    " keep an eye on opening hours. The traveller likes {taste} and does not like to get up before {hour}.\n\n"
    "Answer in {form}."
)


def image(pixels: bytes) -> list[dict[str, Any]]:
    url = "data:image/png;base64," + base64.b64encode(pixels).decode()
    return [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]


def seeing(pixels: bytes) -> Request:
    return chat(messages=[{"role": "user", "content": image(pixels)}])


def with_tool(**properties: Any) -> Request:
    function = {"name": "get_weather", "parameters": {"type": "object", "properties": properties}}
    return chat("Is it warm?", tools=[{"type": "function", "function": function}])


def traced(trace: str, day: str, folder: str) -> Request:
    return chat(f"Read {folder}/notes.txt", metadata={"trace": trace, "day": day})


CASES: dict[str, dict[str, Any]] = {
    "no cassette": {"asked": ROME, "tapes": [tape(exists=False)]},
    "empty cassette": {"asked": ROME, "tapes": [tape()]},
    "nothing similar": {
        "asked": ROME,
        "tapes": [tape(chat("Translate to Latin: the die is cast", "Why?", model="gpt-4.1", temperature=0.2, seed=7))],
    },
    "close": {"asked": PARIS, "tapes": [tape(ROME, chat("Hello"))]},
    "played already": {"asked": ROME, "tapes": [tape(ROME, ROME)], "played": [ROME, ROME]},
    "close but played": {"asked": PARIS, "tapes": [tape(ROME)], "played": [ROME]},
    "another operation": {"asked": chat("Plan a day in Rome"), "tapes": [tape(responses("Plan a day in Rome"))]},
    "another method": {
        "asked": Request("GET", "https://api.openai.com", "/v1/responses/resp_1"),
        "tapes": [tape(Request("DELETE", "https://api.openai.com", "/v1/responses/resp_1"))],
    },
    "not streamed": {"asked": chat("Plan a day in Rome", stream=True), "tapes": [tape(ROME)]},
    "streamed": {"asked": ROME, "tapes": [tape(PARIS, chat("Plan a day in Rome", stream=True))]},
    "stream that breaks off": {"asked": ROME, "tapes": [cut_off(chat("Plan a day in Rome", stream=True))]},
    "mode once": {"asked": PARIS, "tapes": [tape(ROME)], "mode": "once"},
    "several cassettes": {"asked": PARIS, "tapes": [tape(ROME, name=f"cassettes/{name}.yaml") for name in "ab"]},
    "long text": {
        "asked": chat(PROMPT.format(taste="modern art", hour="ten", form="Markdown")),
        "tapes": [tape(chat(PROMPT.format(taste="old churches", hour="nine", form="Markdown")))],
    },
    "secret of another machine": {
        "asked": chat("Log in as jo with hunter2hunter2, please."),
        "tapes": [tape(chat("Log in as jo with redacted-secret, please."))],
    },
    "image": {"asked": seeing(b"\x89PNG" * 700), "tapes": [tape(seeing(b"\x89PNG" * 900))]},
    "tool schema": {
        "asked": with_tool(city={"type": "string", "enum": ["Rome", "Paris"]}, unit={"type": "string"}),
        "tapes": [tape(with_tool(city={"type": "string"}, day={"type": "string"}))],
    },
    "message put in": {"asked": chat("Hi", "Be brief.", "Rome?", "Bye"), "tapes": [tape(chat("Hi", "Rome?", "Bye"))]},
    "message left out": {"asked": chat("Hi", "Bye"), "tapes": [tape(chat("Hi", "Rome?", "Bye"))]},
    "changes on every run": {
        "asked": traced("00000000-1111-2222-3333-444444444444", "2026-11-21", "/tmp/pytest-of-me/pytest-8"),
        "tapes": [tape(traced("3f2b8c1e-0b1d-4c7e-9f3a-2d1e5a6b7c8d", "2026-11-20", "/tmp/pytest-of-me/pytest-7"))],
    },
    "white space and types": {
        "asked": chat("Plan a day\nin Rome", seed=1, user="naïve"),
        "tapes": [tape(chat("Plan a day in Rome", seed="1", user="nai\u0308ve"))],
    },
    "many differences": {
        "asked": chat("Plan a day in Rome", **{f"option_{n}": n for n in range(40)}),
        "tapes": [tape(chat("Plan a day in Rome", **{f"option_{n}": -n for n in range(40)}))],
    },
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_as_it_was_reviewed(name: str) -> None:
    case = dict(CASES[name])
    text = told(case.pop("asked"), *case.pop("tapes"), **case) + "\n"
    path = SNAPSHOTS / f"miss, {name}.txt"
    if os.environ.get("LLMMOCK_SNAPSHOTS") == "renew":
        path.write_text(text, encoding="utf-8")
        pytest.skip(f"{path} was written anew")
    assert text == path.read_text(encoding="utf-8")
    assert is_a_screenful(text)


def test_every_snapshot_is_used() -> None:
    assert {path.name for path in SNAPSHOTS.glob("miss, *.txt")} == {f"miss, {name}.txt" for name in CASES}


def test_the_reason_is_another_one_in_every_case() -> None:
    firsts = [(SNAPSHOTS / f"miss, {name}.txt").read_text().partition("\n")[0] for name in list(CASES)[:11]]
    assert len(set(firsts)) == len(firsts) - 1  # a close recording is close, whether it was played or not


WORDS = [f"word{number % 997}" for number in range(60_000)]


@pytest.mark.parametrize(
    ("recorded", "asked"),
    [
        (" ".join(WORDS), " ".join([*WORDS[:30_000], "changed", *WORDS[30_001:]])),
        (" ".join(WORDS), " ".join(reversed(WORDS))),
        ("a " * 60_000, "a " * 59_999),
        ("x" * 400_000, "x" * 399_999 + "y"),
        (WORDS, [*WORDS[:100], "changed", *WORDS[200:]]),
        ([float(number) for number in range(20_000)], [float(number) for number in range(1, 20_001)]),
    ],
    ids=["one word", "all words", "one word less", "one long word", "a long list", "a vector"],
)
def test_huge_prompts_are_told_on_a_screen_and_at_once(recorded: Any, asked: Any) -> None:
    began = time.process_time()
    text = told(responses(asked), tape(responses(recorded)))
    assert is_a_screenful(text), text[:10_000]
    assert time.process_time() - began < 10


def test_a_thousand_cassettes_are_told_on_a_screen_and_at_once() -> None:
    tapes = [tape(chat(f"Plan day {number} in Rome"), name=f"{number}.yaml") for number in range(1000)]
    began = time.process_time()
    text = told(chat("Plan day 723 in Paris"), *tapes)
    assert is_a_screenful(text)
    assert text.count("Cassette: ") == 1
    assert "Looked through 999 other cassettes without it." in text
    assert time.process_time() - began < 10


def test_the_nearest_of_many_recordings_is_listed_with_the_first() -> None:
    text = told(
        chat("Plan day 57 in Paris"),
        tape(*(chat("Plan day", str(number), "in Rome") for number in range(90)), chat("Plan day 57 in Rome")),
    )
    assert '  #91  chat gpt-5  "Plan day 57 in Rome"' in text
    assert "  and 86 more" in text
    assert "Closest recording (#91) differs in messages:" in text
