"""Options that stand alone or with a word: `--llm-record`, `--llm-record=all`.

Like `plugin.py` this is imported in every run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from .beside import Given

MODES = ("none", "once", "new_episodes", "changed", "all")

VALIDATE = ("off", "warn", "error")

WORDS = {"--llm-record": MODES, "--llm-validate": VALIDATE}
"""Option -> the words that it knows."""


class RecordMode(Given):
    """`--llm-record` and `--llm-record=MODE`.

    Every mode is an option string of its own, because with an optional value argparse would take the path
    in `pytest --llm-record tests/` for the mode.
    """

    ALONE = "new_episodes"

    def __init__(self, option_strings: list[str], dest: str, **attributes: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **attributes)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        super().__call__(parser, namespace, (option or "").partition("=")[2] or self.ALONE, option)


class Validation(RecordMode):
    """`--llm-validate` and `--llm-validate=WORD`, in the same way."""

    ALONE = "error"


def refusing_others(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Parses, unless a mode is given that is none: argparse would not say which modes there are."""

    def parse_known_and_unknown_args(args: Iterable[Any], *arguments: Any, **more: Any) -> Any:
        args = [*args]
        for option in map(os.fspath, args):
            name, equals, mode = option.partition("=")
            known = WORDS.get(name, ())
            if known and equals and mode not in known:
                raise pytest.UsageError(f"{option}: there is no such mode. Modes are: {', '.join(known)}.")
        return parse(args, *arguments, **more)

    return parse_known_and_unknown_args
