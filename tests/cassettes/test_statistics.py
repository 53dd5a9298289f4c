from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Cassette, Interaction, Recorded
from pytest_llmmock.cassettes.library import open_cassette, save
from pytest_llmmock.cassettes.statistics import Statistics, Tokens, measure
from pytest_llmmock.core.model import Request, json_reply
from pytest_llmmock.core.prompt import Usage

Chat = Callable[..., Request]

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


def recording(request: Request, usage: object = None, **meta: str) -> Interaction:
    return Interaction.of(Recorded(request, json_reply({"choices": [], "usage": usage}), meta))


def counted(cassettes: list[Cassette]) -> Statistics:
    errors: list[object] = []
    found = measure(cassettes, dialects.read, errors.append)
    assert not errors
    return found


@pytest.fixture
def cassette(tmp_path: Path, chat: Chat) -> Cassette:
    interactions = [
        recording(chat("a"), USAGE, recorded="2026-01-02T00:00:00Z", upstream="openai"),
        recording(chat("b", stream=True), USAGE, recorded="2026-03-04T00:00:00Z", upstream="openai"),
        recording(chat("c", model="gpt-4"), recorded="2026-02-03T00:00:00Z"),
        recording(Request("GET", "https://h", "/v1/models")),
    ]
    save(tmp_path / "a.yaml", interactions)
    return open_cassette(tmp_path / "a.yaml")


def test_tokens_are_added_up_by_model_and_in_all(cassette: Cassette) -> None:
    found = counted([cassette])
    assert found.models["gpt-5"].tokens == Tokens(input=20, output=10, total=30, cached=8, reasoning=6)
    assert found.total.tokens == found.models["gpt-5"].tokens
    assert {name: count.interactions for name, count in found.models.items()} == {"gpt-5": 2, "gpt-4": 1, "": 1}
    assert (found.total.interactions, found.total.streamed, found.total.uncounted) == (4, 1, 2)


def test_what_providers_leave_out_is_added_up_from_the_parts() -> None:
    tokens = Tokens()
    tokens.add(Usage(input=3, output=4))
    tokens.add(Usage(input=10, total=0))
    assert tokens == Tokens(input=13, output=4, total=17)


def test_operations_upstreams_and_times_are_counted(cassette: Cassette) -> None:
    found = counted([cassette])
    assert found.operations == {"chat": 3, "models": 1}
    assert found.upstreams == {"openai": 2, "": 2}
    assert (found.oldest[:10], found.newest[:10]) == ("2026-01-02", "2026-03-04")


def test_files_are_measured_and_the_biggest_named(tmp_path: Path, cassette: Cassette) -> None:
    save(tmp_path / "empty.yaml", [])
    found = counted([open_cassette(tmp_path / "empty.yaml"), cassette])
    size = (tmp_path / "a.yaml").stat().st_size
    assert found.biggest(1) == [(size, cassette.path)]
    assert (found.cassettes, found.bytes) == (2, size + (tmp_path / "empty.yaml").stat().st_size)


def test_a_large_body_that_two_cassettes_share_is_counted_once(
    tmp_path: Path, tape: Callable[..., Interaction]
) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.yaml", [tape(name, b"\xff" * 40_000)])
    found = counted([open_cassette(tmp_path / f"{name}.yaml") for name in ("a", "b")])
    assert (found.blobs, found.blob_bytes) == (1, 40_000)


def test_nothing_is_nothing() -> None:
    found = counted([])
    assert (found.oldest, found.newest, found.total.interactions, found.biggest(5)) == ("", "", 0, [])


def test_what_cannot_be_read_is_told_and_the_rest_is_counted(tmp_path: Path, cassette: Cassette) -> None:
    text = cassette.path.read_text().replace("method: GET", "method: [GET", 1)
    (tmp_path / "b.yaml").write_text(text)
    errors: list[Exception] = []
    found = measure([open_cassette(tmp_path / "b.yaml")], dialects.read, errors.append)
    assert found.total.interactions == 3
    assert "b.yaml, interaction 4" in str(errors[0])
