"""Where our own configuration is, for its owner alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

HOME_VARIABLE = "LLMMOCK_HOME"

FILE_MODE = 0o600
_FOLDER_MODE = 0o700


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
