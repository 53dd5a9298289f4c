"""Where our own configuration is, for its owner alone, and which addresses a token may be sent to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import UsageError

HOME_VARIABLE = "LLMMOCK_HOME"

FILE_MODE = 0o600
_FOLDER_MODE = 0o700

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


def home(environ: Mapping[str, str]) -> Path:
    """Our folder among the user's configurations, as the system has it; `LLMMOCK_HOME` names another."""
    own = environ.get(HOME_VARIABLE, "")
    if own:
        return Path(own).expanduser().absolute()
    import click  # knows where each system keeps configurations

    return Path(click.get_app_dir("llmmock"))


def make_private(folder: Path) -> None:
    """Make sure of a folder that nobody else looks into. Raises `OSError`."""
    folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    if is_open_to_others(folder):
        folder.chmod(_FOLDER_MODE)


def is_open_to_others(path: Path) -> bool:
    """Whether other users may read it; on Windows a user's own folders are closed. Raises `OSError`."""
    return sys.platform != "win32" and bool(path.stat().st_mode & 0o077)


def safe_address(url: str, what: str) -> str:
    """An address that credentials may be sent to, without a slash at its end. Raises `UsageError`."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        plain = bool(parts.hostname) and not (parts.username or parts.password or parts.query or parts.fragment)
        parts.port  # noqa: B018 - raises for one that is none
    except ValueError:
        safe = plain = False
    if safe and plain:
        return url.rstrip("/")
    raise UsageError(
        f"{what} is {_without_user(url)!r}, and no login is sent there: "
        "it takes an https address, or http on this machine, without user, query or fragment."
    )


def address(environ: Mapping[str, str], variable: str, default: str) -> str:
    """The address that a variable holds, or the default. Raises `UsageError`."""
    return safe_address(environ.get(variable) or default, variable)


def _without_user(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return scheme + separator + rest.rpartition("@")[2].partition("?")[0]
