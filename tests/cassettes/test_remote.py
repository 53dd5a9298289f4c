"""Cassettes at an address are read once, with the large bodies that they name; what goes wrong is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_llmmock.cassettes import format, library, remote
from pytest_llmmock.cassettes.cassette import Interaction
from pytest_llmmock.cassettes.format import LARGE
from pytest_llmmock.errors import CassetteError, CassetteFormatError

fsspec = pytest.importorskip("fsspec", reason="comes with the extra [remote]")

Tape = Callable[..., Interaction]
Put = Callable[[str, bytes], None]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty folder."""
    address = f"memory://{tmp_path.name}" if request.param == "memory" else f"file://{tmp_path}/store"
    yield address
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def put(store: str) -> Put:
    """Puts a file into it."""

    def put(name: str, content: bytes) -> None:
        system, path = fsspec.core.url_to_fs(f"{store}/{name}")
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, content)

    return put


def test_all_cassettes_below_a_folder_are_opened(store: str, put: Put, tape: Tape) -> None:
    put("b.yaml", format.dumps([tape("one", b"1"), tape("two", b"2")]))
    put("deep/er/a.yaml", format.dumps([tape("three", b"3")]))
    put("deep/README.md", b"no cassette")
    put(".aside/c.yaml", b"kept aside")
    first, second = remote.open_all(store, b"")
    assert [each.reply.body for each in first.interactions] == [b"1", b"2"]
    assert [each.called for each in (first, second)] == [f"{store}/b.yaml", f"{store}/deep/er/a.yaml"]
    root = remote.root_of(store)
    assert [library.name_of(each.path, root) for each in (first, second)] == ["b", "deep/er/a"]


def test_a_single_cassette_is_opened(store: str, put: Put, tape: Tape) -> None:
    put("deep/a.yaml", format.dumps([tape("one", b"1")]))
    [cassette] = remote.open_all(f"{store}/deep/a.yaml", b"")
    assert (cassette.called, cassette.exists, len(cassette)) == (f"{store}/deep/a.yaml", True, 1)
    assert library.name_of(cassette.path, remote.root_of(f"{store}/deep/a.yaml")) == "a"


@pytest.mark.parametrize("name", ["TestPlan.test_rome[gpt-5].yaml", "[a]/b.yaml", "a*.yaml", "a?.yaml"])
def test_a_name_is_no_pattern(store: str, put: Put, tape: Tape, name: str) -> None:
    put(name, format.dumps([tape("one", b"1")]))
    for address in (store, f"{store}/{name}"):
        [cassette] = remote.open_all(address, b"")
        assert (cassette.called, cassette.interactions[0].reply.body) == (f"{store}/{name}", b"1")


