from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.inbound import blocks
from pytest_llmmock.inbound.blocks import LARGE

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"

SIZES = st.lists(st.sampled_from([0, 1, 2, 1000, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE]), max_size=8)


def bodies_of(sizes: list[int]) -> list[bytes]:
    return [bytes([65 + number]) * size for number, size in enumerate(sizes)]


@given(SIZES)
def test_any_pieces_are_sent_as_they_are(sizes: list[int]) -> None:
    bodies = bodies_of(sizes)
    sent = list(blocks.as_it_is(HEAD, bodies, sum(sizes)))
    assert b"".join(sent) == HEAD + b"".join(bodies)


@given(SIZES)
def test_any_pieces_are_sent_as_a_chunk_each(sizes: list[int]) -> None:
    bodies = bodies_of(sizes)
    sent = list(blocks.in_chunks(HEAD, bodies, sum(sizes)))
    assert b"".join(sent) == HEAD + b"".join(blocks.chunks([[body] for body in bodies]))
    assert b"".join(blocks.chunks([bodies[:2], bodies[2:]])).startswith(
        b"".join(b"%x\r\n%b\r\n" % (len(b), b) for b in bodies if b)
    )


@pytest.mark.parametrize("write", [blocks.as_it_is, blocks.in_chunks])
def test_a_small_body_is_one_block(write) -> None:
    bodies = [b"x" * 200] * 200
    assert len(list(write(HEAD, bodies, 200 * 200))) == 1


@pytest.mark.parametrize("write", [blocks.as_it_is, blocks.in_chunks])
@given(SIZES)
def test_a_large_piece_is_sent_uncopied_and_a_block_of_others_is_not_large(write, sizes: list[int]) -> None:
    bodies = bodies_of([*sizes, LARGE])
    sent = list(write(HEAD, bodies, sum(map(len, bodies))))
    for each in sent:
        assert len(each) <= LARGE + len(b"1ffff\r\n\r\n") or any(each is body for body in bodies)
    assert all(any(each is body for each in sent) for body in bodies if len(body) >= LARGE)
    assert b"" not in sent
