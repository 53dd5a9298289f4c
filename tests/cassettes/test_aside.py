from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.aside import Aside, accepted, failed
from pytest_llmmock.cassettes.cassette import Cassette, Interaction, Recorded
from pytest_llmmock.core.model import Frame, Reply, Request


def made(key: str, answer: str, at: int = 0) -> Interaction:
    """A recording of the request `key`, made at a minute."""
    request = Request("POST", "https://api.openai.com", "/v1/x", "", (), key.encode())
    reply = Reply(200, (), [Frame(answer.encode())])
    return Interaction.of(Recorded(request, reply, {"recorded": run(at)}), key)


def run(at: int) -> str:
    return f"2026-11-20T10:{at:02}:00.000Z"


def answers(cassette: list[Interaction], *runs) -> list[str]:
    return [each.reply.body.decode() for each in accepted(Cassette(Path("a"), cassette), runs)]


OLD = [made("a", "a old"), made("b", "b old")]


def test_what_a_run_recorded_is_added_behind_what_there_is():
    assert answers(OLD, (run(5), False, [made("c", "c new", 5)])) == ["a old", "b old", "c new"]


def test_another_recording_of_a_request_that_is_there_is_the_second_one():
    assert answers(OLD, (run(5), False, [made("a", "a again", 5)])) == ["a old", "b old", "a again"]


def test_of_the_same_request_the_latest_run_is_taken_and_all_that_it_recorded():
    first = (run(5), False, [made("c", "c1", 5), made("d", "d1", 5)])
    later = (run(6), False, [made("c", "c2", 6), made("c", "c3", 6)])
    assert answers([], first, later) == ["d1", "c2", "c3"]


def test_what_has_been_recorded_anew_since_is_left_out():
    cassette = [*OLD, made("c", "c later", 9)]
    assert answers(cassette, (run(5), False, [made("c", "c1", 5), made("c", "c2", 5)])) == [
        *["a old", "b old", "c later"],
        "c2",
    ]


def test_what_was_to_replace_the_cassette_replaces_what_was_there_when_it_began():
    cassette = [*OLD, made("z", "z since", 7)]
    assert answers(cassette, (run(5), True, [made("a", "a new", 5)])) == ["z since", "a new"]
    assert answers(OLD, (run(4), False, [made("x", "x", 4)]), (run(5), True, [made("a", "a new", 5)])) == ["a new"]


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("name", ["a.yaml", "tests/test_x/TestA.test_b[gpt-5.1].yaml", "x.yml"])
def test_where_it_is_kept_tells_all_about_it(tmp_path, name, replaces):
    aside = Aside.of(tmp_path, tmp_path / name, "2026-11-20T10:30:01.123Z", replaces=replaces)
    library.save(aside.path, [made("a", "b")])
    (found,) = failed(tmp_path)
    assert (found.path, found.run, found.replaces) == (aside.path, aside.run, replaces)
    assert found.cassette == tmp_path / name
    found.discard()
    assert list(tmp_path.iterdir()) == []
