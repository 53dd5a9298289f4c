"""What a test's cassette is called, and which settings are in force for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from . import recording
from .beside import given, ini
from .cassettes.credentials import of_variable
from .cassettes.scrubber import Scrubber
from .cassettes.secrets import Secrets
from .core.environ import CHANGING, OfEnvironment
from .errors import UsageError
from .settings import OF_UPSTREAMS, Layer, Settings, combine, from_environment

CONFIGURED = ("upstream", "cassette_dir", "unplayed", "egress", "speed", "chunking", "validate")
"""Settings that pytest's command line and ini file have, as `--llm-NAME` and `llm_NAME`."""

IN_FILE = (*CONFIGURED, *OF_UPSTREAMS, *recording.IN_FILE, "record_errors", "record_abandoned")
"""Settings that the ini file has."""

SHARED = "llmmock/shared"
"""Where pytest's cache keeps the names that tests give to their cassettes: not all tests are in every run."""

_OF_RUN = pytest.StashKey[tuple[dict[str, Any], dict[str, Any]]]()
_IN_ENVIRONMENT = OfEnvironment(from_environment)
_GIVEN = pytest.StashKey[frozenset[str]]()
_NAME = pytest.StashKey[str]()
_SHOWN = pytest.StashKey[str]()

_LONGEST_NAME = 150
"""Bytes."""

_ODD = re.compile(r"[^\w.\-\[\]]+")


def settings_of(item: pytest.Item, llm_config: Mapping[str, Any]) -> tuple[str, Settings]:
    """The name of the test's cassette and its settings. Raises `UsageError`."""
    if not isinstance(llm_config, Mapping):
        raise UsageError(f"The fixture llm_config has to return a dict, and returned {llm_config!r}.")
    name, on_marker = marked(item)
    return name or default_name(item), combine(layers(item.config, llm_config, on_marker))


def marked(item: pytest.Item) -> tuple[str, dict[str, Any]]:
    """What the markers say, a test's own over its class's over its module's."""
    name, settings = "", {}
    for marker in reversed(list(item.iter_markers("llm_cassette"))):
        if len(marker.args) > 1:
            raise UsageError(f"@pytest.mark.llm_cassette takes one name, and was given {marker.args!r}.")
        arguments = dict(marker.kwargs)
        name = arguments.pop("name", None) or (marker.args[0] if marker.args else None) or name
        settings.update(arguments)
    if not isinstance(name, str):
        raise UsageError(f"@pytest.mark.llm_cassette takes the name of a cassette, and was given {name!r}.")
    return name, settings


def default_name(item: pytest.Item) -> str:
    """`tests/test_agent/TestPlan.test_rome[gpt-5]` for that test of `tests/test_agent.py`."""
    if _NAME not in item.stash:
        item.stash[_NAME] = _default_name(item)
    return item.stash[_NAME]


def _default_name(item: pytest.Item) -> str:
    file, _, inside = item.nodeid.partition("::")
    names, bracket, parameters = without_secrets(inside).partition("[")
    name = safe((names.replace("::", ".") + bracket + parameters) or without_secrets(item.name))
    return "/".join([*_folders(item.path, item.config.rootpath, file), name])


@lru_cache(maxsize=64)
def _folders(path: Path, root: Path, file: str) -> tuple[str, ...]:
    """The folders of a test file's cassettes: all of its tests have them."""
    if path.is_relative_to(root):
        file = path.relative_to(root).as_posix()
    return tuple(safe(part) for part in Path(file).with_suffix("").parts if part not in ("..", "/"))


def shown(item: pytest.Item) -> str:
    """A test's name as it stands in commands and reports."""
    if _SHOWN not in item.stash:
        item.stash[_SHOWN] = without_secrets(item.nodeid)  # once: each time all of the environment is read
    return item.stash[_SHOWN]


def without_secrets(node: str) -> str:
    """A test's name without the keys among its parameters: it becomes the name of a file, and stands in reports.

    So much of a digest stands there that two of them are told apart, and too little to find the value by it.
    """
    if "[" not in node:
        return node
    clean = _scrubber().text(node)
    return node if clean == node else clean.rstrip("]") + f"-{_digest(node, 2)}]"


