"""What can be known of the image without Docker: that its commands work by themselves, and what compose is told."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_llmmock.inbound.server import Server
from pytest_llmmock.settings import combine
from pytest_llmmock.standalone import Shelf, named

ROOT = Path(__file__).parents[1]
DOCKERFILE = ROOT / "docker/Dockerfile"


def instructions(name: str) -> list[str]:
    """The values of an instruction, with continued lines joined."""
    lines = DOCKERFILE.read_text().replace("\\\n", " ").splitlines()
    return [line.partition(" ")[2].strip() for line in lines if line.startswith(name + " ")]


def command(name: str) -> list[str]:
    """What an instruction runs, in its form without a shell."""
    (value,) = instructions(name)
    words: list[str] = json.loads(value[value.index("[") :])
    return words


@pytest.fixture
def service() -> dict[str, Any]:
    (only,) = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"].values()
    found: dict[str, Any] = only
    return found


def check(port: int) -> int:
    """The status of the health check, asking this port."""
    python, option, code = command("HEALTHCHECK")
    assert (python, option) == ("python", "-c")
    asked = [sys.executable, option, code.replace("8000", str(port))]
    return subprocess.run(asked, check=False, capture_output=True, timeout=30).returncode


def test_the_health_check_tells_a_server_from_none(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    settings = combine([])
    shelf = Shelf(named([ROOT / "cassettes"], settings), settings, on_trouble=print)
    with Server(shelf.handle) as server:
        assert check(server.port) == 0
        port = server.port
    assert check(port) == 1


def test_the_image_serves_what_is_mounted(tmp_path):
    program, *options = [*command("ENTRYPOINT"), *command("CMD")]
    assert program == "llmmock"
    assert options[-1] == "/cassettes"
    words = [str(ROOT / "cassettes") if word == "/cassettes" else word.replace("8000", "0") for word in options]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pytest_llmmock", *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip().rpartition(" on ")[2]
        assert check(int(url.rpartition(":")[2])) == 0
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_image_listens_where_its_check_asks_and_compose_forwards(service):
    entry = command("ENTRYPOINT")
    assert entry[entry.index("--port") + 1] == "8000"
    assert entry[entry.index("--host") + 1] == "0.0.0.0"
    assert instructions("EXPOSE") == ["8000"]
    assert [port.rpartition(":")[2] for port in service["ports"]] == ["8000"]


def test_all_that_is_copied_is_there_and_let_through():
    copied = [shlex.split(value) for value in instructions("COPY")]
    places = [place for words in copied for place in words[:-1] if not words[0].startswith("--from")]
    assert places == ["pyproject.toml", "README.md", "LICENSE", "pytest_llmmock"]
    assert all((ROOT / place).exists() for place in places)
    ignored = (ROOT / "docker/Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert [line.removeprefix("!") for line in ignored if line.startswith("!")] == places


def test_nobody_is_root_and_nothing_is_written(service):
    assert instructions("USER") == ["10001:10001"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert (service["read_only"], service["cap_drop"], service["stop_signal"]) == (True, ["ALL"], "SIGTERM")
    (mounted,) = service["volumes"]
    assert (mounted["target"], mounted["read_only"]) == ("/cassettes", True)


def test_compose_builds_this_image_and_says_what_llmmock_knows(service):
    folder = ROOT / "docker"
    assert (folder / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).resolve() == DOCKERFILE
    words = [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in service["command"]]
    assert words == ["/cassettes", "--workers", "2"]
    (mounted,) = service["volumes"]
    assert (folder / re.sub(r"\$\{\w+:-(.*)\}", r"\1", mounted["source"])).resolve() == ROOT / "cassettes"
