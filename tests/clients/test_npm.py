"""The openai package of npm, run by node against the server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from frameworks import HELLO

from pytest_llmmock import LLMServer

SCRIPT = Path(__file__).with_name("openai.mjs")
MODULES = Path(os.environ.get("LLMMOCK_NODE_MODULES", Path(__file__).parents[2] / ".node/node_modules"))
"""Where `npm install --prefix .node openai` puts it."""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    if not (MODULES / "openai").is_dir():
        pytest.skip("the openai package of npm is not installed: npm install --prefix .node openai")
    return found


@pytest.fixture
def told(node: str, tmp_path: Path) -> dict[str, Any]:
    """What the script was answered. A module finds packages beside itself only."""
    (tmp_path / "node_modules").symlink_to(MODULES, target_is_directory=True)
    script = shutil.copy(SCRIPT, tmp_path)
    with LLMServer(tmp_path / "none.yaml") as server:
        server.when(model="tool").reply(tool_calls=("temperature", {"city": "Rome"}))
        server.when(model="json").reply(json=True)
        server.when(model="broken").error(429)
        server.when(operation="embeddings").reply(embedding={"dimensions": 8})
        server.reply(HELLO)
        done = subprocess.run([node, script], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert {entry.source for entry in server.requests} == {"script"}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_package_of_npm_is_answered_plain_streamed_by_tool_and_by_schema(told):
    assert (told["plain"], told["response"], told["streamed"]) == (HELLO, HELLO, HELLO)
    assert ("".join(told["pieces"]), len(told["pieces"]) > 2) == (HELLO, True)
    assert told["call"] == {"name": "temperature", "arguments": '{"city":"Rome"}'}
    assert list(told["parsed"]) == ["city"]
    assert (told["events"][0], told["events"][-1]) == ("response.created", "response.completed")
    assert told["vector"] == 8
    assert told["error"] == ["RateLimitError", 429, "rate_limit_exceeded"]
