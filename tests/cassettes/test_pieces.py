"""A file of ours is cut where its interactions begin, read where it is looked at, and not copied."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pytest_llmmock.cassettes import library, pieces, yaml_lines
from pytest_llmmock.cassettes.cassette import Interaction
from pytest_llmmock.cassettes.format import dumps, loads
from pytest_llmmock.cassettes.pieces import HEAD, cut, find_all
from pytest_llmmock.errors import CassetteFormatError

Tape = Callable[..., Interaction]

SIGNATURE = b"one way of computing keys"


@pytest.fixture
def data(tape: Tape) -> bytes:
    return dumps([tape(words, words.encode(), key=f"{n:032x}") for n, words in enumerate(["a", "b", "c"])], SIGNATURE)


def test_marks_that_share_a_line_end_are_all_found() -> None:
    assert find_all(b"\n- a\n- a\nx\n- a\n", b"\n- a\n") == [0, 4, 10]


def test_an_interaction_without_our_line_makes_it_another_layout(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    ours = [number for number, line in enumerate(lines) if line.startswith(b"  llmmock:")]
    for number in ours:
        text = b"".join(lines[:number] + lines[number + 1 :])
        assert cut(text) is None
        assert [each.reply.body for each in loads(text)] == [b"a", b"b", b"c"]


def test_two_lines_of_ours_make_it_another_layout(data: bytes) -> None:
    line = next(line for line in data.splitlines(keepends=True) if line.startswith(b"  llmmock:"))
    assert cut(data.replace(line, line + line)) is None
    assert cut(HEAD + b"# a\n") is None


def test_only_a_key_that_is_asked_for_is_checked(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bytes] = []
    digest = pieces.digest
    monkeypatch.setattr(pieces, "digest", lambda request, way: checked.append(request) or digest(request, way))
    first, second, _ = loads(data, SIGNATURE)
    assert [each.stored_key for each in (first, second)] == [f"{0:032x}", f"{1:032x}"]
    assert checked == []
    assert second.key == second.stored_key
    assert second.key
    assert len(checked) == 1
    assert b"content: b" in checked[0]


def test_a_line_of_ours_without_a_key_is_no_key(data: bytes) -> None:
    first, *_ = loads(data.replace(b'key: "00000000000000000000000000000000"', b"key: none"), SIGNATURE)
    assert (first.key, first.source, first.reply.body) == ("", b"", b"a")


def test_a_request_is_read_without_its_reply(data: bytes) -> None:
    first, *_ = loads(data.replace(b"code: 200", b"code: [", 1), SIGNATURE)
    assert b'"content": "a"' in first.request.body
    with pytest.raises(CassetteFormatError, match="not YAML"):
        _ = first.reply


def test_what_is_not_read_line_by_line_is_read_by_pyyaml(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = [(each.request, each.reply) for each in loads(data, SIGNATURE)]

    def unusual(source: bytes) -> None:
        raise yaml_lines.UnusualError

    monkeypatch.setattr(yaml_lines, "read", unusual)
    assert [(each.request, each.reply) for each in loads(data, SIGNATURE)] == usual


def test_no_yaml_library_is_asked_for_what_we_wrote(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "load", None)
    assert [each.recorded.reply.body for each in loads(data, SIGNATURE)] == [b"a", b"b", b"c"]


def test_an_open_cassette_is_read_from_what_the_file_was(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    cassette = library.open_cassette(path, SIGNATURE)
    path.write_bytes(b"")  # shorter, in place
    library.write(path, dumps([]))  # and another file
    assert [each.reply.body for each in cassette.interactions] == [b"a", b"b", b"c"]


def test_an_open_cassette_takes_little_more_memory_than_its_file(tmp_path: Path, tape: Tape) -> None:
    path = tmp_path / "a.yaml"
    interactions = [tape(f"{number} {'word ' * 300}", b"words " * 300, key=f"{number:032x}") for number in range(300)]
    path.write_bytes(dumps(interactions, SIGNATURE))
    library.open_cassette(path, SIGNATURE)  # what is loaded with the first one
    tracemalloc.start()
    try:
        cassette = library.open_cassette(path, SIGNATURE)
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(cassette) == 300
    assert held <= most <= 1.3 * path.stat().st_size
