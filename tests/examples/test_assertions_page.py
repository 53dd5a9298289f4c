"""Every block of docs/assertions.md, run in the order in which a reader would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/assertions.md"
_FENCE = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path) -> str:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "LLMMOCK_", "PYTEST_"))
    }
    environ = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    words = [sys.executable, "-m", *shlex.split(command), "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."]
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False).stdout


def pattern(expected: str) -> str:
    """`...` stands for anything, and spaces at the ends of lines do not count."""
    lines = "\n".join(line.rstrip() for line in expected.strip().splitlines())
    return re.escape(lines).replace(r"\.\.\.", ".*")


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    blocks = _FENCE.findall(PAGE.read_text())
    assert {language for language, _, _ in blocks} == {"python", "console"}
    for language, title, text in blocks:
        if language == "python":
            (tmp_path / title).write_text(text)
            continue
        command, _, expected = text.removeprefix("$ ").partition("\n")
        output = "\n".join(line.rstrip() for line in run(command, tmp_path).strip().splitlines())
        assert re.fullmatch(pattern(expected), output, re.DOTALL), output
