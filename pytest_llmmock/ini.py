"""Settings in the ini file of pytest, for who runs without pytest."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any, cast

from .errors import UsageError

PREFIX = "llm_"


def read_ini(folder: Path, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Where the ini file of a folder is, and these settings as it has them. Raises `UsageError`."""
    for name, read in _FILES.items():
        path = folder / name
        if path.is_file():
            section = _read(path, read)
            if section is not None:
                found = {each: section[PREFIX + each] for each in names if section.get(PREFIX + each)}
                return str(path), found
    return "ini", {}


Section = Mapping[str, Any] | None


def _read(path: Path, read: Callable[[str], Section]) -> Section:
    try:
        return read(path.read_text("utf-8"))
    except (OSError, ValueError, Error) as error:
        raise UsageError(f"The settings in {path} cannot be read: {error}") from None


def _pyproject(text: str) -> Section:
    """The table of old, or where it is not there the one that pytest has read since 9."""
    options = _table(text, "tool", "pytest", "ini_options")
    return _table(text, "tool", "pytest") if options is None else options


def _toml(text: str) -> Section:
    return _table(text, "pytest")


def _table(text: str, *steps: str) -> Section:
    found: Any = tomllib.loads(text)
    for step in steps:
        found = found.get(step)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise ValueError(f"{step} is no table")
    return cast(Section, found)


def _section(name: str) -> Callable[[str], Section]:
    def read(text: str) -> Section:
        parser = ConfigParser(interpolation=None)
        parser.read_string(text)
        return parser[name] if parser.has_section(name) else None

    return read


_FILES: dict[str, Callable[[str], Section]] = {
    "pytest.toml": _toml,
    ".pytest.toml": _toml,
    "pytest.ini": _section("pytest"),
    ".pytest.ini": _section("pytest"),
    "pyproject.toml": _pyproject,
    "tox.ini": _section("pytest"),
    "setup.cfg": _section("tool:pytest"),
}
"""The files in which pytest looks for its settings, in its order, and what reads each."""