def _scrubber() -> Scrubber:
    """What takes the secrets of the environment out. The name of the test stands there too, and may hold one."""
    own = of_variable(CHANGING, os.environ.get(CHANGING, ""))
    return Scrubber(Secrets.of()) if own else _OF_ENVIRONMENT()


_OF_ENVIRONMENT = OfEnvironment(lambda environ: Scrubber(Secrets.of(environ)))


def _digest(name: str, size: int) -> str:
    return blake2b(name.encode(errors="surrogatepass"), digest_size=size).hexdigest()


def safe(name: str) -> str:
    """A name for every file system. Where something has to be replaced, a digest keeps it unique."""
    plain = _ODD.sub("-", name)
    size = len(plain.encode(errors="replace"))
    if plain == name and size <= _LONGEST_NAME and not name.startswith("."):
        return name
    short = plain.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
    return f"{short.strip('-.')}-{_digest(name, 4)}"


def cassette_path(root: Path, name: str) -> Path:
    """The file of a cassette. Raises `UsageError` for a name that leads out of the cassette folder."""
    home = _normal(root)
    path = os.path.normpath(os.path.join(home, name))
    if not _is_below(path, home):
        raise UsageError(f"The cassette name {name!r} leads out of the cassette folder {root}.")
    known = os.path.splitext(path)[1] in (".yaml", ".yml", ".json", ".gz")
    return Path(path if known else path + ".yaml")


_normal = lru_cache(maxsize=8)(os.path.normpath)


def _is_below(path: str, root: str) -> bool:
    """Whether a path, both written in the plainest way, is in a folder; as texts, for that is ten times as fast."""
    return path.startswith(root.rstrip(os.sep) + os.sep) or Path(path).is_relative_to(root)


def cassettes_of(items: Iterable[pytest.Item], cassette_dir: Path) -> Iterator[str]:
    """The cassettes that collected tests have, whether they run or not."""
    for item in items:
        try:
            yield relative(cassette_path(cassette_dir, marked(item)[0] or default_name(item)), item.config.rootpath)
        except UsageError:
            continue  # its set-up tells


def names_on_markers(items: Iterable[pytest.Item]) -> Iterator[str]:
    """The names that collected tests give to their cassettes: another test may have one of them too."""
    for item in items:
        try:
            name = marked(item)[0]
        except UsageError:
            continue  # its set-up tells
        if name:
            yield name


def is_alone(item: pytest.Item, name: str) -> bool:
    """Whether no other test has this cassette, as far as this run and the last one of all tests know."""
    stash = item.config.stash
    if _GIVEN not in stash:
        cache = getattr(item.config, "cache", None)
        known = cache.get(SHARED, []) if cache is not None else []
        stash[_GIVEN] = frozenset([*known, *names_on_markers(item.session.items)])
    return name == default_name(item) and name not in stash[_GIVEN]


def relative(path: Path, root: Path) -> str:
    """A path as it is told: below pytest's root directory, with slashes."""
    plain, above = str(path), str(root).rstrip(os.sep) + os.sep
    if plain.startswith(above) and ".." not in plain:  # as nearly always
        return plain[len(above) :].replace(os.sep, "/")
    path = Path(os.path.abspath(path))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def home_of(config: pytest.Config) -> Path:
    """The folder of the cassettes, as far as it is not another for single tests. Raises `UsageError`."""
    return config.rootpath / combine(layers(config)).cassette_dir


def layers(
    config: pytest.Config, llm_config: Mapping[str, Any] | None = None, on_marker: Mapping[str, Any] | None = None
) -> list[Layer]:
    """Settings from weak to strong."""
    if _OF_RUN not in config.stash:
        config.stash[_OF_RUN] = _of_run(config)
    in_file, options = config.stash[_OF_RUN]
    return [
        ("ini file", in_file),
        ("llm_config", llm_config or {}),
        _IN_ENVIRONMENT(),
        ("command line", options),
        ("@pytest.mark.llm_cassette", on_marker or {}),
    ]


def _of_run(config: pytest.Config) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the ini file and the command line say: the same for each test of the run."""
    in_file = {name: ini(config, f"llm_{name}") for name in IN_FILE}
    options = {name: given(config, f"llm_{name}") for name in (*CONFIGURED, *recording.OPTIONS)}
    options["mode"] = given(config, "llm_record")
    return _said(in_file), _said(options)


def _said(layer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in layer.items() if value is not None}
