from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.draft import Draft
from pytest_llmmock.core.model import Frame

FRAMES = [Frame(b"Hel", 0.1), Frame(b"lo wor", 0.2), Frame(b"ld", 0.4)]


def test_frames_stay_as_they_are_while_nothing_changes():
    draft = Draft(FRAMES)
    assert not draft.apply([(0, 3, b"Hel")])
    assert (draft.changed, draft.frames) == (False, FRAMES)


def test_a_change_moves_the_borders_behind_it_and_keeps_the_times():
    draft = Draft(FRAMES)
    assert draft.apply([(0, 5, b"Goodbye"), (10, 11, b"")])
    assert draft.frames == [Frame(b"Goo", 0.1), Frame(b"dbye wor", 0.2), Frame(b"l", 0.4)]


def test_a_frame_of_which_nothing_is_left_goes():
    draft = Draft(FRAMES)
    assert draft.apply([(1, 10, b"")])
    assert draft.frames == [Frame(b"H", 0.1), Frame(b"d", 0.4)]


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[Frame], list[tuple[int, int, bytes]]]:
    chunks = draw(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=6))
    size = sum(map(len, chunks))
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=8, unique=True)))
    made = [(start, end, draw(st.binary(max_size=6))) for start, end in zip(cuts[::2], cuts[1::2], strict=False)]
    return [Frame(chunk, float(number)) for number, chunk in enumerate(chunks)], made


@given(edits())
def test_the_body_is_what_the_changes_make_of_it_and_frames_never_change_places(case):
    frames, made = case
    body = b"".join(frame.data for frame in frames)
    expected = body
    for start, end, text in reversed(made):
        expected = expected[:start] + text + expected[end:]
    draft = Draft(frames)
    draft.apply(made)
    assert draft.body == expected == b"".join(frame.data for frame in draft.frames)
    assert [frame.at for frame in draft.frames] == sorted(frame.at for frame in draft.frames)
    assert all(frame.data for frame in draft.frames)


@given(edits())
def test_a_border_that_no_change_touches_stays_between_the_same_bytes(case):
    frames, made = case
    draft = Draft(frames)
    draft.apply(made)
    behind = {
        frame.at: end for frame, end in zip(draft.frames, accumulate(len(f.data) for f in draft.frames), strict=True)
    }
    for frame, end in zip(frames, accumulate(len(frame.data) for frame in frames), strict=True):
        if frame.at in behind and not any(start < end < stop for start, stop, _ in made):
            moved = sum(len(text) - (stop - start) for start, stop, text in made if start < end)
            assert behind[frame.at] == end + moved
