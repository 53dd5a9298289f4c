"""What the user has chosen once and for all with `llmmock login`: the default upstream, and where tokens are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .. import files
from ..errors import UsageError
from .base_url import DUMMY_KEY
from .home import FILE_MODE, home


@dataclass(frozen=True, slots=True)
class Choice:
    """What is in our configuration."""

    upstream: str = ""
    """A name or a base URL; '' when none was chosen."""
    keyring: bool = False
    """Whether tokens are in the keyring of the system, and not in a file."""


def place(environ: Mapping[str, str]) -> Path:
    return home(environ) / "config.json"


def chosen(environ: Mapping[str, str]) -> Choice:
    """What was chosen. Raises `UsageError` when the file is no configuration."""
    path = place(environ)
    try:
        values = json.loads(path.read_bytes())
        return _read(values)
    except (FileNotFoundError, NotADirectoryError):
        return Choice()
    except OSError as error:
        raise UsageError(f"The configuration {path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise UsageError(
            f"The configuration {path} is spoilt: {error}. Mend it, or remove it and choose anew."
        ) from None


def _read(values: Any) -> Choice:
    """Raises `ValueError`."""
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")
    upstream, keyring = values.get("upstream", ""), values.get("keyring", False)
    if not isinstance(upstream, str) or not isinstance(keyring, bool):
        raise ValueError('"upstream" is a text and "keyring" is true or false')
    return Choice(upstream, keyring)


def choose(environ: Mapping[str, str], **changes: Any) -> Choice:
    """Change what was chosen, and keep the rest. Raises `UsageError` and `OSError`."""
    path = place(environ)
    with files.locked(path):
        choice = replace(chosen(environ), **changes)
        files.write(path, json.dumps(asdict(choice), indent=2).encode() + b"\n", mode=FILE_MODE)
    return choice


def default_upstream(environ: Mapping[str, str]) -> str:
    """Where a server's recordings come from when nothing was said: what was chosen, else OpenAI when there is a key.

    '' when there is neither. Raises `UsageError`.
    """
    return chosen(environ).upstream or ("openai" if has_key(environ) else "")


def has_key(environ: Mapping[str, str]) -> bool:
    """Whether there is a key of OpenAI that is not our own dummy."""
    return environ.get("OPENAI_API_KEY", "") not in ("", DUMMY_KEY)
