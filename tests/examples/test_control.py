"""Tests in another language, with nothing but what comes with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")


@pytest.fixture
def llm_config():
    return {"auth_token": "sk-node-1"}


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_a_test_in_javascript_controls_the_server(llm_server):
    file = Path(__file__).with_name("control.test.mjs")
    done = subprocess.run([str(NODE), "--test", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 5" in done.stdout
    assert [entry.status for entry in llm_server.requests] == [200, 429, 200, 200]
    assert "sk-node-1" not in repr([entry.headers for entry in llm_server.requests])
