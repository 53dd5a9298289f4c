"""Every block of the README, run in the order in which a reader would."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_llmmock.inbound.server import Server
from pytest_llmmock.settings import combine
from pytest_llmmock.standalone import Shelf, named

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"

_FENCE = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    language: str
    title: str | None
    text: str


BLOCKS = [Block(*match.groups()) for match in _FENCE.finditer(README.read_text())]


@pytest.fixture
def upstream() -> Iterator[str]:
    """Stands for the model: our own recordings, served."""
    shelf = Shelf(named([ROOT / "cassettes"], combine([])), combine([("test", {"repeat": True})]), on_trouble=print)
    with Server(shelf.handle) as server:
        yield server.url + "/v1"


def environment(upstream: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "LLMMOCK_", "PYTEST_"))
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "LLMMOCK_UPSTREAM": upstream, "PYTHONDONTWRITEBYTECODE": "1"}


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what it is to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def pattern(expected: str) -> str:
    """`...` stands for anything."""
    literal = fnmatch.translate(expected.strip().replace("[", "[[]").replace("*", "[*]").replace("?", "[?]"))
    return literal.replace(r"\.\.\.", ".*")


def test_the_readers_project_does_what_the_readme_says(tmp_path, upstream):
    ran = 0
    for block in BLOCKS:
        if block.title:
            (tmp_path / block.title).write_text(block.text)
        if block.language != "console":
            continue
        for command, expected in commands(block):
            done = subprocess.run(
                shlex.split(command),
                cwd=tmp_path,
                env=environment(upstream),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert re.fullmatch(pattern(expected), done.stdout.strip()), f"$ {command}\n{done.stdout}"
            ran += 1
    assert ran >= 9


def test_there_is_no_block_that_nobody_runs():
    known = {"sh", "python", "console"}
    assert {block.language for block in BLOCKS} == known
    assert all(block.title for block in BLOCKS if block.language == "python")


def test_ci_runs_the_test_command_of_the_readme():
    serve, test = [block.text.strip() for block in BLOCKS if block.language == "sh"]
    script = (ROOT / ".ci/run").read_text().splitlines()
    assert script[-1] == test
    assert serve.startswith("sh .ci/setup && .venv/bin/llmmock replay ")


def test_the_command_that_serves_prints_a_curl_line_that_works():
    serve = next(block.text.strip() for block in BLOCKS if block.language == "sh")
    command = serve.partition(" && ")[2].replace(".venv/bin/llmmock", f"{sys.executable} -m pytest_llmmock")
    process = subprocess.Popen(
        [*shlex.split(command), "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(4)]
    try:
        curl = next(line.partition("try:")[2] for line in lines if "try:" in line)
        answer = subprocess.run(shlex.split(curl), capture_output=True, text=True, check=True).stdout
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert '"object"' in answer
    assert "Colosseum" in answer
