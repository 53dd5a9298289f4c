"""Recordings on their way into a cassette that is written again and again, as `llmmock record` does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import growing, library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.errors import CassetteError
from pytest_llmmock.keeper import Keeper
from pytest_llmmock.settings import Mode

KEY = "ghp_" + "aB3dE5gH7j" * 4
OURS = "a-v3ry-long-passw0rd"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.yaml"


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "AT_ONCE", 0)


def keeper(path: Path, mode: Mode = "new_episodes") -> Keeper:
    keys = Keys()
    return Keeper(open_cassette(path, keys.signature), mode, keys, path.parent, at_once=True)


def made(words: str) -> Interaction:
    request = Request("POST", "https://api.openai.com", "/v1/x", "", (), words.encode())
    return Interaction.of(Recorded(request, Reply(200, (), [Frame(b"yes")])), Keys().key(dialects.read(request)))


def keep(keeper: Keeper, words: str, place: int | None = None) -> int:
    place = place or keeper.recordings.reserve(0.0)
    keeper.recordings.keep(place, made(words))
    return place


def record(keeper: Keeper, *words: str) -> None:
    for each in words:
        keep(keeper, each)
        keeper.save(alone=False)


def words_in(path: Path) -> list[bytes]:
    return [each.request.body for each in open_cassette(path).interactions]


def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The cassettes that are read from now on."""
    opened: list[Path] = []
    original = library.open_cassette
    monkeypatch.setattr(library, "open_cassette", lambda path, *rest: opened.append(path) or original(path, *rest))
    return opened


def test_each_recording_is_written_behind_the_rest_which_is_not_read_again(path, monkeypatch):
    run = keeper(path)
    record(run, "one")
    read = reads(monkeypatch)
    before = path.read_bytes()
    record(run, "two", "three")
    assert path.read_bytes().startswith(before)
    assert read == []
    assert words_in(path) == [b"one", b"two", b"three"]
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == [
        *("# 1  POST /v1/x  ->  status 200", "# 2  POST /v1/x  ->  status 200", "# 3  POST /v1/x  ->  status 200")
    ]
    assert run.save() == 3
    assert words_in(path) == [b"one", b"two", b"three"]


def test_it_is_the_same_file_as_one_that_is_written_whole(path, tmp_path):
    run, other = keeper(path), keeper(tmp_path / "b.yaml")
    record(run, "one", "two", "three")
    for words in ("one", "two", "three"):
        keep(other, words)
    other.save()
    assert path.read_bytes() == (tmp_path / "b.yaml").read_bytes()


def test_what_a_person_or_another_run_has_written_meanwhile_stays(path):
    run, other = keeper(path), keeper(path)
    record(run, "one", "two")
    path.write_text(path.read_text().replace("two", "2"))
    record(other, "theirs")
    record(run, "three", "four")
    assert words_in(path) == [b"one", b"2", b"theirs", b"three", b"four"]


def test_what_a_person_has_removed_stays_away(path):
    run = keeper(path)
    record(run, "one", "two")
    path.unlink()
    record(run, "three")
    assert words_in(path) == [b"three"]


def test_in_mode_all_what_was_there_goes_with_the_first_recording_only(path):
    old = keeper(path)
    record(old, "old")
    run = keeper(path, "all")
    for words in ("one", "two"):
        place = run.recordings.reserve(0.0)
        interaction = made(words)
        interaction.meta["recorded"] = "9999"
        run.recordings.keep(place, interaction)
        run.save(alone=False)
    assert words_in(path) == [b"one", b"two"]


def test_what_is_recorded_once_more_to_its_real_end_replaces_what_was_written(path):
    run = keeper(path)
    record(run, "one")
    place = keep(run, "tw")
    run.save(alone=False)
    keep(run, "two", place)
    run.save(alone=False)
    record(run, "three")
    assert words_in(path) == [b"one", b"two", b"three"]


def test_what_becomes_a_secret_is_taken_out_of_what_was_written_before(path):
    run = keeper(path)
    record(run, f"one {OURS}", "two")
    assert OURS in path.read_text()
    run._keys.secrets.add(OURS)
    run.save(alone=False)
    assert words_in(path) == [b"one redacted-secret", b"two"]


def test_a_secret_that_cannot_be_taken_out_is_told_with_its_place_in_the_file(path):
    run = keeper(path)
    record(run, "one", "two")
    before = path.read_bytes()
    request = Request("POST", "https://api.openai.com", "/v1/x", "", (), KEY.encode())
    bad = Interaction.of(Recorded(request, Reply(200, (), [])), "1" * 32)
    bad.checked = run._keys.secrets.generation  # as if it had been found clean
    run.recordings.keep(run.recordings.reserve(0.0), bad)
    with pytest.raises(CassetteError, match="interaction 3, as it is written: GitHub token"):
        run.save(alone=False)
    assert path.read_bytes() == before


# --- a large one ---


def test_what_is_not_yet_in_a_large_cassette_is_safe(path, large):
    run = keeper(path)
    assert not run.writes_later
    record(run, "one")
    assert run.writes_later
    keep(run, "two")
    assert words_in(path) == [b"one"]
    run.close()  # what a killed process does too
    after = keeper(path)
    assert [each.request.body for each in after.recover()] == [b"two"]
    after.save()
    assert words_in(path) == [b"one", b"two"]
    assert list(path.parent.iterdir()) == [path]


def test_what_comes_while_a_large_one_is_written_is_not_forgotten(path, large, monkeypatch):
    run = keeper(path)
    record(run, "one")
    keep(run, "two")
    original = library.add

    def add(*arguments, **options):
        original(*arguments, **options)
        monkeypatch.setattr(library, "add", original)
        keep(run, "three")

    monkeypatch.setattr(library, "add", add)
    run.save(alone=False)
    assert words_in(path) == [b"one", b"two"]
    (kept,) = path.parent.rglob("00*.yaml")
    assert words_in(kept) == [b"three"]
    run.save()
    assert words_in(path) == [b"one", b"two", b"three"]
    assert list(path.parent.iterdir()) == [path]


def test_where_nothing_can_be_kept_safe_beside_a_large_one_nothing_is_asked(path, large):
    run = keeper(path)
    record(run, "one")
    (path.parent / ".llmmock").write_text("in the way")
    with pytest.raises(CassetteError, match="nothing was asked of the upstream"):
        run.recordings.reserve(0.0)