def test_a_file_that_cannot_be_read_is_told(store: str, put: Put, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError("Access Denied")

    put("a.yaml", format.dumps([tape("one", b"1")]))
    monkeypatch.setattr(fsspec.get_filesystem_class(store.partition(":")[0]), "cat_file", refuse)
    with pytest.raises(CassetteError, match=r"may not be read: Access Denied\. Check the credentials"):
        remote.open_all(store, b"")


def test_what_is_open_does_not_ask_the_storage_again(store: str, put: Put, tape: Tape) -> None:
    put("a.yaml", format.dumps([tape("one", b"1")]))
    [cassette] = remote.open_all(store, b"")
    put("a.yaml", b"something else")
    assert cassette.interactions[0].reply.body == b"1"


def test_large_bodies_are_found_beside_a_cassette_and_above_it(store: str, put: Put, tape: Tape) -> None:
    blobs: dict[str, bytes] = {}
    large = [b"\xff" * LARGE, b"\xfe" * LARGE]
    text = format.dumps([tape("one", large[0]), tape("two", large[1])], blobs=blobs)
    beside, above = blobs
    put("deep/a.yaml", text)
    put(f"deep/blobs/{beside}", blobs[beside])
    put(f"blobs/{above}", blobs[above])
    for address in (store, f"{store}/deep", f"{store}/deep/a.yaml"):
        [cassette] = remote.open_all(address, b"")
        assert [each.reply.body for each in cassette.interactions] == large


def test_a_large_body_that_is_not_there_is_told_when_it_is_played(store: str, put: Put, tape: Tape) -> None:
    put("a.yaml", format.dumps([tape("one", b"\xff" * LARGE)], blobs={}))
    [cassette] = remote.open_all(store, b"")
    with pytest.raises(
        CassetteFormatError, match=r"its body is in blobs/[0-9a-f]{64}, which is not at .* nor above it"
    ):
        _ = cassette.interactions[0].reply


def test_a_cassette_that_cannot_be_read_is_told_by_its_address(store: str, put: Put) -> None:
    put("a.yaml", b"hello")
    with pytest.raises(CassetteFormatError, match=r"^(memory|file)://.*/a\.yaml is not a cassette that can be read"):
        remote.open_all(store, b"")


def test_nothing_there_is_told(store: str) -> None:
    with pytest.raises(CassetteError, match=f"There are no cassettes at {store}: files that end in .yaml"):
        remote.open_all(store, b"")


# --- what a storage says --------------------------------------------------------------------------------


class Bucket(Exception):
    """As botocore has errors of its own."""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError("b"), "There is no cassette and no folder at memory://b, or its bucket is not there."),
        (
            PermissionError("Access Denied"),
            "memory://b may not be read: Access Denied. Check the credentials and their",
        ),
        (PermissionError("https://me:secret@host"), "memory://b may not be read: https://host. Check"),
        (ImportError("no ftp://me:secret@host"), "memory://b cannot be read: no ftp://host."),
        (PermissionError(), "memory://b may not be read: no permission. Check"),
        (Bucket("Unable to locate\ncredentials"), "memory://b cannot be read: Bucket: Unable to locate credentials."),
        (Bucket("https://me:secret@host refused"), "memory://b cannot be read: Bucket: https://host refused."),
        (OSError(), "memory://b cannot be read: OSError: it gave no reason."),
    ],
)
def test_what_a_storage_refuses_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "find", refuse)
    with pytest.raises(CassetteError) as caught:
        remote.open_all("memory://b", b"")
    assert str(caught.value).startswith(told)


def test_a_storage_that_is_not_known_is_told() -> None:
    with pytest.raises(CassetteError, match=r"^nowhere://b cannot be read: ValueError: Protocol not known: nowhere"):
        remote.open_all("nowhere://b", b"")


def test_what_is_missing_for_a_storage_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(CassetteError, match=r"^s3://bucket cannot be read: Install s3fs .*\.  pip install s3fs$"):
        remote.open_all("s3://bucket", b"")


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(CassetteError) as caught:
        remote.open_all("nowhere://me:secret@host/b", b"")
    assert str(caught.value).startswith("nowhere://host/b cannot be read")
    assert remote.root_of("ftp://me:secret@host/b") == Path("ftp://host/b")
    assert remote.root_of("ftp://me:sec@ret@host/b@c") == Path("ftp://host/b@c")


@pytest.mark.parametrize(
    ("address", "packages"),
    [
        ("s3://b", "'pytest-llmmock[remote]' s3fs"),
        ("simplecache::gs://b", "'pytest-llmmock[remote]' gcsfs"),
        ("x1://b", "'pytest-llmmock[remote]'"),
    ],
)
def test_without_fsspec_the_command_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch, address: str, packages: str
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(CassetteError, match="which is not installed") as caught:
        remote.open_all(address, b"")
    assert str(caught.value).endswith(f"pip install {packages}")


@pytest.mark.parametrize("place", ["s3://bucket/a", "S3://bucket/a", "memory://a", "simplecache::s3://b"])
def test_an_address_is_told_from_a_path(place: str) -> None:
    assert remote.is_address(place)


@pytest.mark.parametrize("place", ["cassettes", "/a/b.yaml", "C:/a", "C:\\a", "./s3:/a", "a:b"])
def test_a_path_is_no_address(place: str) -> None:
    assert not remote.is_address(place)
