"""docs/deployment.md: what its blocks say is what happens."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/deployment.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CONSOLES = [text for language, _, text in BLOCKS if language == "console"]
SERVERS = [text for language, _, text in BLOCKS if language == "sh" and "docker" not in text]
RECORDED = ROOT / "cassettes/tests/examples/test_conversations/test_chat.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A reader's folder, with what the page has them write."""
    (tmp_path / "cassettes").mkdir()
    shutil.copy(RECORDED, tmp_path / "cassettes/plan.yaml")
    for _, title, text in BLOCKS:
        if title:
            (tmp_path / title).write_text(text)
    return tmp_path


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "LLMMOCK_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "no_proxy": "*"}


def needs(command: str) -> None:
    """Skip where a server is not installed."""
    for name in ("gunicorn", "granian", "waitress"):
        wanted = name in command or (name == "granian" and "--workers" in command and command.startswith("llmmock"))
        if wanted and importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")


@contextmanager
def serving(command: str, folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A command in the background, from when it listens."""
    needs(command)
    process = subprocess.Popen(
        shlex.split(command), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    process.kill()
    raise AssertionError(f"it does not listen: {process.communicate()[0]}")


def commands(block: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def pattern(expected: str) -> str:
    """`...` stands for anything."""
    literal = fnmatch.translate(expected.strip().replace("[", "[[]").replace("*", "[*]").replace("?", "[?]"))
    return literal.replace(r"\.\.\.", ".*")


@pytest.mark.parametrize("number", range(len(CONSOLES)))
def test_each_block_of_commands_does_what_it_says(project, port, number):
    ran = 0
    with ExitStack() as running:
        for written, expected in commands(CONSOLES[number].replace("8000", str(port))):
            if written.endswith(" &"):
                process = running.enter_context(serving(written.removesuffix(" &"), project, port))
                assert process.stdout is not None
                said = "" if expected == "...\n" else "".join(process.stdout.readline() for _ in expected.splitlines())
            else:
                done = subprocess.run(
                    shlex.split(written), cwd=project, env=environment(), capture_output=True, text=True, check=True
                )
                said = done.stdout
                ran += 1
            assert re.fullmatch(pattern(expected), said.strip()), f"$ {written}\n{said}"
    assert ran


@pytest.mark.parametrize("number", range(len(SERVERS)))
def test_each_server_serves_the_folder_it_is_started_in(project, port, number):
    with serving(SERVERS[number].replace("8000", str(port)).strip(), project, port):
        asked = ["curl", "-s", f"http://127.0.0.1:{port}/health"]
        told = subprocess.run(asked, env=environment(), capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == {"status": "ok", "cassettes": 1, "interactions": 1}


def test_every_variable_of_the_application_is_on_the_page():
    from pytest_llmmock import wsgi

    known = {wsgi.CASSETTES, wsgi.TOGETHER, *wsgi._ONE, *wsgi._SEVERAL}
    known |= {f"LLMMOCK_{name.upper()}" for name in (*wsgi._OF_FILES, "rules")}
    table = PAGE[PAGE.index("| variable | as the option |") : PAGE.index("With code of your own around it")]
    assert set(re.findall(r"`(LLMMOCK_[A-Z_]+)", table)) == known


def test_every_kind_of_block_is_looked_at():
    assert {language for language, _, _ in BLOCKS} == {"console", "sh", "python", "yaml"}
    assert len(SERVERS) == 3
    for language, _, text in BLOCKS:
        if language == "yaml":
            assert yaml.safe_load(text)["services"]["app"]["depends_on"] == {
                "llmmock": {"condition": "service_healthy"}
            }
